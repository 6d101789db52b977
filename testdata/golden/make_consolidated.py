"""Makes formats/consolidated: small random models in Mistral's own layout.

    python make_consolidated.py [NAME...]

NAME/ has params.json and consolidated.safetensors (or two shards and their index), as
mistral-inference writes them; NAME.json what transformers computes in float32 with the
weights that its converters (convert_mistral_weights_to_hf.py, convert_ministral3_weights_to_hf.py,
convert_mixtral_weights_to_hf.py of its repository) would make of it: config and state dict
are converted here by their rules.
"""

import json
import pathlib
import shutil
import sys
import tempfile

import numpy as np
import torch
import transformers
from safetensors.torch import save_file

from make_families import pack, random, spread

HERE = pathlib.Path(__file__).parent / "formats" / "consolidated"
LENGTHS = [1, 2, 17, 40]
DIM = dict(dim=32, n_layers=2, head_dim=12, hidden_dim=48, n_heads=4, n_kv_heads=2, norm_eps=1e-5, vocab_size=101)
# name: params.json, and transformers' config of it beside the sizes.
CASES = {
    "dense": (dict(DIM, rope_theta=5000.0), dict(model_type="mistral", rope_theta=5000.0, sliding_window=None, max_position_embeddings=32768)),
    "window": (dict(DIM, n_layers=4, sliding_window=[None, 7], max_seq_len=64, tied_embeddings=True),
               dict(model_type="ministral", layer_types=["full_attention", "sliding_attention"] * 2, sliding_window=7, max_position_embeddings=64, tie_word_embeddings=True)),
    "yarn": (dict(DIM, rope_theta=1e4, max_position_embeddings=64, yarn=dict(original_max_position_embeddings=16, factor=4, apply_scale=False, beta=32, alpha=1),
                  llama_4_scaling=dict(original_max_position_embeddings=16, beta=0.1), vision_encoder=dict(hidden_size=8),
                  quantization=dict(qformat_weight="fp8_e4m3", qscheme_act="TENSOR")),
             dict(model_type="ministral3", sliding_window=None, max_position_embeddings=64, rope_parameters=dict(
                 rope_type="yarn", rope_theta=1e4, factor=4.0, original_max_position_embeddings=16, beta_fast=32.0, beta_slow=1.0, mscale=1.0, mscale_all_dim=1.0,
                 llama_4_scaling_beta=0.1))),
    "experts": (dict(DIM, moe=dict(num_experts=3, num_experts_per_tok=2), max_seq_len=64),
                dict(model_type="mixtral", num_local_experts=3, num_experts_per_tok=2, sliding_window=None, max_position_embeddings=64, rope_theta=10000.0)),
}
SIZES = dict(dim="hidden_size", n_layers="num_hidden_layers", head_dim="head_dim", hidden_dim="intermediate_size", n_heads="num_attention_heads",
             n_kv_heads="num_key_value_heads", norm_eps="rms_norm_eps", vocab_size="vocab_size")


def tensors(p):
    """Mistral's names, transformers' names and shapes."""
    q, kv, d, f = p["n_heads"] * p["head_dim"], p["n_kv_heads"] * p["head_dim"], p["dim"], p["hidden_dim"]
    yield "tok_embeddings.weight", "model.embed_tokens.weight", (p["vocab_size"], d)
    yield "norm.weight", "model.norm.weight", (d,)
    if not p.get("tied_embeddings"):
        yield "output.weight", "lm_head.weight", (p["vocab_size"], d)
    for i in range(p["n_layers"]):
        a, b = f"layers.{i}.", f"model.layers.{i}."
        for part, rows, cols in (("q", q, d), ("k", kv, d), ("v", kv, d), ("o", d, q)):
            yield f"{a}attention.w{part}.weight", f"{b}self_attn.{part}_proj.weight", (rows, cols)
        yield a + "attention_norm.weight", b + "input_layernorm.weight", (d,)
        yield a + "ffn_norm.weight", b + "post_attention_layernorm.weight", (d,)
        if "moe" not in p:
            for part, name in (("w1", "gate_proj"), ("w2", "down_proj"), ("w3", "up_proj")):
                yield f"{a}feed_forward.{part}.weight", f"{b}mlp.{name}.weight", (d, f) if part == "w2" else (f, d)
            continue
        yield a + "feed_forward.gate.weight", b + "block_sparse_moe.gate.weight", (p["moe"]["num_experts"], d)
        for e in range(p["moe"]["num_experts"]):
            for part in ("w1", "w2", "w3"):
                yield f"{a}feed_forward.experts.{e}.{part}.weight", f"{b}block_sparse_moe.experts.{e}.{part}.weight", (d, f) if part == "w2" else (f, d)


