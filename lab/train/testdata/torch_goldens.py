"""Loss and gradients of a small LLaMA-style model, by PyTorch's autograd in float64.

For every attention kind, also scaled, and three regimes: "mixed" (scores of both signs; some
rows have no score above zero), "dead-head" (one head of the first layer sees only
scores below zero) and "negative" (every score of every head is below zero). The
weights are drawn by a rule that the Go test follows too, and are exact in
float32. Writes torch.json beside itself, and torch_head_dim.json: heads of another
size than the width divided by their number, in the regime "mixed"; and torch_remedies.json: learned sinks,
gates and soft caps. Run with the versions of
testdata/golden/requirements.txt.
"""

import base64
import json
import os
import sys

import numpy as np
import torch

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "..", "..", "testdata", "golden"))
from kinds import KINDS, weights  # noqa: E402  the formulas, as the engine's goldens have them

HIDDEN, INTER, LAYERS, HEADS, VOCAB, CONTEXT, BATCH = 8, 12, 2, 2, 13, 20, 2
SIZE = HIDDEN // HEADS
OTHER_SIZE = 6
THETA, EPS = 1e6, 1e-5
REGIMES = ["mixed", "dead-head", "negative"]
REMEDIES = ["sink", "scaled-sink", "gated", "gated-softpick", "gated-sink", "softcap-2", "softcap-1.5-softpick", "softcap-3-masked-softmax",
            "softcap-2-scaled-rectified", "gated-softcap-2-sink"]


