"""Worker: the GGUF file of a LLaMA checkpoint, the same weights in BF16.

Matrices keep their bits; norms are widened to float32, as llama.cpp wants them.
The file has no vocabulary: it is fed token ids.
"""

import json
import pathlib

import gguf
import safetensors
import torch

import common

NAMES = {
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
}


def name(tensor):
    tensor = tensor.removesuffix(".weight")
    if tensor.startswith("model.layers."):
        layer, rest = tensor.removeprefix("model.layers.").split(".", 1)
        return f"blk.{layer}.{NAMES[rest]}.weight"
    return NAMES[tensor] + ".weight"


def interleave(w, heads):
    """Rows of q or k in the order of llama.cpp's rotation, which turns neighbours and not halves."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, w.shape[1]).transpose(1, 2).reshape(w.shape)


def main():
    a = common.arguments()
    config = json.loads((pathlib.Path(a["model"]) / "config.json").read_text())
    assert config["model_type"] == "llama" and not config.get("rope_scaling"), "only plain LLaMA checkpoints"
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    out = gguf.GGUFWriter(a["gguf"], "llama")
    out.add_context_length(config["max_position_embeddings"])
    out.add_embedding_length(config["hidden_size"])
    out.add_feed_forward_length(config["intermediate_size"])
    out.add_block_count(config["num_hidden_layers"])
    out.add_head_count(heads)
    out.add_head_count_kv(kv_heads)
    out.add_rope_dimension_count(config["hidden_size"] // heads)
    out.add_rope_freq_base(config.get("rope_theta", 10000.0))
    out.add_layer_norm_rms_eps(config["rms_norm_eps"])
    out.add_vocab_size(config["vocab_size"])
    out.add_tokenizer_model("no_vocab")
    out.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    with safetensors.safe_open(pathlib.Path(a["model"]) / "model.safetensors", "pt") as weights:
        for key in weights.keys():
            w = weights.get_tensor(key)
            if key.endswith(("q_proj.weight", "k_proj.weight")):
                w = interleave(w, heads if "q_proj" in key else kv_heads)
            if w.dim() == 1:
                out.add_tensor(name(key), w.float().numpy())
                continue
            assert w.dtype == torch.bfloat16, f"{key} is {w.dtype}"
            bits = w.contiguous().view(torch.uint8).numpy()
            out.add_tensor(name(key), bits, raw_dtype=gguf.GGMLQuantizationType.BF16)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    common.answer(a["out"], {})


main()
