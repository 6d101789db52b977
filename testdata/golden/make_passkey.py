"""Makes passkey.json: greedy continuations of passkey prompts by tiny/, in float32.

    python make_passkey.py

`prompts`: text, ids (with BOS), generated ids (as many as asked for), and how far
the least certain step's best logit leads the second.
"""

import json
import pathlib
import random

import torch
import transformers

from make_tiny import GARBAGE, HERE, PASSKEY, SEED, passkey


def main():
    torch.set_num_threads(1)
    tok = transformers.AutoTokenizer.from_pretrained(HERE / "tiny")
    model = transformers.AutoModelForCausalLM.from_pretrained(
        HERE / "tiny", dtype=torch.float32, attn_implementation="eager").eval()
    model.generation_config.eos_token_id = None  # go on for as many tokens as asked
    rng = random.Random(SEED + 1)
    texts = [passkey(rng)[0] for _ in range(8)]
    texts += [GARBAGE, "The miller walked to", "The pass key is", PASSKEY + "\n", "", "日本 🙂"]
    prompts, lead = [], []
    for text in texts:
        for new in (1, 5, 12):
            ids = tok(text)["input_ids"]
            assert len(ids) + new <= 256
            out = model.generate(torch.tensor([ids]), max_new_tokens=new, do_sample=False, use_cache=True,
                                 output_logits=True, return_dict_in_generate=True, pad_token_id=1)
            top = torch.stack(out.logits)[:, 0].topk(2, -1).values
            prompts.append(dict(text=text, ids=ids, generated=out.sequences[0, len(ids):].tolist(),
                                lead=(top[:, 0] - top[:, 1]).min().item()))
            lead.append(prompts[-1]["lead"])
    assert min(lead) > 1e-3, f"a step leads by {min(lead)} only; choose another seed"
    print(f"{len(prompts)} prompts of {min(len(p['ids']) for p in prompts)} to "
          f"{max(len(p['ids']) for p in prompts)} tokens, smallest lead {min(lead):.3g}")
    lines = ",\n".join(json.dumps(p, ensure_ascii=False) for p in prompts)
    path = pathlib.Path(HERE) / "passkey.json"
    path.write_text(f'{{"format": 1, "prompts": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