def draws(seed):
    """Multiples of 1/4096 in [-0.5, 0.5)."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        yield (((state >> 40) & 0xFFF) - 2048) / 4096


def names(tied, scaled, size=SIZE, kind=""):
    all_heads = HEADS * size
    out = [("model.embed_tokens.weight", (VOCAB, HIDDEN))]
    for i in range(LAYERS):
        for n, shape in [
            ("input_layernorm", (HIDDEN,)), ("self_attn.q_proj", (all_heads, HIDDEN)), ("self_attn.k_proj", (all_heads, HIDDEN)),
            ("self_attn.v_proj", (all_heads, HIDDEN)), ("self_attn.o_proj", (HIDDEN, all_heads)), ("post_attention_layernorm", (HIDDEN,)),
            ("mlp.gate_proj", (INTER, HIDDEN)), ("mlp.up_proj", (INTER, HIDDEN)), ("mlp.down_proj", (HIDDEN, INTER)),
        ]:
            out.append((f"model.layers.{i}.{n}.weight", shape))
    out.append(("model.norm.weight", (HIDDEN,)))
    if not tied:
        out.append(("lm_head.weight", (VOCAB, HIDDEN)))
    if scaled:
        out += [(f"model.layers.{i}.self_attn.s", (HEADS, 1)) for i in range(LAYERS)]
    if kind.endswith("sink"):
        out += [(f"model.layers.{i}.self_attn.sinks", (HEADS,)) for i in range(LAYERS)]
    if kind.startswith("gated"):
        out += [(f"model.layers.{i}.self_attn.g_proj.weight", (all_heads, HIDDEN)) for i in range(LAYERS)]
    return out


def make(regime, tied, scaled, size=SIZE, kind=""):
    """Parameters, by name. The Go test has the same rule."""
    r = draws(7 + REGIMES.index(regime))
    p = {}
    for name, shape in names(tied, scaled, size, kind):
        v = np.array([next(r) for _ in range(int(np.prod(shape)))]).reshape(shape)
        if name.endswith(".s"):
            v = 0.5 + v / 2  # above zero: the scores keep their signs
        else:
            v = 1 + v / 4 if len(shape) == 1 else 2 * v
        p[name] = v
    if regime != "mixed":
        # Every token's first component is the same and large; q and k read it with
        # opposite signs, in the pair of dimensions that hardly rotates.
        p["model.embed_tokens.weight"][:, 0] = 8
        for i in range(LAYERS if regime == "negative" else 1):
            q, k = p[f"model.layers.{i}.self_attn.q_proj.weight"], p[f"model.layers.{i}.self_attn.k_proj.weight"]
            for h in range(HEADS if regime == "negative" else 1):
                rows = slice(h * SIZE, (h + 1) * SIZE)
                q[rows] /= 8
                k[rows] /= 8
                q[h * SIZE + 1, 0], k[h * SIZE + 1, 0] = 1, -1
    return {n: torch.tensor(v, dtype=torch.float64, requires_grad=True) for n, v in p.items()}


def norm(x, w):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPS) * w


def rotate(x):
    """RoPE on halves; x: [batch, heads, length, size]."""
    size = x.shape[-1]
    half = size // 2
    angle = torch.arange(CONTEXT, dtype=torch.float64)[:, None] * THETA ** (-2 * torch.arange(half, dtype=torch.float64) / size)
    a, b = x[..., :half], x[..., half:]
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def scale(q, s):
    """Scaled queries; q: [batch, heads, length, size], s: [heads, 1]."""
    return q * s[:, :, None] * torch.arange(2, CONTEXT + 2).to(q.dtype).log()[:, None]


def scale_terms(queries):
    """For each layer's s: the sum of the absolute values of what its gradient is a
    sum of. That sum cancels, and float32 cannot know it better than its terms."""
    out = []
    for q, scaled in queries:
        terms = (scale(q, torch.ones(HEADS, 1)) * scaled.grad).sum(-1)
        out += terms.abs().sum((0, 2)).tolist()
    return out


def loss_of(p, kind, ids, targets, seen, queries):
    causal = torch.ones(CONTEXT, CONTEXT, dtype=torch.bool).tril()
    x = p["model.embed_tokens.weight"][ids]
    for i in range(LAYERS):
        w = lambda n: p[f"model.layers.{i}.{n}.weight"]  # noqa: E731
        h = norm(x, w("input_layernorm"))
        q, k, v = ((h @ w(f"self_attn.{n}_proj").T).view(BATCH, CONTEXT, HEADS, -1).transpose(1, 2) for n in "qkv")
        q = rotate(q)
        if f"model.layers.{i}.self_attn.s" in p:
            queries.append((q, scale(q, p[f"model.layers.{i}.self_attn.s"])))
            q = queries[-1][1]
            q.retain_grad()
        scores = q @ rotate(k).transpose(2, 3) / q.shape[-1] ** 0.5
        base = kind.removeprefix("gated-").replace("gated", "softmax")
        if base.startswith("softcap-"):
            cap, _, base = base.removeprefix("softcap-").partition("-")
            base = base.removeprefix("scaled-") or "softmax"
            scores = float(cap) * torch.tanh(scores / float(cap))
        if base == "sink":
            sink = p[f"model.layers.{i}.self_attn.sinks"].view(1, HEADS, 1, 1).expand(BATCH, HEADS, CONTEXT, 1)
            a = torch.softmax(torch.cat([scores.masked_fill(~causal, -torch.inf), sink], -1), -1)[..., :-1]
        else:
            a = weights(base, scores, causal.expand_as(scores))
        seen.append((scores.detach(), a.detach()))
        mixed = (a @ v).transpose(1, 2).reshape(BATCH, CONTEXT, -1)
        if kind.startswith("gated"):
            mixed = mixed * torch.sigmoid(h @ w("self_attn.g_proj").T)
        x = x + mixed @ w("self_attn.o_proj").T
        h = norm(x, w("post_attention_layernorm"))
        x = x + (torch.nn.functional.silu(h @ w("mlp.gate_proj").T) * (h @ w("mlp.up_proj").T)) @ w("mlp.down_proj").T
    logits = norm(x, p["model.norm.weight"]) @ p.get("lm_head.weight", p["model.embed_tokens.weight"]).T
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def single(regime, kind, tied, scaled, ids, targets, exact, size=SIZE):
    """How far the gradient is off, by the norm of a parameter's, where PyTorch itself
    computes in float32: what rounding alone does to this model. Scales are left
    out (scale_terms)."""
    p = {n: v.detach().float().requires_grad_() for n, v in make(regime, tied, scaled, size, kind).items()}
    loss_of(p, kind, ids, targets, [], []).backward()
    off = 0.0
    for n, v in p.items():
        want = exact[n].grad
        if want.norm() > 0 and not n.endswith(".s"):
            off = max(off, ((v.grad.double() - want).norm() / want.norm()).item())
    return off


def main():
    torch.set_num_threads(1)
    r = draws(1)
    ids = torch.tensor([[int((next(r) + 0.5) * VOCAB) for _ in range(CONTEXT)] for _ in range(BATCH)])
    targets = torch.tensor([[int((next(r) + 0.5) * VOCAB) for _ in range(CONTEXT)] for _ in range(BATCH)])
    targets[0, 5] = targets[1, 17] = -100
    cases = [case(regime, name, SIZE, ids, targets) for regime in REGIMES for name in KINDS + ["scaled-" + k for k in KINDS]]
    write("torch.json", ids, targets, cases)
    write("torch_head_dim.json", ids, targets, [case("mixed", name, OTHER_SIZE, ids, targets) for name in KINDS])
    write("torch_remedies.json", ids, targets, [case("mixed", name, SIZE, ids, targets) for name in REMEDIES])


def case(regime, name, size, ids, targets):
    causal = torch.ones(CONTEXT, CONTEXT, dtype=torch.bool).tril()
    kind, scaled = name.removeprefix("scaled-"), "scaled-" in name
    tied = kind in ("softpick", "softmax")
    p, seen, queries = make(regime, tied, scaled, size, kind), [], []
    loss = loss_of(p, kind, ids, targets, seen, queries)
    loss.backward()
    scores = torch.cat([s for s, _ in seen], 1)
    allowed = causal.expand_as(scores)
    top = torch.where(allowed, scores, -torch.inf).amax(-1)
    dead_rows, dead_heads = int((top < 0).sum()), int((top < 0).all(-1).all(0).sum())
    nearest = scores[allowed].abs().min().item()
    assert nearest > 1e-5, f"{regime} {name}: a score {nearest} from zero: rounding decides the gradient"
    if regime == "mixed":
        assert 0 < dead_rows < top.numel() and dead_heads == 0
    elif regime == "dead-head":
        assert dead_heads >= 1 and dead_rows < top.numel()
    else:
        assert dead_rows == top.numel()
    flat = np.concatenate([p[n].grad.numpy().ravel() for n, _ in names(tied, scaled, size, kind)])
    assert np.isfinite(flat).all()
    error = single(regime, kind, tied, scaled, ids, targets, p, size)
    print(f"{regime:10} {name:24} size {size} loss {loss.item():.6f} dead rows {dead_rows}/{top.numel()} nearest score {nearest:.1e}, "
          f"in float32 off by {error:.1e}")
    return {
        "kind": name, "regime": regime, "tied": tied, "loss": loss.item(), "dead_rows": dead_rows, "rows": top.numel(),
        "float32_error": error,
        **({"head_dim": size} if size != SIZE else {}),
        **({"scale_terms": scale_terms(queries)} if scaled else {}),
        "gradient": base64.b64encode(flat.astype("<f4").tobytes()).decode(),
    }


def write(name, ids, targets, cases):
    with open(os.path.join(here, name), "w") as f:
        json.dump({
            "made_by": "lab/train/testdata/torch_goldens.py", "torch": torch.__version__, "numpy": np.__version__,
            "ids": ids.flatten().tolist(), "targets": targets.clamp(min=-1).flatten().tolist(), "cases": cases,
        }, f, indent=0)
        f.write("\n")


main()
