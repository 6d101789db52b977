"""Makes families/*: one small model of each architecture as transformers computes it.

    python make_families.py            # all
    python make_families.py NAME...    # some

A family's directory holds config.json, as the hub has it, and golden.json: what
tensors the checkpoint has, by name and shape, each with the centre and width of
its random numbers, which Go makes again from the seed (internal/golden/random.go,
the same as random() here); and for several sequences, at every position, the
log-probability of the next token, the argmax and its lead; and what generate, with
its cache, makes of one of them greedily. No weights are kept.

What is saved is what transformers itself reads back: the names and shapes are
those that save_pretrained writes.
"""

import base64
import json
import pathlib
import re
import sys
import tempfile

import numpy as np
import torch
import transformers
import transformers.models.gemma2.modeling_gemma2
import transformers.models.gpt_oss.modeling_gpt_oss
import transformers.models.llama.modeling_llama
from safetensors import safe_open
from safetensors.torch import save_file

from families import FAMILIES

HERE = pathlib.Path(__file__).parent / "families"
llama = transformers.models.llama.modeling_llama
EAGER = llama.eager_attention_forward
LENGTHS = [1, 2, 17, 70]
FORMAT = 1
GREEDY = 24
MASK = (1 << 64) - 1


def mix(z):
    """splitmix64's finaliser, on integers or arrays of uint64."""
    if isinstance(z, int):
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        return z ^ z >> 31
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return z ^ z >> np.uint64(31)


