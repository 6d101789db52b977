"""Steps of PyTorch's AdamW in float64, with clipping, for the trainer's optimiser.

Weights and gradients are drawn by a rule that the Go test follows too, and are
exact in float32. Writes adamw.json beside itself, and
adamw_options.json with other betas and epsilon. Run with the versions of
testdata/golden/requirements.txt.
"""

import json
import os

import torch

here = os.path.dirname(os.path.abspath(__file__))
COUNT, DECAYING = 12, 8  # parameters, and how many of them decay
RATES = [0.01, 0.02, 0.02, 0.015, 0.002]
DECAY, CLIP = 0.1, 1.0


def draws(seed):
    """Multiples of 1/4096 in [-0.5, 0.5)."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        yield (((state >> 40) & 0xFFF) - 2048) / 4096


def main():
    write("adamw.json", (0.9, 0.95), 1e-8)
    write("adamw_options.json", (0.8, 0.999), 1e-3)


def write(name, betas, eps):
    r = draws(3)
    p = torch.tensor([4 * next(r) for _ in range(COUNT)], dtype=torch.float64)
    a, b = p[:DECAYING].clone().requires_grad_(), p[DECAYING:].clone().requires_grad_()
    optimiser = torch.optim.AdamW([{"params": [a], "weight_decay": DECAY}, {"params": [b], "weight_decay": 0.0}], betas=betas, eps=eps)
    steps = []
    for i, rate in enumerate(RATES):
        # Gradients of falling size: the first are clipped, the last are not.
        g = torch.tensor([2.0 ** (1 - i) * next(r) for _ in range(COUNT)], dtype=torch.float64)
        a.grad, b.grad = g[:DECAYING].clone(), g[DECAYING:].clone()
        norm = torch.nn.utils.clip_grad_norm_([a, b], CLIP)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        steps.append({"norm": norm.item(), "weights": torch.cat([a, b]).tolist()})
    assert steps[0]["norm"] > CLIP > steps[-1]["norm"]
    with open(os.path.join(here, name), "w") as f:
        json.dump({"made_by": "lab/train/testdata/adamw_goldens.py", "torch": torch.__version__, "rates": RATES, "decay": DECAY, "clip": CLIP,
                   "decaying": DECAYING, "betas": betas, "eps": eps, "steps": steps}, f, indent=0)
        f.write("\n")


main()
