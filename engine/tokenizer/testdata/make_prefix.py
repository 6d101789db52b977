"""Makes golden/prefix.json: ids by transformers' AutoTokenizer (5.24) of directories whose
tokenizer_config.json names a class that applies add_prefix_space, or lists special tokens in
each of the forms there are. Run from this directory."""
import json, os, shutil, tempfile
from transformers import AutoTokenizer
from transformers.utils import logging
logging.set_verbosity_error()

texts = ["", "hello world", " hello", "  a b", "Hi\nthere", "a <x> b<y> c <image>d", "x <|endoftext|>y", "<|endoftext|>y"]
cases = []
def case(base, config):
    with tempfile.TemporaryDirectory() as d:
        shutil.copy(os.path.join(base, "tokenizer.json"), d)
        json.dump(config, open(os.path.join(d, "tokenizer_config.json"), "w"))
        json.dump({"model_type": "llama"}, open(os.path.join(d, "config.json"), "w"))
        try:
            t = AutoTokenizer.from_pretrained(d)
        except Exception as e:
            print(base, config, type(e).__name__, str(e)[:80])
            return
        cases.append({"base": base, "config": config, "ids": [t.encode(x, add_special_tokens=False) for x in texts]})

eot = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
for cls in ("GPT2Tokenizer", "GPT2TokenizerFast", "GPTNeoXTokenizer", "GPTNeoXTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend", None):
    for prefix in (True, False, None):
        c = dict(eot)
        if cls: c["tokenizer_class"] = cls
        if prefix is not None: c["add_prefix_space"] = prefix
        case("gpt2", c)
        if cls not in ("GPT2TokenizerFast", "GPTNeoXTokenizerFast"):
            own = {**c, "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
            case("gpt2-prefix", own)
for prefix in (True, False, None):
    for cls in ("Qwen2Tokenizer", "Qwen2TokenizerFast"):
        case("qwen2", {"tokenizer_class": cls, "pad_token": "<|endoftext|>", "eos_token": "<|endoftext|>", **({} if prefix is None else {"add_prefix_space": prefix})})
    case("metaspace-first", {"tokenizer_class": "LlamaTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "legacy": False, **({} if prefix is None else {"add_prefix_space": prefix})})
for special in (
    {"extra_special_tokens": ["<x>", "<y>"]}, {"additional_special_tokens": ["<x>", "<y>"]},
    {"extra_special_tokens": {"image_token": "<image>", "x_token": "<x>"}},
    {"extra_special_tokens": {"image_token": "<image>"}, "additional_special_tokens": ["<y>"]},
    {"extra_special_tokens": ["<x>"], "additional_special_tokens": ["<y>"]},
    {"extra_special_tokens": {}, "additional_special_tokens": ["<y>"]},
    {"extra_special_tokens": [], "additional_special_tokens": ["<y>"]},
    {"extra_special_tokens": {"image_token": {"content": "<image>", "lstrip": True, "__type": "AddedToken"}}},
    {"image_token": "<image>"}, {"image_token": "<image>", "extra_special_tokens": {"x_token": "<x>"}},
):
    for cls in ("PreTrainedTokenizerFast", "GPT2Tokenizer"):
        case("gpt2", {**eot, "tokenizer_class": cls, **special})
with open("golden/prefix.json", "w") as f:
    f.write('{"texts": ' + json.dumps(texts) + ', "cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}\n")
print(len(cases))
