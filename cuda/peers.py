#!/usr/bin/env python3
"""Times torch and the paper's Triton kernel on a GPU beside softbench's kernels.

    cuda/build-check -o cuda-check            # on any machine
    python3 peers.py ./cuda-check [FOLDER]    # on the GPU's, with torch

FOLDER holds flash_softpick_attn.py of the paper's repository
(github.com/zaydzuhri/softpick-attention), which needs einops; the package
flash-linear-attention, as of 0.6.0, has no softpick. Without it softpick is not
compared.

Runs cuda-check, which holds softbench's kernels against their specification and
times them, then takes the same operands and shapes to torch: its SDPA with the
flash backend, its matrix product (into bfloat16), and the paper's kernel. Results
at the smallest shapes must agree first. Prints medians and their ratios, peer /
softbench: above 1, softbench is faster.
Exit codes: 0, 1 where results disagree or cuda-check fails, 2 without a device."""
import json, os, re, statistics, subprocess, sys, tempfile

ROUNDS = 11
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


def agree(what, got, want, near):
    worst = (got.float() - want.float()).abs().max().item()
    if not worst <= near:
        sys.exit(f"peers.py: {what} differs by up to {worst:.2g}, allowed are {near:.2g}")


def median_ms(f):
    import torch
    times = []
    for i in range(ROUNDS + 2):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        f()
        end.record()
        end.synchronize()
        if i >= 2:
            times.append(begin.elapsed_time(end))
    return statistics.median(times)


def sdpa(q, k, v):
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
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
    softpick = paper_kernel(sys.argv[2]) if len(sys.argv) == 3 else None
    if not softpick:
        print("the paper's softpick kernel is skipped: no folder with flash_softpick_attn.py was given")
    with tempfile.TemporaryDirectory() as folder:
        code = subprocess.run([sys.argv[1], "-out", folder]).returncode
        if code:
            return code
        rows = json.load(open(os.path.join(folder, "timings.json")))

        def operand(row, i, dtype):
            name = f"{row['kernel']} {row['shape']} {i}".replace(" ", "_").replace(",", "")
            data = bytearray(open(os.path.join(folder, name), "rb").read())
            return torch.frombuffer(data, dtype=dtype).cuda()

        print(f"\ntorch {torch.__version__}, {torch.cuda.get_device_name()}\n{'':52} softbench ms    peer ms   ratio")
        for row in rows:
            if row["kernel"].endswith("by mma.sync"):
                continue  # not what a backend takes on this GPU
            name, numbers = row["kernel"] + ", " + row["shape"], [int(x) for x in re.findall(r"\d+", row["shape"])]
            if row["kernel"] == "gemm":
                m, n, k = numbers
                if m == 512:
                    a, w, c = (operand(row, i, t) for i, t in enumerate((torch.bfloat16, torch.bfloat16, torch.float32)))
                    agree(name, c.view(m, n), a.view(m, k).double() @ w.view(n, k).double().T, 1e-3)
                a, w = torch.randn(m, k, device="cuda").bfloat16(), torch.randn(n, k, device="cuda").bfloat16()
                peer, f = "torch.matmul", lambda: torch.matmul(a, w.T)
            else:
                size, n = numbers
                pick = row["kernel"].endswith("softpick")
                shape = (TOKENS // n, n, WIDTH // size, size)
                if n == 2048:
                    base = [operand(row, i, torch.bfloat16) for i in range(4)]
                q, k, v, out = (x.view(shape).transpose(1, 2) for x in base)  # the same numbers in longer sequences
                peer = "paper's Triton kernel" if pick else "torch SDPA, flash"
                f = (softpick and softpick(q, k, v)) if pick else (lambda: sdpa(q, k, v))
                if n == 2048:
                    want = reference(q[:1], k[:1], v[:1], pick)
                    agree(name, out[:1], want, 3e-2)
                    if f:
                        got = f()
                        got = got[0] if isinstance(got, tuple) else got
                        agree(peer, (got.transpose(1, 2) if pick else got)[:1], want, 3e-2)
            if f:
                ms = median_ms(f)
                print(f"{name:52} {row['ms']:12.3f} {ms:10.3f} {ms / row['ms']:7.2f}  {peer}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
