"""Worker: torch's linear layer at the shapes of a 340M model, in GFLOP/s.

Elements of each product are compared with float64 sums before it is timed.
"""

import time

import common

a = common.arguments()
torch = common.torch_with(a["threads"])


def check(x, w, y, dtype):
    picks = torch.randint(0, 10**9, (64, 2), generator=torch.Generator().manual_seed(3))
    for i, j in ((i % y.shape[0], j % y.shape[1]) for i, j in picks.tolist()):
        a, b = x[i].double(), w[j].double()
        # A bfloat16 result is itself rounded to 8 bits.
        allowed = 2e-7 * x.shape[1] * (a * b).abs().sum() + (abs((a * b).sum()) / 128 if dtype == torch.bfloat16 else 0)
        assert abs(y[i, j].double() - (a * b).sum()) <= allowed, (i, j)


def main():
    dtype, rates = getattr(torch, a["dtype"]), {}
    torch.manual_seed(1)
    for n, k in common.SHAPES:
        x, w = torch.randn(common.ROWS, k).to(dtype), torch.randn(n, k).to(dtype)
        check(x, w, torch.nn.functional.linear(x, w), dtype)
        times, end = [], time.perf_counter() + a["seconds"]
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            torch.nn.functional.linear(x, w)
            times.append(time.perf_counter() - start)
        flops = 2e-9 * common.ROWS * n * k
        rates[f"{k}x{n}"] = dict(median=flops / common.median(times), best=flops / min(times))
    common.answer(a["out"], rates)


main()
