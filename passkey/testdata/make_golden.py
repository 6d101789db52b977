#!/usr/bin/env python3
"""Fills golden.json with what Hugging Face's tokenizers makes of the passkey prompts.

golden.json lists the trials of a grid: tokenizer, key, and how many characters of garbage stand before
and after it (`go test ./passkey -run RealTokenizers -plan` writes that list). This script builds each
text by itself, encodes it with the tokenizers library (sentencepiece for a tokenizer.model), and
writes the number of tokens, the first id, the hash of the ids, and the ids of the answer.

    pip install tokenizers==0.23.3 sentencepiece==0.2.3
    python make_golden.py DIRECTORY_OF_TOKENIZERS
"""

import hashlib
import importlib.metadata
import json
import os
import struct
import sys

import sentencepiece
from tokenizers import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
GARBAGE = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again."


def text(key, before, after):
    endless = " ".join([GARBAGE] * (max(before, after) // len(GARBAGE) + 2))
    return "\n".join(
        [
            "There is an important info hidden inside a lot of irrelevant text. Find it and memorize them. "
            "I will quiz you about the important information there.",
            endless[:before],
            f"The pass key is {key}. Remember it. {key} is the pass key.",
            endless[:after],
            "What is the pass key? The pass key is",
        ]
    )


def load(directory):
    """A function from text to ids with the special tokens that are added by default."""
    file = os.path.join(directory, "tokenizer.json")
    if os.path.exists(file):
        tok = Tokenizer.from_file(file)
        return lambda s: tok.encode(s).ids
    sp = sentencepiece.SentencePieceProcessor(os.path.join(directory, "tokenizer.model"))
    return lambda s: [sp.bos_id()] + sp.encode(s)


def main():
    path = os.path.join(HERE, "golden.json")
    with open(path, encoding="utf-8") as f:
        trials = json.load(f)["trials"]
    encoders = {}
    for t in trials:
        name = t["tokenizer"]
        if name not in encoders:
            encoders[name] = load(os.path.join(sys.argv[1], name))
        encode = encoders[name]
        prompt = text(t["key"], t["before"], t["after"])
        ids, whole = encode(prompt), encode(f"{prompt} {t['key']}")
        assert whole[: len(ids)] == ids
        t["tokens"], t["first"], t["answer"] = len(ids), ids[0], whole[len(ids) :]
        t["prompt"] = hashlib.sha256(struct.pack(f"<{len(ids)}i", *ids)).hexdigest()
    made = {
        "made_by": "passkey/testdata/make_golden.py",
        "versions": {p: importlib.metadata.version(p) for p in ("tokenizers", "sentencepiece")},
        "trials": trials,
    }
    with open(path, "w", encoding="utf-8") as f:
        f.write(json.dumps(made, separators=(",", ":")).replace("},{", "},\n{") + "\n")


if __name__ == "__main__":
    main()
