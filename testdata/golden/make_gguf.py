"""Makes formats/gguf: blocks of every type and small models in GGUF files.

    python make_gguf.py            # all
    python make_gguf.py NAME...    # some of the models

blocks.gguf has a tensor of random bytes of each block type; blocks.json, the SHA-256
of the float32 numbers that gguf.quants makes of it, and the first eight.

NAME.gguf is a small random model of an architecture, changed as llama.cpp's
convert_hf_to_gguf.py changes it and its matrices quantised, each with another type;
NAME.json holds what transformers computes with the dequantised weights, float32. For
the architectures that transformers reads from GGUF itself, the script compares the
two and stops where they are apart.
"""

import hashlib
import json
import pathlib
import re
import sys
import tempfile

import gguf
import numpy as np
import torch
import transformers
from gguf import GGMLQuantizationType as Q
from safetensors import safe_open
from safetensors.torch import save_file

from make_families import pack, random, spread

HERE = pathlib.Path(__file__).parent / "formats" / "gguf"
LENGTHS = [1, 2, 17, 70]
BLOCKS = [Q.F32, Q.F16, Q.BF16, Q.Q8_0, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q2_K, Q.Q3_K, Q.Q4_K, Q.Q5_K, Q.Q6_K, Q.IQ4_NL, Q.IQ4_XS, Q.MXFP4]
TURNS = [Q.Q8_0, Q.Q4_1, Q.F16, Q.Q5_0, Q.Q5_1, Q.BF16, Q.Q4_0, Q.MXFP4]  # those that the package can make

SIZES = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=101,
             max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0)
MOE = dict(SIZES, num_experts_per_tok=2)
ROUTER = [(r"gate\.weight$|router\.weight$", 0, 0.6)]
GEMMA = dict(norm_centre=0.0, embed=0.18)
# name: architecture, config, and what transformers' own reader does not take from the file ("" where it does not read the architecture).
MODELS = {
    "llama": ("llama", dict(SIZES, model_type="llama", rope_theta=5000.0), {}, {}),
    "llama-tied": ("llama", dict(SIZES, model_type="llama", tie_word_embeddings=True, num_key_value_heads=4), {}, {}),
    "qwen2": ("qwen2", dict(SIZES, model_type="qwen2"), {}, {}),
    "qwen3": ("qwen3", dict(SIZES, model_type="qwen3", head_dim=16), {}, dict(head_dim=16)),
    "qwen2moe": ("qwen2moe", dict(MOE, model_type="qwen2_moe", num_experts=4, moe_intermediate_size=32, shared_expert_intermediate_size=64),
                 dict(spread=ROUTER), dict(moe_intermediate_size=32, shared_expert_intermediate_size=64)),
    "qwen3moe": ("qwen3moe", dict(MOE, model_type="qwen3_moe", head_dim=8, num_experts=4, moe_intermediate_size=32, norm_topk_prob=True),
                 dict(spread=ROUTER), dict(moe_intermediate_size=32)),
    "phi3": ("phi3", dict(SIZES, model_type="phi3", sliding_window=20), {}, dict(sliding_window=20, pad_token_id=0)),
    "stablelm": ("stablelm", dict(SIZES, model_type="stablelm", use_qkv_bias=True, num_attention_heads=2), {}, {}),
    "starcoder2": ("starcoder2", dict(SIZES, model_type="starcoder2"), {}, dict(vocab_size=101)),
    "nemotron": ("nemotron", dict(SIZES, model_type="nemotron"), dict(norm_centre=0.0), {}),
    "gemma": ("gemma", dict(SIZES, model_type="gemma", head_dim=16), GEMMA, None),
    "gemma2": ("gemma2", dict(SIZES, model_type="gemma2", head_dim=16, sliding_window=12, query_pre_attn_scalar=16, attn_logit_softcapping=20.0,
                              final_logit_softcapping=10.0), GEMMA, dict(query_pre_attn_scalar=16, attn_logit_softcapping=20.0, final_logit_softcapping=10.0)),
    "gemma3": ("gemma3", dict(SIZES, model_type="gemma3_text", head_dim=16, sliding_window=12, query_pre_attn_scalar=16, num_hidden_layers=6), GEMMA,
               dict(query_pre_attn_scalar=16)),
    "gpt2": ("gpt2", dict(model_type="gpt2", n_embd=32, n_layer=2, n_head=4, n_positions=128, vocab_size=101, bos_token_id=1, eos_token_id=2),
             dict(transposed=True, embed=0.4), dict(vocab_size=101, n_positions=128)),
    "gptneox": ("gptneox", dict({k: v for k, v in SIZES.items() if k != "num_key_value_heads"}, model_type="gpt_neox", rotary_pct=0.5), {}, None),
    "olmo2": ("olmo2", dict(SIZES, model_type="olmo2"), {}, None),
    "mixtral": ("llama", dict(MOE, model_type="mixtral", num_local_experts=3, sliding_window=None), dict(spread=ROUTER), None),
    "gpt-oss": ("gpt-oss", dict(MOE, model_type="gpt_oss", head_dim=8, num_local_experts=3, sliding_window=12, rope_theta=10000.0, rope_scaling=dict(
        rope_type="yarn", factor=4.0, original_max_position_embeddings=32, beta_fast=32.0, beta_slow=1.0, truncate=False)),
        dict(spread=ROUTER + [("sinks", 0.5, 1)]), None),
}


