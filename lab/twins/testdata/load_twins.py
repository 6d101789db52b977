"""Loads both twins in transformers and scores 200 requests with each, in float32.

Softpick is registered as an attention function, with the formulas of
testdata/golden/kinds.py. The requests are the two options of the first 100 piqa
documents. Writes transformers.json: per twin, the hash of its weights' file and,
per request, the start of its hash and the loglikelihood. lab/twins/make's files
must be there; run with the versions of testdata/golden/requirements.txt.
"""

import hashlib
import json
import os
import sys

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

here = os.path.dirname(os.path.abspath(__file__))
twins = os.path.dirname(here)
sys.path.insert(0, os.path.join(twins, "..", "..", "testdata", "golden"))
from kinds import weights  # noqa: E402


def softpick(module, query, key, value, attention_mask, scaling, dropout=0.0, **_):
    x = query @ key.transpose(2, 3) * scaling
    w = weights("softpick", x, torch.ones_like(x, dtype=torch.bool).tril())
    return (w @ value).transpose(1, 2).contiguous(), w


ALL_ATTENTION_FUNCTIONS.register("softpick", softpick)
torch.set_num_threads(1)
out = {"made_by": "lab/twins/testdata/load_twins.py", "torch": torch.__version__, "transformers": transformers.__version__}
requests = []
with open(os.path.join(twins, "data", "piqa", "validation.jsonl"), encoding="utf-8") as f:
    for line in list(f)[:100]:
        d = json.loads(line)
        for s in (d["sol1"], d["sol2"]):
            requests.append((f"Question: {d['goal']}\nAnswer:", " " + s))
for name in ("softmax", "softpick"):
    path = os.path.join(twins, name)
    tok = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(
        path, dtype=torch.float32, attn_implementation="softpick" if name == "softpick" else "eager").eval()
    rows = []
    with torch.no_grad():
        for context, continuation in requests:
            ids, start = tok(context + continuation)["input_ids"], len(tok(context)["input_ids"])
            logp = model(torch.tensor([ids])).logits[0].log_softmax(-1)
            total = sum(logp[i - 1, ids[i]].item() for i in range(start, len(ids)))
            rows.append([hashlib.sha256((context + "\0" + continuation).encode()).hexdigest()[:16], total])
    with open(os.path.join(path, "model.safetensors"), "rb") as f:
        out[name] = {"model_sha256": hashlib.sha256(f.read()).hexdigest(), "requests": rows}
    print(name, len(rows), rows[0])
with open(os.path.join(here, "transformers.json"), "w") as f:
    json.dump(out, f, indent=0)
    f.write("\n")
