"""Writes config_golden.json: what transformers makes of config.json files.

For each case it records the config as given, the values transformers resolves
it to, and the rotary inverse frequencies its model would use. Run it with the
versions that the file records:

    pip install transformers==5.23.0 torch==2.15.0
    python config_golden.py > config_golden.json
"""

import json
import sys
import tempfile

import torch
import transformers
from transformers import AutoConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}

CASES = {
    "llama, nothing given": {"model_type": "llama"},
    "mistral, nothing given": {"model_type": "mistral"},
    "qwen2, nothing given": {"model_type": "qwen2"},
    "qwen3, nothing given": {"model_type": "qwen3"},
    "llama, nulls": {"model_type": "llama", "num_key_value_heads": None, "head_dim": None, "rope_scaling": None,
                     "bos_token_id": None, "eos_token_id": None},
    "mistral, nulls": {"model_type": "mistral", "head_dim": None, "sliding_window": None},
    "qwen2, nulls": {"model_type": "qwen2", "num_key_value_heads": None, "sliding_window": None},
    "llama 3.1 8B": {"model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
                     "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256,
                     "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "rope_theta": 500000.0,
                     "rope_scaling": {**LLAMA3, "rope_type": "llama3"}, "bos_token_id": 128000,
                     "eos_token_id": [128001, 128008, 128009], "torch_dtype": "bfloat16"},
    "llama 3.2 1B": {"model_type": "llama", "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
                     "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 128256,
                     "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "rope_theta": 500000.0,
                     "rope_scaling": {**LLAMA3, "factor": 32.0, "rope_type": "llama3"}, "tie_word_embeddings": True},
    "llama, new spelling": {"model_type": "llama", "hidden_size": 256, "num_attention_heads": 2,
                            "max_position_embeddings": 131072, "dtype": "float16",
                            "rope_parameters": {**LLAMA3, "rope_type": "llama3", "rope_theta": 500000.0}},
    "llama, both spellings": {"model_type": "llama", "hidden_size": 256, "num_attention_heads": 2,
                              "rope_theta": 20000.0,
                              "rope_scaling": {"rope_type": "linear", "factor": 2.0},
                              "rope_parameters": {"rope_type": "default", "rope_theta": 30000.0}},
    "llama, old type key": {"model_type": "llama", "hidden_size": 192, "num_attention_heads": 2,
                            "rope_scaling": {"type": "linear", "factor": 4.0}},
    "llama, theta inside wins": {"model_type": "llama", "hidden_size": 256, "num_attention_heads": 4,
                                 "rope_theta": 20000.0, "rope_parameters": {"rope_type": "default", "rope_theta": 7000.5}},
    "llama, llama3 without original": {"model_type": "llama", "hidden_size": 256, "num_attention_heads": 2,
                                       "max_position_embeddings": 4096,
                                       "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                                        "high_freq_factor": 4.0}},
    "llama, original at the top": {"model_type": "llama", "hidden_size": 256, "num_attention_heads": 2,
                                   "max_position_embeddings": 131072, "original_max_position_embeddings": 2048,
                                   "rope_scaling": {**LLAMA3, "rope_type": "llama3"}},
    "llama, head dimension no power of two": {"model_type": "llama", "hidden_size": 480, "num_attention_heads": 6, "head_dim": 80,
                                  "rope_theta": 1000000.0},
    "mistral 7B v0.3": {"model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336,
                        "max_position_embeddings": 32768, "num_attention_heads": 32, "num_hidden_layers": 32,
                        "num_key_value_heads": 8, "rms_norm_eps": 1e-5, "rope_theta": 1000000.0,
                        "sliding_window": None, "vocab_size": 32768, "torch_dtype": "bfloat16"},
    "mistral 7B v0.1": {"model_type": "mistral", "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "sliding_window": 4096},
    "qwen2.5 0.5B": {"model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24,
                     "num_attention_heads": 14, "num_key_value_heads": 2, "max_position_embeddings": 32768,
                     "max_window_layers": 24, "sliding_window": 32768, "use_sliding_window": False,
                     "rope_theta": 1000000.0, "tie_word_embeddings": True, "vocab_size": 151936,
                     "bos_token_id": 151643, "eos_token_id": 151643, "torch_dtype": "bfloat16"},
    "qwen2, window everywhere": {"model_type": "qwen2", "num_hidden_layers": 4, "use_sliding_window": True,
                                 "sliding_window": 128, "max_window_layers": 0},
    "qwen2, window beyond the layers": {"model_type": "qwen2", "num_hidden_layers": 4, "use_sliding_window": True,
                                        "sliding_window": 128},
    "qwen3 0.6B": {"model_type": "qwen3", "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28,
                   "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128,
                   "max_position_embeddings": 40960, "rope_theta": 1000000, "tie_word_embeddings": True},
    "qwen3, window by layer_types": {"model_type": "qwen3", "num_hidden_layers": 2, "use_sliding_window": True,
                                     "sliding_window": 64, "layer_types": ["sliding_attention", "sliding_attention"]},
}


def first(token):
    if isinstance(token, list):
        token = token[0]
    return -1 if token is None else token


def windows(config):
    """The window of each layer, 0 for none, as the model's attention modules set it."""
    if config.model_type == "llama":
        return [0] * config.num_hidden_layers
    if config.model_type == "mistral":
        return [config.sliding_window or 0] * config.num_hidden_layers
    return [(config.sliding_window or 0) if t == "sliding_attention" else 0 for t in config.layer_types]


def resolve(given):
    with tempfile.TemporaryDirectory() as d:
        with open(f"{d}/config.json", "w") as f:
            json.dump(given, f)
        config = AutoConfig.from_pretrained(d)
    rope = config.rope_parameters
    kind = rope["rope_type"]
    init = LlamaRotaryEmbedding.compute_default_rope_parameters if kind == "default" else ROPE_INIT_FUNCTIONS[kind]
    inv_freq, scaling = init(config)
    assert scaling == 1.0 and inv_freq.dtype == torch.float32
    window = windows(config)
    assert len(set(window)) == 1
    return {
        "hidden": config.hidden_size, "intermediate": config.intermediate_size, "layers": config.num_hidden_layers,
        "heads": config.num_attention_heads, "kv_heads": config.num_key_value_heads,
        "head_dim": getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
        "vocab": config.vocab_size, "max_positions": config.max_position_embeddings, "norm_eps": config.rms_norm_eps,
        "rope_theta": rope["rope_theta"], "rope_type": kind, "tie": config.tie_word_embeddings,
        "attention_bias": bool(getattr(config, "attention_bias", False)), "mlp_bias": bool(getattr(config, "mlp_bias", False)),
        "window": window[0], "bos": first(config.bos_token_id), "eos": first(config.eos_token_id),
        "dtype": str(config.dtype).removeprefix("torch.") if config.dtype is not None else "",
        # float32 bit patterns: exact.
        "inv_freq": [int(b) for b in inv_freq.view(torch.int32)],
    }


def main():
    out = {
        "made_by": "config_golden.py",
        "versions": {"python": sys.version.split()[0], "torch": torch.__version__.split("+")[0],
                     "transformers": transformers.__version__},
        "cases": [{"name": name, "config": given, "want": resolve(given)} for name, given in CASES.items()],
    }
    json.dump(out, sys.stdout, separators=(",", ":"))
    print()


main()