def random(seed, name, n, centre, width):
    """n float32 of a tensor: centre + width * (a sum of four uniforms, variance 1)."""
    h = 14695981039346656037
    for byte in name.encode():
        h = (h ^ byte) * 1099511628211 & MASK
    stream = mix(h ^ mix(seed + 0x9E3779B97F4A7C15 & MASK))
    with np.errstate(over="ignore"):
        z = mix(np.uint64(stream) + np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    total = sum(((z >> np.uint64(s)) & np.uint64(0xFFFF)).astype(np.int64) for s in (0, 16, 32, 48))
    unit = 0.5 / np.sqrt(4 * (65536.0 * 65536.0 - 1) / 12)
    return (centre + (2 * total - 4 * 0xFFFF).astype(np.float64) * unit * width).astype(np.float32)


def spread(name, shape, spec):
    """The centre and width of a tensor's numbers: so that scores and logits vary."""
    for pattern, centre, width in spec.get("spread", []):
        if re.search(pattern, name):
            return centre, width
    if name.endswith("bias"):
        return 0.0, 0.3
    if len(shape) == 1 or "norm" in name:
        return spec.get("norm_centre", 1.0), 0.2
    if re.search(r"embed|wte|wpe", name):
        return 0.0, spec.get("embed", 1.0)
    fan = shape[0] if spec.get("transposed") else shape[-1]
    gain = 1.6 if re.search(r"q_proj|k_proj|qkv|query|c_attn|Wqkv", name) else 1.3
    if re.search(r"lm_head|embed_out", name):
        gain = 2.0
    return 0.0, gain / float(fan) ** 0.5


def pack(values, dtype):
    return base64.b64encode(np.asarray(values).astype(dtype).tobytes()).decode()


def remedy(model, spec, seed):
    """Gives a llama what its file has for kinds that transformers' llama does not know: a learned
    logit of each head that joins the denominator (as gpt_oss computes it), a gate of the
    attention's output, or a soft cap of its scores (as gemma2 computes it). Returns the tensors."""
    made = []

    def tensor(name, shape, centre, width):
        made.append({"name": name, "shape": shape, "centre": centre, "width": width})
        return torch.from_numpy(random(seed, name, int(np.prod(shape)), centre, width)).reshape(shape)

    kind = spec.get("attention", "")
    llama.eager_attention_forward = EAGER
    if kind.endswith("sink"):
        for i, layer in enumerate(model.model.layers):
            layer.self_attn.sinks = tensor(f"model.layers.{i}.self_attn.sinks", [model.config.num_attention_heads], 0.5, 1.0)
        llama.eager_attention_forward = transformers.models.gpt_oss.modeling_gpt_oss.eager_attention_forward
    if kind.startswith("softcap-"):
        cap, capped = float(kind.removeprefix("softcap-")), transformers.models.gemma2.modeling_gemma2.eager_attention_forward
        llama.eager_attention_forward = lambda *a, **k: capped(*a, **{**k, "softcap": cap})
    if kind.startswith("gated"):
        for i, layer in enumerate(model.model.layers):
            attn = layer.self_attn
            hidden = model.config.hidden_size
            gate = tensor(f"model.layers.{i}.self_attn.g_proj.weight", [attn.o_proj.in_features, hidden], 0.0, 2 / hidden**0.5)

            def keep(module, args, kwargs):
                module.seen = kwargs["hidden_states"]

            attn.register_forward_pre_hook(keep, with_kwargs=True)
            attn.o_proj.register_forward_pre_hook(
                lambda _m, args, attn=attn, gate=gate: (args[0] * torch.sigmoid(attn.seen @ gate.T),))
    return made


def renamed(name, spec):
    """A tensor's name as other files have it, which from_pretrained reads as well."""
    for pattern, to in spec.get("rename", []):
        name, n = re.subn(pattern, to, name)
        if n:
            break
    return name


@torch.no_grad()
def make(name, spec):
    config = dict(spec["config"])
    made = transformers.AutoConfig.for_model(**config)
    torch.manual_seed(0)
    auto = transformers.AutoModelForImageTextToText if "vision_config" in config else transformers.AutoModelForCausalLM
    model = auto.from_config(made, attn_implementation="eager")
    seed = spec.get("seed", 1)
    out = HERE / name
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as tmp:
        model.save_pretrained(tmp)
        tensors, filled = [], {}
        with safe_open(f"{tmp}/model.safetensors", "pt") as f:
            shapes = {renamed(key, spec): list(f.get_slice(key).get_shape()) for key in f.keys()}
            for key, shape in sorted((shapes | spec.get("extra", {})).items()):
                centre, width = spread(key, shape, spec)
                n = int(np.prod(shape))
                filled[key] = torch.from_numpy(random(seed, key, n, centre, width)).reshape(shape)
                tensors.append({"name": key, "shape": shape, "centre": centre, "width": width})
        save_file(filled, f"{tmp}/model.safetensors", {"format": "pt"})
        pathlib.Path(f"{tmp}/config.json").write_text(json.dumps(config))
        model, info = auto.from_pretrained(
            tmp, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
        wrong = {k: v for k, v in info.items() if v}
        assert not wrong, wrong
    extras = remedy(model, spec, seed)
    model.eval()
    rng = np.random.default_rng(seed)
    vocab = model.config.get_text_config().vocab_size - ("vision_config" in config)  # the last stands for an image
    sequences, scores = [], []
    spreads = []
    for length in LENGTHS:
        ids = rng.integers(0, vocab, length + 1)
        x = torch.tensor(ids[None, :-1])
        logits = model(x, use_cache=False).logits[0].float()
        logp = torch.log_softmax(logits.double(), -1)
        top = logits.topk(2).values
        sequences.append({"ids": ids[:-1].tolist(), "targets": ids[1:].tolist()})
        scores.append({
            "logprob": pack(logp[torch.arange(length), torch.tensor(ids[1:])], "<f4"),
            "argmax": pack(logits.argmax(-1), "<i4"),
            "top": pack(top[:, 0], "<f4"), "gap": pack(top[:, 0] - top[:, 1], "<f4"),
            "lse": pack(torch.logsumexp(logits, -1), "<f4"),
        })
        spreads.append(logits.std(-1).mean().item())
    assert 0.5 < np.mean(spreads) < 30, spreads
    greedy = LENGTHS.index(17)
    model.generation_config.update(eos_token_id=None, pad_token_id=0)
    made = model.generate(torch.tensor([sequences[greedy]["ids"]]), max_new_tokens=GREEDY, do_sample=False, num_beams=1,
                          return_dict_in_generate=True, output_logits=True)
    top = torch.cat(made.logits).float().topk(2).values
    golden = {
        "greedy": {"sequence": greedy, "ids": pack(made.sequences[0, -GREEDY:], "<i4"), "gap": pack(top[:, 0] - top[:, 1], "<f4")},
        "format": FORMAT, "model": name, "seed": seed, "transformers": transformers.__version__,
        "tensors": sorted(tensors + extras, key=lambda t: t["name"]), "sequences": sequences,
        "runs": [{"attention": spec.get("attention", "softmax"), "source": "formula" if "attention" in spec else "transformers", "dtype": "float32", "sequences": scores}],
    }
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (out / "golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{name}: {len(tensors)} tensors, logits spread {np.mean(spreads):.2f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or FAMILIES:
        make(name, FAMILIES[name])
