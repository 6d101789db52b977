"""Makes divergence.json: how far a model with cut weights is from the model itself, in float64.

    python make_divergence.py

Of each model a second one is made in memory: its float32 weights ANDed with a mask. For
token sequences, at every position: the Kullback-Leibler divergence of the model's
distribution of the next token from the second one's, Σ p·(ln p - ln q); both models'
log-probabilities of the token that follows; and whether both have the same argmax.
float32_error is how far the same divergences are whose logits torch computes in float32.
"""

import base64
import json
import pathlib

import numpy as np
import torch
import transformers

HERE = pathlib.Path(__file__).parent
CASES = [("models/llama-mha", 0xFFFF0000), ("models/qwen3", 0xFFF00000), ("tiny", 0xFFFF0000), ("tiny", 0xFFE00000)]
LENGTHS = [1, 2, 17, 70, 150]


def pack(array, dtype):
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode()


def load(path, mask, dtype):
    model = transformers.AutoModelForCausalLM.from_pretrained(HERE / path, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        for tensor in {p.data_ptr(): p for p in model.parameters()}.values():
            tensor.copy_(torch.from_numpy((tensor.numpy().view(np.uint32) & np.uint32(mask)).view(np.float32)))
    return model.to(dtype)


def main():
    torch.use_deterministic_algorithms(True)
    cases = []
    for path, mask in CASES:
        models = {dtype: (load(path, 0xFFFFFFFF, dtype), load(path, mask, dtype)) for dtype in (torch.float64, torch.float32)}
        vocabulary, error = models[torch.float64][0].config.vocab_size, 0.0
        generator = np.random.default_rng(7)
        sequences = []
        for length in LENGTHS:
            ids = generator.integers(3, vocabulary, length + 1)
            with torch.no_grad():
                p, q, p32, q32 = (m(torch.tensor([ids[:-1]])).logits[0].double().log_softmax(-1) for pair in models.values() for m in pair)
            kl = (p.exp() * (p - q)).sum(-1)
            error = max(error, float((kl - (p32.exp() * (p32 - q32)).sum(-1)).abs().max()))
            follows = torch.tensor(ids[1:])[:, None]
            sequences.append({
                "ids": pack(ids, "<i4"),
                "kl": pack(kl, "<f8"),
                "first": pack(p.gather(1, follows)[:, 0], "<f8"),
                "other": pack(q.gather(1, follows)[:, 0], "<f8"),
                "same": "".join("01"[int(x)] for x in p.argmax(-1) == q.argmax(-1)),
            })
        cases.append({"model": path, "mask": mask, "float32_error": error, "sequences": sequences})
        print(path, hex(mask), error, "mean", float(np.mean([np.frombuffer(base64.b64decode(s["kl"])).mean() for s in sequences])))
    (HERE / "divergence.json").write_text(json.dumps(cases, indent=1) + "\n")


main()
