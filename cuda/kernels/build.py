#!/usr/bin/env python3
"""Compiles kernels.cu with NVRTC and ptxas 12.1, from the PyPI wheels
nvidia-cuda-nvrtc-cu12==12.1.105 and nvidia-cuda-nvcc-cu12==12.1.105 unpacked in
the folder given, into image/: PTX 7.0 for sm_80, the cubin of it, and a cubin for sm_90a, packed by
gzip, and the hashes of the sources and of these. Prints each kernel's registers,
static shared memory and spilled bytes on sm_90a, and where DIR has nvdisasm (the wheel
of triton brings one) the instructions of attention by wgmma.

    pip install --no-deps --target DIR nvidia-cuda-nvrtc-cu12==12.1.105 nvidia-cuda-nvcc-cu12==12.1.105 [triton]
    cuda/kernels/build.py DIR
"""
import ctypes, glob, gzip, hashlib, heapq, os, re, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
wheels = sys.argv[1]
rtc = ctypes.CDLL(glob.glob(wheels + "/**/libnvrtc.so.12", recursive=True)[0])
ptxas = glob.glob(wheels + "/nvidia/**/ptxas", recursive=True)[0]  # not that of the wheel of triton, of another version
names = sorted(n for n in os.listdir(here) if n.endswith((".cu", ".cuh")))
source = {n: open(os.path.join(here, n), "rb").read() for n in names}


def ptx(arch, *more):
    headers = [n for n in names if n.endswith(".cuh")]
    array = lambda x: (ctypes.c_char_p * len(x))(*x)
    p = ctypes.c_void_p()
    assert rtc.nvrtcCreateProgram(ctypes.byref(p), source["kernels.cu"], b"kernels.cu", len(headers),
                                  array([source[n] for n in headers]), array([n.encode() for n in headers])) == 0
    options = [b"-arch=" + arch, b"-std=c++17", b"-DINFINITY=__int_as_float(0x7f800000)", *more]
    failed = rtc.nvrtcCompileProgram(p, len(options), array(options))
    size = ctypes.c_size_t()
    rtc.nvrtcGetProgramLogSize(p, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    rtc.nvrtcGetProgramLog(p, log)
    if failed or log.value.strip():
        sys.exit("kernels.cu: " + log.value.decode())
    rtc.nvrtcGetPTXSize(p, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    rtc.nvrtcGetPTX(p, text)
    return text.value


def assemble(arch, text, folder):
    """Returns the cubin, and {kernel: (registers, shared, spilled)}."""
    file = os.path.join(folder, arch)
    open(file + ".ptx", "wb").write(text)
    said = subprocess.run([ptxas, "-arch=" + arch, "-v", "-o", file + ".cubin", file + ".ptx"], check=True, capture_output=True, text=True).stderr
    if "wgmma" in said and "serialized" in said:
        sys.exit(said)  # correct, and of no use
    uses, name, spilled = {}, None, 0
    for line in said.splitlines():
        if m := re.search(r"Compiling entry function '(\w+)'", line):
            name = m[1]
        elif m := re.search(r"(\d+) bytes spill stores", line):
            spilled = int(m[1])
        elif m := re.search(r"Used (\d+) registers", line):
            shared = re.search(r"(\d+) bytes smem", line)
            uses[name] = int(m[1]), int(shared[1]) if shared else 0, spilled
    return open(file + ".cubin", "rb").read(), uses


def turns(cubin, nvdisasm):
    """Yields the kernels of attention by wgmma with the fewest instructions that a thread
    needs from the first product of scores to the last of values, and from there to the
    next block's first: the way of a block of keys that all are seen, of rows whose maxima
    stay as they are. A thread has 32 scores of it."""
    text = subprocess.run([nvdisasm, "-c", cubin], capture_output=True, text=True, check=True).stdout
    for part in re.split(r"\n\.text\.(?=\w+:)", text)[1:]:
        name, code, label = part[:part.index(":")], [], {}
        if not re.fullmatch(r"sb_attention_\w+_wgmma", name):
            continue
        for line in part.splitlines():
            if m := re.match(r"(\.L_\w+):", line):
                label[m[1]] = len(code)
            elif m := re.match(r"\s+/\*[0-9a-f]{4,}\*/\s+(.*?)\s*;", line):
                code.append(m[1])

        def after(i):
            predicated = code[i].startswith("@") or re.search(r"BRA !?U?P\d", code[i])
            goes = re.search(r"\bBRA\b.*`\((\.L_\w+)\)", code[i])
            if "EXIT" in code[i] and not predicated:
                return []
            if not goes or ".DIV" in code[i]:  # a warp that has come apart, which these do not
                return [i + 1] if i + 1 < len(code) else []
            return [label[goes[1]]] + [i + 1] * bool(predicated)

        def least(a, b):
            best, queue = {a: 0}, [(0, a)]
            while queue:
                d, i = heapq.heappop(queue)
                if i == b:
                    return d
                for j in after(i) if d == best[i] else []:
                    if d + 1 < best.get(j, len(code) + 1):
                        best[j] = d + 1
                        heapq.heappush(queue, (d + 1, j))

        products = [i for i, c in enumerate(code) if "HGMMA" in c]
        yield name, least(products[0], products[-1]), least(products[-1], products[0])


image = os.path.join(here, "image")
os.makedirs(image, exist_ok=True)
with tempfile.TemporaryDirectory() as folder:
    text = ptx(b"compute_80")
    machine, older = assemble("sm_80", text, folder)
    # NVRTC writes its own version, which older drivers refuse; the text needs 7.0.
    text = text.replace(b".version 8.1\n", b".version 7.0\n")
    assert assemble("sm_80", text, folder)[0] == machine
    cubin, uses = assemble("sm_90a", ptx(b"compute_90a", b"-DSB_HOPPER"), folder)
    for tool in glob.glob(wheels + "/**/nvdisasm", recursive=True)[:1]:
        for name, there, back in turns(os.path.join(folder, "sm_90a.cubin"), tool):
            print(f"{name}: {there} + {back} instructions a block, {(there + back) / 32:.1f} a score")
for name, (registers, shared, spilled) in sorted(uses.items()):
    before = "sm_80: {} registers, {} spilled".format(*older[name][::2]) if name in older else "sm_80: none"
    print(f"{name:24} {registers:3} registers, {shared:5} bytes shared, {spilled} spilled; {before}")
digest = lambda b: hashlib.sha256(b).hexdigest()
with open(image + "/sources.sha256", "w") as f:
    for n in names:
        f.write(f"{digest(source[n])}  {n}\n")
    for n, data in (("sm_80.cubin.gz", machine), ("sm_80.ptx.gz", text), ("sm_90a.cubin.gz", cubin)):
        packed = gzip.compress(data, 9, mtime=0)
        open(os.path.join(image, n), "wb").write(packed)
        f.write(f"{digest(packed)}  image/{n}\n")
    f.write("# NVRTC and ptxas 12.1.105\n")
