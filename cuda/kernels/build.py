#!/usr/bin/env python3
"""Compiles kernels.cu with NVRTC and ptxas 12.1, from the PyPI wheels
nvidia-cuda-nvrtc-cu12==12.1.105 and nvidia-cuda-nvcc-cu12==12.1.105 unpacked in
the folder given, into image/: PTX 7.0 for sm_80, the cubin of it, and a cubin for sm_90a, packed by
gzip, and the hashes of the sources and of these. Prints each kernel's registers,
static shared memory and spilled bytes on sm_90a.

    pip install --no-deps --target DIR nvidia-cuda-nvrtc-cu12==12.1.105 nvidia-cuda-nvcc-cu12==12.1.105
    cuda/kernels/build.py DIR
"""
import ctypes, glob, gzip, hashlib, os, re, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
wheels = sys.argv[1]
rtc = ctypes.CDLL(glob.glob(wheels + "/**/libnvrtc.so.12", recursive=True)[0])
ptxas = glob.glob(wheels + "/**/ptxas", recursive=True)[0]
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


image = os.path.join(here, "image")
os.makedirs(image, exist_ok=True)
with tempfile.TemporaryDirectory() as folder:
    text = ptx(b"compute_80")
    machine, older = assemble("sm_80", text, folder)
    # NVRTC writes its own version, which older drivers refuse; the text needs 7.0.
    text = text.replace(b".version 8.1\n", b".version 7.0\n")
    assert assemble("sm_80", text, folder)[0] == machine
    cubin, uses = assemble("sm_90a", ptx(b"compute_90a", b"-DSB_HOPPER"), folder)
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
