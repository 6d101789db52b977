#!/usr/bin/env python3
"""Times torch and the paper's Triton kernel on a GPU beside softbench's kernels.

    cuda/build-check -o cuda-check            # on any machine
    python3 peers.py ./cuda-check [FOLDER]    # on the GPU's, with torch

FOLDER holds flash_softpick_attn.py of the paper's repository
(github.com/zaydzuhri/softpick-attention), which needs einops; the package
flash-linear-attention, as of 0.6.0, has no softpick. Without it softpick is compared
with softpick_triton.py alone, which is ours, after the paper's formulas.

Runs cuda-check, which holds softbench's kernels against their specification and
times them, then takes the same operands and shapes to torch: its SDPA with the
flash backend, its matrix product (into bfloat16), and the paper's kernel. Results
at the smallest shapes must agree first. Prints medians and their ratios, peer /
softbench: above 1, softbench is faster. Both sides are timed alike: after 50 ms of
launches, the median of 11 rounds of 20 launches between two events, over operands
that take turns where the L2 would hold them.
Exit codes: 0, 1 where results disagree or cuda-check fails, 2 without a device, 3
where a kernel hung."""
import json, os, re, statistics, subprocess, sys, tempfile

WARM, ROUNDS, LAUNCHES, BEYOND = 50, 11, 20, 192 << 20  # cuda/conform/timing.go
TOKENS, WIDTH = 16384, 2048


def reference(q, k, v, softpick):
    """Causal attention in float32 of [batch, heads, n, size], q already scaled."""
    import torch
    out = torch.empty_like(q, dtype=torch.float32)
    n = q.shape[2]
    hidden = torch.ones(n, n, dtype=torch.bool, device=q.device).triu(1)
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            s = (q[b, h].double() @ k[b, h].double().T).masked_fill(hidden, -torch.inf)
            if not softpick:
                w = s.softmax(-1)
            else:
                m = s.amax(-1, keepdim=True).clamp(min=0)
                e = torch.exp(s - m) - torch.exp(-m)
                e = e.masked_fill(hidden, 0)
                w = e.clamp(min=0) / (e.abs().sum(-1, keepdim=True) + 1e-6)
            out[b, h] = (w @ v[b, h].double()).float()
    return out


disagree = []


def agree(what, got, want, near):
    """Says whether results agree; what does not is not timed, and ends in exit code 1."""
    worst = (got.float() - want.float()).abs().max().item()
    if not worst <= near:
        print(f"peers.py: {what} differs by up to {worst:.2g}, allowed are {near:.2g}")
        disagree.append(what)
    return worst <= near


