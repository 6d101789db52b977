#!/usr/bin/env python3
"""Softpick attention in Triton, forward, causal: a peer for cuda/peers.py, written from
the paper's formulas (arXiv 2504.20966, section 3 and its online form):

    w_j = relu(e^(s_j - m) - e^(-m)) / (sum_j |e^(s_j - m) - e^(-m)| + eps)

with m the largest score of the row, at least 0 here, where the sign of no difference
changes and nothing overflows. One pass over blocks of keys: numerator and denominator
are scaled by e^(m_old - m_new) as the maximum grows.

    TRITON_INTERPRET=1 python3 softpick_triton.py    holds it against the formula, without a GPU"""
import torch
import triton
import triton.language as tl

EPS = 1e-6


@triton.jit
def _forward(Q, K, V, O, n, scale, eps, SIZE: tl.constexpr, M: tl.constexpr, N: tl.constexpr):
    block, head = tl.program_id(0), tl.program_id(1).to(tl.int64)
    base = head * n * SIZE
    rows, d = block * M + tl.arange(0, M), tl.arange(0, SIZE)
    q = tl.load(Q + base + rows[:, None] * SIZE + d[None, :], mask=rows[:, None] < n, other=0.0)
    top = tl.zeros([M], tl.float32)
    total = tl.zeros([M], tl.float32)
    out = tl.zeros([M, SIZE], tl.float32)
    for start in range(0, tl.minimum((block + 1) * M, n), N):
        keys = start + tl.arange(0, N)
        k = tl.load(K + base + keys[None, :] * SIZE + d[:, None], mask=keys[None, :] < n, other=0.0)
        s = tl.dot(q, k) * scale
        seen = (keys[None, :] <= rows[:, None]) & (keys[None, :] < n)
        s = tl.where(seen, s, float("-inf"))
        larger = tl.maximum(top, tl.max(s, 1))
        shrink = tl.exp(top - larger)
        x = tl.where(seen, tl.exp(s - larger[:, None]) - tl.exp(-larger)[:, None], 0.0)
        total = total * shrink + tl.sum(tl.abs(x), 1)
        v = tl.load(V + base + keys[:, None] * SIZE + d[None, :], mask=keys[:, None] < n, other=0.0)
        out = out * shrink[:, None] + tl.dot(tl.maximum(x, 0.0).to(v.dtype), v)
        top = larger
    out = out / (total + eps)[:, None]
    tl.store(O + base + rows[:, None] * SIZE + d[None, :], out.to(O.dtype.element_ty), mask=rows[:, None] < n)


def ready(q, k, v, scale=1.0):
    """A call over [batch, heads, n, size], contiguous or not, as a function; it returns the same shape."""
    q, k, v = (x.contiguous() for x in (q, k, v))
    b, h, n, size = q.shape
    out = torch.empty_like(q)
    m, keys, warps = (128, 64, 4) if size <= 64 else (128, 64, 8)

    def call():
        _forward[(triton.cdiv(n, m), b * h)](q, k, v, out, n, scale, EPS, SIZE=size, M=m, N=keys, num_warps=warps)
        return out
    return call


if __name__ == "__main__":
    torch.manual_seed(1)
    where = "cuda" if torch.cuda.is_available() else "cpu"
    for n, size in ((1, 64), (64, 64), (200, 64), (130, 128)):
        q, k, v = (torch.randn(1, 2, n, size, device=where) for _ in range(3))
        s = (q.double() @ k.double().transpose(-1, -2)) / 4
        s = s.masked_fill(torch.ones(n, n, dtype=torch.bool, device=where).triu(1), -torch.inf)
        m = s.amax(-1, keepdim=True).clamp(min=0)
        x = (torch.exp(s - m) - torch.exp(-m)).masked_fill(s == -torch.inf, 0)
        want = (x.clamp(min=0) / (x.abs().sum(-1, keepdim=True) + EPS)) @ v.double()
        worst = (ready(q, k, v, 0.25)().double() - want).abs().max().item()
        print(f"{n} positions, heads of {size}: at most {worst:.1e} from float64")
        assert worst < (1e-5 if where == "cpu" else 5e-3), "it is not softpick"
