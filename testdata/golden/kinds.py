"""The attention kinds, written from their formulas, as a replacement for the
eager attention of transformers.

The formulas (x the scaled scores of one query over the keys it may see,
m = max x) are those of the design's table; here m starts at 0, which gives the
same weights and cannot overflow. Keys the query may not see are left out of
every sum. This file is the reference: it is slow and literal on purpose.
"""

import torch

KINDS = ["softmax", "softpick", "rectified", "masked-softmax", "softmax-plus-one"]
EPSILON = 1e-6


def weights(kind, x, allowed):
    """Weights of every key. x: scores [..., T, S]; allowed: bool, the same shape."""
    zero = torch.zeros((), dtype=x.dtype)
    m = torch.where(allowed, x, zero - torch.inf).amax(-1, keepdim=True).clamp(min=0)
    e = torch.where(allowed, torch.exp(x - m), zero)
    one = torch.exp(-m)  # what a score of 0 contributes
    if kind == "softmax":
        top = torch.where(allowed, x, zero - torch.inf).amax(-1, keepdim=True)
        e = torch.where(allowed, torch.exp(x - top), zero)
        return e / e.sum(-1, keepdim=True)
    if kind in ("softpick", "rectified"):
        d = torch.where(allowed, e - one, zero)
        r = d.clamp(min=0)
        total = (d.abs() if kind == "softpick" else r).sum(-1, keepdim=True)
        return r / (total + EPSILON)
    if kind == "masked-softmax":
        e = torch.where(x >= 0, e, zero)
        total = e.sum(-1, keepdim=True)
        return torch.where(total > 0, e / total, zero)
    if kind == "softmax-plus-one":
        return e / (one + e.sum(-1, keepdim=True))
    raise ValueError(kind)


class Attention:
    """Stands in for a modelling module's eager_attention_forward.

    scale: None, or one tensor [heads] for each layer, the learned s of the
    scaled forms: q is multiplied by s[head] * ln(position + 2).
    Keeps the weights of the last call of every layer in `seen`, and the smallest
    |score| met in `nearest`: a score that rounding could carry across zero.
    """

    def __init__(self, kind, scale=None):
        self.kind, self.scale = kind, scale
        self.seen, self.nearest = {}, float("inf")
        self.above, self.dark = 0, 0

    def __call__(self, module, query, key, value, attention_mask, scaling, dropout=0.0, **_):
        heads, length = query.shape[1], query.shape[2]
        groups = heads // key.shape[1]
        key = key.repeat_interleave(groups, dim=1)
        value = value.repeat_interleave(groups, dim=1)
        if self.scale is not None:
            position = torch.arange(length, dtype=query.dtype)
            s = self.scale[module.layer_idx].to(query.dtype)
            query = query * (s[:, None] * torch.log(position + 2))[None, :, :, None]
        x = query @ key.transpose(2, 3) * scaling
        allowed = (attention_mask == 0).expand_as(x)
        assert allowed.any(-1).all() and not allowed[0, 0].triu(1).any()
        w = weights(self.kind, x, allowed)
        self.seen[module.layer_idx] = w[0].detach()
        self.nearest = min(self.nearest, x[allowed].abs().min().item())
        self.above += (x[allowed] > 1).sum().item()
        self.dark += (torch.where(allowed, x, -1).amax(-1) < 0).sum().item()
        return (w @ value).transpose(1, 2).contiguous(), w
