"""Makes golden/plain.json: ids by transformers' AutoTokenizer (5.24) of directories that have vocab.json and merges.txt
alone, and golden/tekken.json: ids by its MistralConverter of small tekken.json files. Run from this directory."""
import base64
import json
import os
import tempfile

from transformers import AutoTokenizer
from transformers.integrations.mistral.tokenizer import MistralConverter
from transformers.utils import logging

from make import TEKKEN

logging.set_verbosity_error()
TEXTS = ["", "Hello world", " the harbour's boats, 1234!", "  two  spaces\n\n\ttab", "a <|endoftext|> b<|endoftext|>", "<s>x</s> y <user> z", "naïve café e\u0301 ﬁ 中文 🙂", "don't WE'LL I'm",
         "[INST]hi[/INST] <unk><pad>", "the<|im_start|>word"]


def parts(base):
    with open(os.path.join(base, "tokenizer.json"), encoding="utf-8") as f:
        model = json.load(f)["model"]
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    return model["vocab"], merges


def plain_case(base, config=None, special=None, added=None, model=None):
    vocab, merges = parts(base)
    with tempfile.TemporaryDirectory() as d:
        for name, value in [("vocab.json", vocab), ("tokenizer_config.json", config), ("special_tokens_map.json", special), ("added_tokens.json", added),
                            ("config.json", {"model_type": model or "gpt2"})]:
            if value is not None:
                json.dump(value, open(os.path.join(d, name), "w"))
        with open(os.path.join(d, "merges.txt"), "w", encoding="utf-8") as f:
            f.write("#version: 0.2\n" + "\n".join(merges) + "\n")
        try:
            t = AutoTokenizer.from_pretrained(d)
        except Exception as e:
            print("refused:", base, config, model, str(e)[:100])
            return
        ids = [t(x)["input_ids"] for x in TEXTS]
        return {"base": base, "config": config, "special": special, "added": added, "model": model, "ids": ids, "skip": [t.decode(i, skip_special_tokens=True) for i in ids],
                "bos": t.bos_token_id, "eos": t.eos_token_id, "vocab": max(t.get_vocab().values()) + 1}


def plain():
    token = {"lstrip": False, "rstrip": False, "single_word": False, "normalized": False, "special": True}
    eot = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    return [c for c in [
        plain_case("gpt2"),
        plain_case("gpt2", {"tokenizer_class": "GPT2Tokenizer", **eot}),
        plain_case("gpt2", {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True, **eot}),
        plain_case("gpt2", {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>", "pad_token": "<pad>"}, model="opt"),
        plain_case("gpt2", {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "add_eos_token": True, **eot}),
        plain_case("gpt2", {"bos_token": None, "eos_token": "</s>"}, model="starcoder2"),
        plain_case("gpt2", {"tokenizer_class": "CodeGenTokenizer", **eot}, added={"   ": 850, "<user>": 851}, model="phi"),
        plain_case("gpt2", None, {"eos_token": "</s>", "additional_special_tokens": ["<user>"]}, added={"</s>": 850, "<user>": 851, "z": 852}),
        plain_case("gpt2", {**eot, "added_tokens_decoder": {"0": {"content": "<|endoftext|>", **token, "lstrip": True}, "850": {"content": "<user>", **token, "special": False}}}),
        plain_case("gpt2", {"tokenizer_class": "GPTNeoXTokenizer", **eot}, model="gpt_neox"),
        plain_case("gpt2", {"tokenizer_class": "GPTNeoXTokenizerFast", **eot, "add_prefix_space": True, "add_bos_token": True}, model="gpt_neox"),
        plain_case("gpt2", model="gpt_neox"),
        plain_case("qwen2", {"tokenizer_class": "Qwen2Tokenizer", "pad_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}, model="qwen2"),
        plain_case("qwen2", model="qwen3"),
        plain_case("qwen2", {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]},
                   added={"<|endoftext|>": 797, "<|im_start|>": 798, "<|im_end|>": 799}, model="qwen2"),
    ] if c]


def byte_tokens(base):
    """The byte strings of a byte-level vocabulary, in the order of ids."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode
    back = {c: b for b, c in bytes_to_unicode().items()}
    vocab, _ = parts(base)
    return [bytes(back[c] for c in t) for t in sorted(vocab, key=vocab.get) if all(c in back for c in t) and not t.startswith("<")]


def tekken():
    tokens = byte_tokens("tekken")
    tokens = sorted([t for t in tokens if len(t) == 1]) + [t for t in tokens if len(t) > 1]
    vocab = [{"rank": i, "token_bytes": base64.b64encode(t).decode(), "token_str": t.decode("utf-8", "ignore") or None} for i, t in enumerate(tokens)]
    special = [{"rank": i, "token_str": s, "is_control": True} for i, s in enumerate(["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "<pad>"])]
    out = []
    for config, specials, settings in [
        ({"pattern": TEKKEN, "num_vocab_tokens": len(vocab), "default_vocab_size": len(vocab) + 10, "default_num_special_tokens": 10, "version": "v7"}, special[::-1], None),
        ({"pattern": TEKKEN, "num_vocab_tokens": len(vocab), "default_vocab_size": len(vocab) - 100, "default_num_special_tokens": 20, "version": "v3"}, special, {"add_bos_token": False}),
        ({"pattern": r"[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s+", "version": "v11"}, special, {"add_eos_token": True}),
    ]:
        data = {"config": config, "vocab": vocab, "special_tokens": specials}
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "tekken.json")
            json.dump(data, open(path, "w"))
            t = MistralConverter(path).converted()
        settings = settings or {}
        ids = [([1] if settings.get("add_bos_token", True) else []) + t.encode(x, add_special_tokens=False).ids + ([2] if settings.get("add_eos_token") else []) for x in TEXTS]
        out.append({"config": config, "special": specials, "settings": settings, "ids": ids, "skip": [t.decode(i, skip_special_tokens=True) for i in ids],
                    "vocab": t.get_vocab_size()})
    return {"texts": TEXTS, "tokens": vocab, "cases": out}


def write(name, data):
    with open(os.path.join("golden", name), "w") as f:
        f.write(json.dumps(data, separators=(",", ":")).replace('{"base"', '\n{"base"').replace('{"config":{"pattern"', '\n{"config":{"pattern"') + "\n")


cases = plain()
write("plain.json", {"texts": TEXTS, "cases": cases})
write("tekken.json", tekken())
print(len(cases))
