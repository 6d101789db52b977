"""Worker: passkey prompts by transformers, greedy decoding with its KV cache.

The clock runs over generation alone, not over imports and loading.
"""

import json
import pathlib

import common

a = common.arguments()
common.offline(a["scratch"])
torch = common.torch_with(a["threads"])

import transformers  # noqa: E402


def main():
    trials = json.loads(pathlib.Path(a["prompts"]).read_text())
    model = transformers.AutoModelForCausalLM.from_pretrained(a["model"], dtype=getattr(torch, a["dtype"])).eval().to(a["device"])
    model.generation_config.eos_token_id = None  # as many tokens as the key has
    tokenizer = transformers.AutoTokenizer.from_pretrained(a["model"])

    def decode(t):
        ids = torch.tensor([t["prompt"]], device=a["device"])
        out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=len(t["answer"]), do_sample=False,
                             use_cache=True, pad_token_id=0)
        return out[0, ids.shape[1]:].tolist()

    decode(dict(prompt=trials[0]["prompt"][:64], answer=trials[0]["answer"]))
    with common.Clock() as clock:
        generated = [decode(t) for t in trials]
    common.answer(a["out"], dict(seconds=clock.wall, cpu=clock.cpu, generated=[tokenizer.decode(g) for g in generated]))


main()