def permute(w, heads):
    return w.view(heads, w.shape[0] // heads // 2, 2, w.shape[1]).transpose(1, 2).reshape(w.shape)


@torch.no_grad()
def make(name):
    params, own = CASES[name]
    config = dict(own, **{new: params[old] for old, new in SIZES.items()}, bos_token_id=1, eos_token_id=2)
    out = HERE / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    stored, state = {}, {}
    for old, new, shape in tensors(params):
        w = torch.from_numpy(random(1, old, int(np.prod(shape)), *spread(new, list(shape), {"spread": [(r"gate\.weight$", 0, 0.6)]}))).reshape(shape).bfloat16()
        if params.get("quantization") and len(shape) == 2 and old.startswith("layers."):
            scale = (w.float().abs().max() / 448).reshape(())
            stored[old] = (w.float() / scale).clamp(-448, 448).to(torch.float8_e4m3fn)
            stem = old.removesuffix("weight")
            stored[stem + "qscale_weight"], stored[stem + "qscale_act"] = scale, torch.ones(())
            w = stored[old].float() * scale
        else:
            stored[old] = w
        w = w.float()
        if "attention.wq" in old or "attention.wk" in old:
            w = permute(w, params["n_heads" if "wq" in old else "n_kv_heads"])
        state[new] = w.contiguous()
    if params.get("vision_encoder"):
        stored["vision_encoder.patch_conv.weight"], stored["patch_merger.merging_layer.weight"] = torch.ones(8, 3, 2, 2).bfloat16(), torch.ones(8, 32).bfloat16()
    (out / "params.json").write_text(json.dumps(params, indent=1) + "\n")
    if name == "window":  # the split form
        names = sorted(stored)
        shards = {f"consolidated-0000{i + 1}-of-00002.safetensors": names[i::2] for i in range(2)}
        for file, part in shards.items():
            save_file({k: stored[k] for k in part}, out / file)
        index = dict(metadata=dict(total_size=0), weight_map={k: file for file, part in shards.items() for k in part})
        (out / "consolidated.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")
    else:
        save_file(stored, out / "consolidated.safetensors")
    with tempfile.TemporaryDirectory() as tmp:
        (pathlib.Path(tmp) / "config.json").write_text(json.dumps(config))
        save_file(state, f"{tmp}/model.safetensors", {"format": "pt"})
        model, info = transformers.AutoModelForCausalLM.from_pretrained(tmp, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
        assert not any(info.values()), info
    model.eval()
    rng = np.random.default_rng(5)
    sequences, scores = [], []
    for length in LENGTHS:
        ids = rng.integers(0, 101, length + 1)
        logits = model(torch.tensor(ids[None, :-1]), use_cache=False).logits[0].float()
        logp = torch.log_softmax(logits.double(), -1)
        top = logits.topk(2).values
        sequences.append({"ids": ids[:-1].tolist(), "targets": ids[1:].tolist()})
        scores.append({"logprob": pack(logp[torch.arange(length), torch.tensor(ids[1:])], "<f4"), "argmax": pack(logits.argmax(-1), "<i4"),
                       "top": pack(top[:, 0], "<f4"), "gap": pack(top[:, 0] - top[:, 1], "<f4"), "lse": pack(torch.logsumexp(logits, -1), "<f4")})
    golden = {"format": 1, "model": name, "seed": 1, "transformers": transformers.__version__, "sequences": sequences,
              "runs": [{"attention": "softmax", "source": "transformers", "dtype": "float32", "sequences": scores}]}
    (HERE / f"{name}.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(name, len(stored))


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or CASES:
        make(name)
