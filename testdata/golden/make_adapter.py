"""Makes formats/adapter: LoRA adapters of models/llama-llama3 and families/gpt2, and what
transformers computes with peft's merge_and_unload of each, in float32."""

import json
import pathlib
import sys

import numpy as np
import peft
import torch
import transformers

from make_families import pack, random

HERE = pathlib.Path(__file__).parent
CASES = {"plain": dict(r=4, lora_alpha=10, target_modules=["q_proj", "v_proj", "down_proj"]),
         "rslora": dict(r=3, lora_alpha=5, use_rslora=True, target_modules="all-linear"),
         "gpt2": dict(r=4, lora_alpha=6, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True)}


def base_of(name):
    if name != "gpt2":
        return transformers.AutoModelForCausalLM.from_pretrained(HERE / "models" / "llama-llama3", dtype=torch.float32, attn_implementation="eager")
    golden = json.loads((HERE / "families" / "gpt2" / "golden.json").read_text())
    config = transformers.AutoConfig.from_pretrained(HERE / "families" / "gpt2")
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager")
    state = {t["name"]: torch.from_numpy(random(golden["seed"], t["name"], int(np.prod(t["shape"])), t["centre"], t["width"])).reshape(t["shape"])
             for t in golden["tensors"]}
    missing = model.load_state_dict(state, strict=False)
    assert not missing.unexpected_keys and set(missing.missing_keys) <= {"lm_head.weight"}, missing
    model.tie_weights()
    return model


@torch.no_grad()
def make(name):
    base = base_of(name)
    model = peft.get_peft_model(base, peft.LoraConfig(task_type="CAUSAL_LM", **CASES[name]))
    torch.manual_seed(3)
    for key, p in model.named_parameters():
        if "lora_" in key:
            p.copy_(torch.randn_like(p) * 0.2)
    out = HERE / "formats" / "adapter" / name
    model.save_pretrained(out)
    (out / "README.md").unlink(missing_ok=True)
    config = json.loads((out / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = None
    (out / "adapter_config.json").write_text(json.dumps(config, indent=1) + "\n")
    model = model.merge_and_unload().eval()
    rng = np.random.default_rng(1)
    sequences, scores = [], []
    for length in [1, 2, 17, 40]:
        ids = rng.integers(0, model.config.vocab_size, length + 1)
        logits = model(torch.tensor(ids[None, :-1]), use_cache=False).logits[0].float()
        logp = torch.log_softmax(logits.double(), -1)
        top = logits.topk(2).values
        sequences.append({"ids": ids[:-1].tolist(), "targets": ids[1:].tolist()})
        scores.append({"logprob": pack(logp[torch.arange(length), torch.tensor(ids[1:])], "<f4"), "argmax": pack(logits.argmax(-1), "<i4"),
                       "top": pack(top[:, 0], "<f4"), "gap": pack(top[:, 0] - top[:, 1], "<f4"), "lse": pack(torch.logsumexp(logits, -1), "<f4")})
    golden = {"format": 1, "model": name, "seed": 3, "transformers": transformers.__version__, "sequences": sequences,
              "runs": [{"attention": "softmax", "source": "transformers", "dtype": "float32", "sequences": scores}]}
    (HERE / "formats" / "adapter" / f"{name}.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(name)


if __name__ == "__main__":
    for name in sys.argv[1:] or CASES:
        make(name)
