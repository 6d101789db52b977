"""Makes formats/tokenizers: GGUF files that hold a tokenizer alone, and the ids that
transformers gives with AutoTokenizer.from_pretrained(gguf_file=...).

Where llama.cpp splits text by a rule of that name which transformers does not know
(smollm: digits one by one), the rule is put in before the ids are taken.
"""

import json
import pathlib
import random

import gguf
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).parent / "formats" / "tokenizers"
# What is written by hand and stays: other texts would be other vocabularies.
TEXTS = [p.read_text() for p in sorted((pathlib.Path(__file__).parent / "docs").rglob("*.jsonl"))]
DIGITS = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
# name: tokenizer.ggml.model, tokenizer.ggml.pre, architecture, what is set, and the rule put in
CASES = {
    "smollm": ("gpt2", "smollm", "llama", dict(add_bos=False), DIGITS),
    "llama-bpe": ("gpt2", "llama-bpe", "llama", dict(add_bos=True), None),
    "qwen2": ("gpt2", "qwen2", "qwen2", {}, None),
    "nemo": ("gpt2", "tekken", "llama", dict(add_bos=True, add_eos=True), None),
    "gpt-4o": ("gpt2", "gpt-4o", "llama", {}, None),
    "gpt-2": ("gpt2", "gpt-2", "gpt2", {}, None),
    "spm": ("llama", "default", "llama", {}, None),
    "spm-phi3": ("llama", "default", "phi3", dict(add_bos=False), None),
    "spm-gemma": ("llama", "default", "gemma2", dict(add_bos=True), None),
}


def strings():
    rng = random.Random(5)
    letters = list("abcdefgXYZ 0123456789   .,!'\"-_\n\téßж中ﬁ🙂\u00a0/") + ["<|end|>", "<think>", "'s", "'LL", " the", "▁", "def ", "\r\n"]
    out = ["", " ", "  a", "Hello world", "12345 1234", "it's IT'S", "<|end|>x <think> y"]
    return out + ["".join(rng.choice(letters) for _ in range(rng.randrange(1, 24))) for _ in range(300)]


def train(byte_level):
    t = Tokenizer(models.BPE(byte_fallback=not byte_level))
    if byte_level:
        t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        t.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=500, show_progress=False, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    else:
        t.pre_tokenizer = pre_tokenizers.Metaspace()
        t.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=300, show_progress=False))
    model = json.loads(t.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].get), [" ".join(m) if isinstance(m, list) else m for m in model["merges"]]


def make(name):
    kind, pre, arch, flags, rule = CASES[name]
    w = gguf.GGUFWriter(str(HERE / f"{name}.gguf"), arch)
    w.add_tokenizer_model(kind)
    w.add_tokenizer_pre(pre)
    T = gguf.TokenType
    if kind == "gpt2":
        tokens, merges = train(True)
        tokens = ["<|end|>", "<|start|>"] + tokens + ["<think>"]
        types = [T.CONTROL] * 2 + [T.NORMAL] * (len(tokens) - 3) + [T.USER_DEFINED]
        w.add_token_merges(merges)
        bos, eos = 1, 0
    else:
        tokens, _ = train(False)
        tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + tokens + ["<|end|>", "<think>"]
        if name == "spm-gemma":
            tokens += ["  ", "    "]
        types = [T.UNKNOWN, T.CONTROL, T.CONTROL] + [T.BYTE] * 256 + [T.NORMAL] * (len(tokens) - 259)
        types[tokens.index("<|end|>")], types[tokens.index("<think>")] = T.CONTROL, T.USER_DEFINED
        w.add_token_scores([float(-max(0, i - 259)) for i in range(len(tokens))])
        bos, eos = 1, 2
        w.add_unk_token_id(0)
    w.add_token_list(tokens)
    w.add_token_types(types)
    w.add_bos_token_id(bos); w.add_eos_token_id(eos)
    if "add_bos" in flags:
        w.add_add_bos_token(flags["add_bos"])
    if "add_eos" in flags:
        w.add_add_eos_token(flags["add_eos"])
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
    t = AutoTokenizer.from_pretrained(HERE, gguf_file=f"{name}.gguf")
    if rule is not None:
        t.backend_tokenizer.pre_tokenizer = rule
    known = [{"text": s, "ids": t.encode(s)} for s in strings()]
    (HERE / f"{name}.json").write_text(json.dumps(known, separators=(",", ":")) + "\n")
    print(name, len(tokens), sum(len(k["ids"]) for k in known))


if __name__ == "__main__":
    HERE.mkdir(parents=True, exist_ok=True)
    for name in CASES:
        make(name)
