"""Makes boundary.json and the tokenizers merge/, merge-bos/ and metaspace/: what
lm-evaluation-harness feeds and answers where a context meets its continuation.

    python make_boundary.py

The weights are tiny/'s. README.md describes the format.
"""

import importlib.metadata
import json
import os
import pathlib
import shutil
import tempfile

SCRATCH = tempfile.mkdtemp(prefix="golden")
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_HOME=SCRATCH, TQDM_DISABLE="1", TOKENIZERS_PARALLELISM="false")

import torch  # noqa: E402
from lm_eval.api.instance import Instance  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers  # noqa: E402

from make_tasks import ids_hash  # noqa: E402

HERE = pathlib.Path(__file__).parent
FORMAT = 1
VOCAB = 512  # tiny/'s

# Our own words; those that stand together often become one token, blanks and all.
TEXTS = [
    "I went to the supermarket today. I went to the super market today.",
    "the miller walked to the mill, and the mill was open. the baker came from the oven.",
    "Question: Who went to the mill?\nAnswer: the miller\n\nQuestion: Who came from the oven?\nAnswer: the baker\n\n",
    "def walk(x):\n    return x + 1\n\n\tif x == 1:\n\t\tprint('x')\n    for i in range(10):\n        y[i] = x\n",
    "我今天去了超市。我今天去了磨坊。磨坊开着门。",
    "粉屋は水車小屋へ行きました。パン屋は行きました。",
    "방앗간에 갔습니다. 빵집에 갔습니다.",
    "cafe\u0301 café naïve\u00a0\u2003end \u3000 wide",
]


def trained(model, pre_tokenizer, decoder, alphabet):
    tok = Tokenizer(model)
    tok.pre_tokenizer, tok.decoder = pre_tokenizer, decoder
    tok.train_from_iterator(TEXTS * 3, trainers.BpeTrainer(
        vocab_size=VOCAB, special_tokens=["<s>", "</s>"] + alphabet[1], show_progress=False, min_frequency=2,
        max_token_length=24, initial_alphabet=alphabet[0]))
    return tok


def save(name, tok, bos):
    path = HERE / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    config = dict(tokenizer_class="PreTrainedTokenizerFast", eos_token="</s>", model_max_length=256,
                  clean_up_tokenization_spaces=False)
    if bos:
        config["bos_token"] = "<s>"
        tok.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 0)])
    tok.save(str(path / "tokenizer.json"), pretty=False)
    (path / "tokenizer_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")


def make_tokenizers():
    """Byte-level BPE over whole texts, without and with BOS; and BPE over whole
    texts with ▁ for blanks and one in front, bytes for what it does not know."""
    whole = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tok = trained(models.BPE(), whole, decoders.ByteLevel(), (pre_tokenizers.ByteLevel.alphabet(), []))
    save("merge", tok, bos=False)
    save("merge-bos", tok, bos=True)
    meta = trained(models.BPE(byte_fallback=True, unk_token="</s>", fuse_unk=True),
                   pre_tokenizers.Metaspace(prepend_scheme="first", split=False),
                   decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]),
                   ([], [f"<0x{b:02X}>" for b in range(256)]))
    text = json.loads(meta.to_str())
    # The bytes are pieces of the model, and no special tokens.
    text["added_tokens"] = [t for t in text["added_tokens"] if not t["content"].startswith("<0x")]
    save("metaspace", Tokenizer.from_str(json.dumps(text)), bos=True)