def median_ms(ready, bytes_read):
    """ready() makes operands of so many bytes, and a call over them."""
    import torch
    calls = [ready() for _ in range(max(1, -(-BEYOND // bytes_read)))]
    turn = 0

    def round(launches):
        nonlocal turn
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(launches):
            calls[turn % len(calls)]()
            turn += 1
        end.record()
        end.synchronize()
        return begin.elapsed_time(end)
    warm = 0
    while warm < WARM:
        warm += max(round(1), 1e-3)
    return statistics.median(round(LAUNCHES) / LAUNCHES for _ in range(ROUNDS))


def sdpa(q, k, v, backend):
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    with sdpa_kernel(getattr(SDPBackend, backend)):
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1.0)


def paper_kernel(folder):
    """The paper's kernel over [batch, heads, n, size], as a function that readies a call."""
    sys.path.insert(0, folder)
    from flash_softpick_attn import parallel_softpick_attn

    def ready(q, k, v):
        q, k, v = (x.transpose(1, 2).contiguous() for x in (q, k, v))
        return lambda: parallel_softpick_attn(q, k, v, scale=1.0)
    return ready


def main():
    if len(sys.argv) not in (2, 3):
        print("usage: peers.py CUDA-CHECK [FOLDER]", file=sys.stderr)
        return 2
    import torch
    if not torch.cuda.is_available():
        print("peers.py: no CUDA device", file=sys.stderr)
        return 2
    from softpick_triton import ready as plain
    softpick = paper_kernel(sys.argv[2]) if len(sys.argv) == 3 else None
    if not softpick:
        print("the authors' softpick kernel is skipped: no folder with flash_softpick_attn.py was given")
    with tempfile.TemporaryDirectory() as folder:
        code = subprocess.run([sys.argv[1], "-only", "^(time of|gemm bfloat16|attention bfloat16)", "-out", folder, "-operands", folder]).returncode
        if code:
            return code
        rows = json.load(open(os.path.join(folder, "timings.json")))

        def operand(row, i, dtype):
            name = f"{row['kernel']} {row['shape']} {i}".replace(" ", "_").replace(",", "")
            data = bytearray(open(os.path.join(folder, name), "rb").read())
            return torch.frombuffer(data, dtype=dtype).cuda()

        bases = {}  # operands and result of 2048 tokens, by kernel and head size
        print(f"\ntorch {torch.__version__}, {torch.cuda.get_device_name()}\n{'':52} softbench ms    peer ms   ratio")
        for row in rows:
            if row["kernel"].endswith("by mma.sync") or row["kernel"] == "qkv":
                continue  # not what a backend takes on this GPU; torch has no such product
            name, numbers = row["kernel"] + ", " + row["shape"], [int(x) for x in re.findall(r"\d+", row["shape"])]
            peers = []  # (name, what makes a call, bytes it reads and writes)
            if row["kernel"] == "gemm":
                m, n, k = numbers
                if m == 512:
                    a, w, c = (operand(row, i, t) for i, t in enumerate((torch.bfloat16, torch.bfloat16, torch.float32)))
                    if not agree(name, c.view(m, n), a.view(m, k).double() @ w.view(n, k).double().T, 1e-3):
                        continue

                def product():
                    a, w = torch.randn(m, k, device="cuda").bfloat16(), torch.randn(n, k, device="cuda").bfloat16()
                    return lambda: torch.matmul(a, w.T)
                peers.append(("torch.matmul (cuBLAS)", product, 2 * (m * k + n * k + m * n)))
            else:
                size, n = numbers
                pick = row["kernel"].endswith("softpick")
                shape = (TOKENS // n, n, WIDTH // size, size)
                if n == 2048:
                    bases[row["kernel"], size] = [operand(row, i, torch.bfloat16) for i in range(4)]
                if (row["kernel"], size) not in bases:
                    print(f"{name}: skipped: its operands, those of 2048 tokens, were not timed before it or are wrong")
                    continue
                q, k, v, out = (x.view(shape).transpose(1, 2) for x in bases[row["kernel"], size])  # the same numbers in longer sequences
                kernels = {}
                if pick:
                    kernels["softpick in Triton"] = plain(q, k, v)
                    if softpick:
                        kernels["paper's Triton kernel"] = softpick(q, k, v)
                else:
                    for backend in ("FLASH_ATTENTION", "CUDNN_ATTENTION"):
                        kernels["torch SDPA, " + backend] = lambda backend=backend: sdpa(q, k, v, backend)
                want = reference(q[:1], k[:1], v[:1], pick) if n == 2048 else None
                if n == 2048 and not agree(name, out[:1], want, 3e-2):
                    del bases[row["kernel"], size]
                    continue
                for peer, f in kernels.items():
                    try:
                        got = f()
                    except Exception as e:  # a compiler's errors are of no common kind
                        print(f"{name}: {peer} is skipped: {(str(e).splitlines() or [repr(e)])[0]}")
                        continue
                    if n == 2048:
                        got = got[0] if isinstance(got, tuple) else got
                        if not agree(peer, (got.transpose(1, 2) if peer.startswith("paper") else got)[:1], want, 3e-2):
                            continue
                    peers.append((peer, lambda f=f: f, BEYOND))
            for peer, ready, size_read in peers:
                ms = median_ms(ready, size_read)
                print(f"{name:52} {row['ms']:12.3f} {ms:10.3f} {ms / row['ms']:7.2f}  {peer}")
    return 1 if disagree else 0


if __name__ == "__main__":
    sys.exit(main())