def blocks():
    w = gguf.GGUFWriter(str(HERE / "blocks.gguf"), "none")
    known = {}
    for q in BLOCKS:
        elements, size = gguf.GGML_QUANT_SIZES[q]
        n = 3 * 512 // elements
        data = np.random.default_rng(int(q) + 1).integers(0, 256, (n, size), np.uint8)
        if q in (Q.F32, Q.F16, Q.BF16):
            data = np.random.default_rng(1).normal(size=(n, 1)).astype(np.float32)
            data = gguf.quants.quantize(data, q).view(np.uint8).reshape(n, size)
        elif q == Q.MXFP4:
            data[:, 0] = np.arange(n) * 5 % 250
        else:  # scales that are numbers: the exponent never all ones
            at = {Q.Q2_K: [80, 82], Q.Q3_K: [108], Q.Q6_K: [208]}.get(q, [0, 2] if q in (Q.Q4_1, Q.Q5_1, Q.Q4_K, Q.Q5_K) else [0])
            for i in at:
                data[:, i + 1] &= 0xBF
        shape = (3, 512 // elements * size)
        data = data.reshape(shape)
        numbers = gguf.quants.dequantize(data, q).astype(np.float32).reshape(3, 512)
        assert np.isfinite(numbers).all(), q
        w.add_tensor(q.name, data, raw_shape=shape, raw_dtype=q)
        known[q.name] = {"sha256": hashlib.sha256(numbers.astype("<f4").tobytes()).hexdigest(), "first": numbers.reshape(-1)[:8].tolist()}
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
    (HERE / "blocks.json").write_text(json.dumps(known, indent=1) + "\n")


def permute(w, heads):
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def unpermute(w, heads):
    return w.reshape(heads, w.shape[0] // heads // 2, 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def regroup(w, heads, back=False):
    """GPT-NeoX's rows by head, as all of q, of k, of v."""
    shape = (3, heads, -1, *w.shape[1:]) if back else (heads, 3, -1, *w.shape[1:])
    return w.reshape(shape).swapaxes(0, 1).reshape(w.shape)


def changes(arch, name, config):
    """What llama.cpp does to a tensor, and what undoes it."""
    heads, kv = config.get("num_attention_heads"), config.get("num_key_value_heads")
    if arch == "llama" and re.search(r"q_proj|k_proj", name):
        n = heads if "q_proj" in name else kv
        return lambda w: permute(w, n), lambda w: unpermute(w, n)
    if arch in ("gemma", "gemma2", "gemma3", "nemotron") and name.endswith("norm.weight"):
        return lambda w: w + np.float32(1), lambda w: w - np.float32(1)
    if arch == "gpt2" and re.search(r"c_attn\.weight|c_proj\.weight|c_fc\.weight", name):
        return lambda w: np.ascontiguousarray(w.T), lambda w: np.ascontiguousarray(w.T)
    if arch == "gptneox" and "query_key_value" in name:
        return lambda w: regroup(w, heads), lambda w: regroup(w, heads, True)
    if name.endswith("shared_expert_gate.weight"):
        return lambda w: w.reshape(-1), lambda w: w.reshape(1, -1)
    return lambda w: w, lambda w: w


def metadata(w, arch, c, tensors):
    get = lambda *keys: next((c[k] for k in keys if c.get(k) is not None), None)
    heads, hidden = get("num_attention_heads", "n_head"), get("hidden_size", "n_embd")
    w.add_context_length(get("max_position_embeddings", "n_positions"))
    w.add_embedding_length(hidden)
    w.add_block_count(get("num_hidden_layers", "n_layer"))
    w.add_feed_forward_length(get("intermediate_size") or 4 * hidden)
    w.add_head_count(heads)
    if get("num_key_value_heads"):
        w.add_head_count_kv(get("num_key_value_heads"))
    size = c.get("head_dim") or hidden // heads
    if c.get("head_dim"):
        w.add_key_length(size)
        w.add_value_length(size)
    rope = c.get("rope_parameters") or {}
    rope = rope.get("full_attention", rope)
    if rope:
        w.add_rope_freq_base(rope["rope_theta"])
        w.add_rope_dimension_count(int(size * rope.get("partial_rotary_factor", 1)))
    if rope.get("rope_type") == "yarn":
        w.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        w.add_rope_scaling_factor(rope["factor"])
        w.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if arch in ("stablelm", "starcoder2", "nemotron", "gpt2", "gptneox"):
        w.add_layer_norm_eps(get("layer_norm_eps", "norm_epsilon", "norm_eps", "layer_norm_epsilon"))
        if arch == "nemotron":
            w.add_layer_norm_rms_eps(c["norm_eps"])
    else:
        w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    if c.get("sliding_window") and arch in ("gemma2", "gemma3", "phi3", "gpt-oss"):
        w.add_sliding_window(c["sliding_window"])
    if arch == "gemma2":
        w.add_attn_logit_softcapping(c["attn_logit_softcapping"])
        w.add_final_logit_softcapping(c["final_logit_softcapping"])
    if arch == "gptneox":
        w.add_parallel_residual(c["use_parallel_residual"])
    experts = get("num_local_experts", "num_experts")
    if experts:
        w.add_expert_count(experts)
        w.add_expert_used_count(c["num_experts_per_tok"])
    if arch == "gpt-oss":
        w.add_expert_feed_forward_length(c["intermediate_size"])
    w.add_vocab_size(c["vocab_size"])
    w.add_bos_token_id(1); w.add_eos_token_id(2)


def stack(tensors):
    """Experts' matrices as llama.cpp puts them together: gguf name -> the parts' names, in order."""
    groups = {}
    for name in tensors:
        m = re.match(r"model\.layers\.(\d+)\.(?:mlp|block_sparse_moe)\.experts\.(\d+)\.(\w+)\.weight$", name)
        if m:
            part = {"w1": "gate", "w3": "up", "w2": "down", "gate_proj": "gate", "up_proj": "up", "down_proj": "down"}[m[3]]
            groups.setdefault(f"blk.{m[1]}.ffn_{part}_exps.weight", []).append((int(m[2]), name))
    return {k: [n for _, n in sorted(v)] for k, v in groups.items()}


def oss(tensors):
    """gpt_oss's packed experts: gguf name -> (name, forward, backward of one part)."""
    out = {}
    for name in tensors:
        m = re.match(r"model\.layers\.(\d+)\.mlp\.experts\.(\w+)$", name)
        if m:
            kind = "bias" if m[2].endswith("_bias") else "weight"
            turn = (lambda w: np.ascontiguousarray(w.swapaxes(-1, -2))) if kind == "weight" else (lambda w: np.ascontiguousarray(w))
            if m[2].startswith("down"):
                out[f"blk.{m[1]}.ffn_down_exps.{kind}"] = (name, slice(None), turn)
            else:
                out[f"blk.{m[1]}.ffn_gate_exps.{kind}"] = (name, slice(0, None, 2), turn)
                out[f"blk.{m[1]}.ffn_up_exps.{kind}"] = (name, slice(1, None, 2), turn)
    return out


@torch.no_grad()
def make(name):
    arch, config, spec, own = MODELS[name]
    model = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.for_model(**config), attn_implementation="eager")
    full = model.config.to_dict()
    with tempfile.TemporaryDirectory() as tmp:
        model.save_pretrained(tmp)
        weights = {}
        with safe_open(f"{tmp}/model.safetensors", "pt") as f:
            for key in sorted(f.keys()):
                shape = list(f.get_slice(key).get_shape())
                weights[key] = random(1, key, int(np.prod(shape)), *spread(key, shape, spec)).reshape(shape)
        names = gguf.get_tensor_name_map({v: k for k, v in gguf.MODEL_ARCH_NAMES.items()}[arch], full.get("num_hidden_layers") or full["n_layer"])
        path = HERE / f"{name}.gguf"
        w = gguf.GGUFWriter(str(path), arch)
        metadata(w, arch, full, weights)
        turn = 0

        def add(target, data, matrix):
            """Quantises, writes, and returns what is read back."""
            nonlocal turn
            q = Q.F32
            if matrix:
                q = TURNS[turn % len(TURNS)]
                turn += 1
            stored = gguf.quants.quantize(np.ascontiguousarray(data), q)
            w.add_tensor(target, stored, raw_dtype=q)
            return gguf.quants.dequantize(stored, q).astype(np.float32).reshape(data.shape)

        done = set()
        for target, parts in stack(weights).items():
            back = add(target, np.stack([weights[p] for p in parts]), True)
            for p, x in zip(parts, back):
                weights[p] = x
            done |= set(parts)
        if arch == "gpt-oss":
            for target, (key, part, turned) in oss(weights).items():
                back = add(target, turned(weights[key][..., part]), target.endswith("weight"))
                weights[key][..., part] = turned(back)
                done.add(key)
        for key in sorted(set(weights) - done):
            stem, dot, suffix = key.rpartition(".")
            if key.endswith("sinks"):
                target = names.get_name(key) + ".weight"
            else:
                target = names.get_name(stem) + dot + suffix
            forward, backward = changes(arch, key, full)
            data = forward(weights[key])
            matrix = data.ndim == 2 and not re.search(r"ffn_gate_inp", target)
            weights[key] = backward(add(target, data, matrix))
        w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
        save_file({k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in weights.items()}, f"{tmp}/model.safetensors", {"format": "pt"})
        model, info = transformers.AutoModelForCausalLM.from_pretrained(tmp, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
        assert not any(info.values()), info
    model.eval()
    theirs = None
    if own is not None:
        theirs = transformers.AutoModelForCausalLM.from_pretrained(HERE, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager", **own).eval()
    rng = np.random.default_rng(1)
    sequences, scores, apart = [], [], 0.0
    for length in LENGTHS:
        ids = rng.integers(0, 101, length + 1)
        logits = model(torch.tensor(ids[None, :-1]), use_cache=False).logits[0].float()
        if theirs is not None:
            apart = max(apart, (theirs(torch.tensor(ids[None, :-1]), use_cache=False).logits[0] - logits).abs().max().item())
        logp = torch.log_softmax(logits.double(), -1)
        top = logits.topk(2).values
        sequences.append({"ids": ids[:-1].tolist(), "targets": ids[1:].tolist()})
        scores.append({
            "logprob": pack(logp[torch.arange(length), torch.tensor(ids[1:])], "<f4"), "argmax": pack(logits.argmax(-1), "<i4"),
            "top": pack(top[:, 0], "<f4"), "gap": pack(top[:, 0] - top[:, 1], "<f4"), "lse": pack(torch.logsumexp(logits, -1), "<f4")})
    assert apart < 1e-5, (name, apart)
    golden = {"format": 1, "model": name, "seed": 1, "transformers": transformers.__version__, "sequences": sequences,
              "runs": [{"attention": "softmax", "source": "transformers", "dtype": "float32", "sequences": scores}]}
    (HERE / f"{name}.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{name}: {path.stat().st_size} bytes; transformers' own reader: {'none' if theirs is None else f'{apart:.1e} apart'}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    HERE.mkdir(parents=True, exist_ok=True)
    if len(sys.argv) == 1:
        blocks()
    for name in sys.argv[1:] or MODELS:
        make(name)