BLANKS = [" ", "  ", "\n", "\n\n", "\t", "\r\n", " \n\t ", "\v", "\f", "\x1c", "\x1f", "\x85", "\u00a0", "\u1680",
          "\u2003", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u200b", "\ufeff", "\u180e", "\u2060"]

SHOT = "Question: Who went to the mill?\nAnswer: the miller"
ASK = "Question: Who came from the oven?\nAnswer:"


def cases():
    """(context, continuation) by hand: everything that a join can be. Most come more than once."""
    for a, b in [("I went to the super", "market today"), ("I went to the", "super market"), ("the mil", "ler walked"),
                 ("the miller walked to", " the mill"), ("I went to th", "e supermarket today."), ("wal", "ked"),
                 ("Answer", ": the miller"), ("Answer:", " the miller\n\nQuestion: Who"), ("Who", "Who"),
                 ("我今天去了", "超市。"), ("我今天", "去了磨坊"), ("磨", "坊"), ("粉屋は水車小屋へ", "行きました。"),
                 ("방앗간에 갔", "습니다."), ("cafe", "\u0301"), ("cafe\u0301", " naïve"), ("na", "ïve"), ("👩", "\u200d👩"),
                 ("def walk(x):\n    ", "return x + 1"), ("def walk(x):\n   ", " return x"), ("def walk(x):", "\n    return"),
                 ("\tif x ==", " 1:\n\t\tprint"), ("for i in range(1", "0):"), ("y[i", "] = x"), ("x +", "= 1"),
                 ("1", "0"), ("10", "10"), ("end", ".")]:
        yield a, b  # no delimiter
        yield a, " " + b  # a blank between
        yield a, "\n" + b  # a line break between
    for b in BLANKS:
        yield "the mill" + b, "was open"  # blank ends the context
        yield "the mill", b + "was open"  # blank begins the continuation
        yield "the mill" + b, b + "was open"  # blank on both sides
        yield b + "the mill", " was open"  # blank begins the context
        yield "the mill", " was open" + b  # blank ends the continuation
        yield b, "the mill"  # context of blanks
        yield b + b, " the mill"  # context of blanks twice
        yield "the mill", b  # continuation of blanks
        yield b, b  # blanks alone
        yield "", b  # blanks after nothing
        yield b, ""  # nothing after blanks
    for b in ["the mill", " the mill", "<s>", "<s>the mill", "</s>", "</s>the mill", " <s>the mill", "超市。", "\n"]:
        yield "", b  # empty context
    for a in ["the mill", "the mill ", "<s>", "</s>", "", "a"]:
        yield a, ""  # empty continuation
    for a, b in [("<s>the mill", " was open"), ("<s>", "the mill"), ("<s> ", "the mill"), ("</s>the mill", " was open"),
                 ("the mill", "<s> was"), ("the mill", "</s>"), ("the mill ", "<s>"), ("<s><s>", "<s>"), ("<s", "> open"),
                 (" <s>the mill", " was"), ("</s>", " </s>"), ("<", "s>the mill")]:
        yield a, b  # text of special tokens
    for n in [60, 127, 128, 250, 251, 252, 253, 254, 255, 256, 257, 258, 259, 260, 400]:
        yield "the mill", "\x01" * n  # long continuation
        yield "", "\x01" * n  # long continuation after nothing
        yield "\x01" * n, " was open"  # long context
        yield "\x01" * n + " the super", "market today"  # long context, merged join
    for delimiter in ["\n\n", " ", "", "\t", "\n\nQuestion: Who came from the oven?\nAnswer: the baker\n\n"]:
        for target in [" ", "", "\n", "\t", " = ", "\u3000"]:
            for answer in ["the miller", "the baker", "", " the baker", "我"]:
                yield SHOT + delimiter + ASK, target + answer  # few-shot and target delimiter
    for option in ["the miller", "the baker", "", "我"]:
        yield f"the mill was open, and {option}", " walked to the mill."  # partial context
        yield f"the mill was open, and {option}", "walked to the mill."  # partial context, no blank
        yield option, " walked to the mill."  # partial context at the start
    for text in ["I went to the super market", "the miller walked to the mill", "the baker came from the oven", "a b", "word",
                 "我今天 去了", "the mill,  and", "the mill and\nthe mill", " the", "the "]:
        head, _, last = text.rpartition(" ")
        yield head, " " + last  # last word
        yield head, last  # last word, no delimiter


ROLLING = ["", " ", "\n", "<s>", "<s>the mill", "</s>the mill", " the mill", "the mill\n", "我今天去了超市。", "a",
           "I went to the supermarket today.", "def walk(x):\n    return x + 1\n"] + \
    ["\x01" * n for n in (254, 255, 256, 257, 511, 512, 513, 700)]


class Recorder(HFLM):
    """The harness's own model, which remembers what it was about to feed."""

    def _loglikelihood_tokens(self, requests, **kwargs):
        self.seen += [(list(context), list(continuation)) for _, context, continuation in requests]
        return super()._loglikelihood_tokens(requests, **kwargs)


def answer(lm, kind, *args):
    """What the harness answers, or the name of the error it stops with."""
    lm.seen = []
    request = Instance(request_type=kind, doc={}, arguments=args, idx=0)
    try:
        got = getattr(lm, kind)([request], disable_tqdm=True)[0]
    except (AssertionError, IndexError) as e:
        return [type(e).__name__]
    windows = [(ids_hash(a + b), len(a), len(b)) for a, b in lm.seen]
    if kind == "loglikelihood_rolling":
        return [windows, round(got, 5)]
    return [*windows[0], round(got[0], 5), got[1]]


def pack(text):
    """A long run of one character is [it, how many, what follows]."""
    n = len(text) - len(text.lstrip("\x01"))
    return ["\x01", n, text[n:]] if n else text


def dump(row):
    return json.dumps(row, ensure_ascii=True, separators=(",", ":"))


def main():
    torch.set_num_threads(1)
    make_tokenizers()
    lines = []
    for name in ["tiny", "tiny-nobos", "merge", "merge-bos", "metaspace"]:
        lm = Recorder(pretrained=str(HERE / "tiny"), tokenizer=str(HERE / name), device="cpu", dtype="float32", batch_size=1)
        rows = []
        for context, continuation in dict.fromkeys(cases()):
            rows.append([pack(context), pack(continuation), *answer(lm, "loglikelihood", context, continuation)])
        rolling = [[pack(t), *answer(lm, "loglikelihood_rolling", t)] for t in ROLLING]
        head = dict(tokenizer=name, max_length=lm.max_length, prefix_token=lm.prefix_token_id)
        lines.append(json.dumps(head)[:-1] + ', "requests": [\n' + ",\n".join(map(dump, rows))
                     + '\n], "rolling": [\n' + ",\n".join(map(dump, rolling)) + "\n]}")
        print(f"{name}: {len(rows)} requests, {sum(len(r) == 3 for r in rows)} refused, "
              f"{sum(r[-1] is True for r in rows)} greedy", flush=True)
    versions = {m: importlib.metadata.version(m) for m in ("lm-eval", "transformers", "tokenizers", "torch")}
    (HERE / "boundary.json").write_text(
        json.dumps(dict(format=FORMAT, versions=versions))[:-1] + ', "sets": [\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
