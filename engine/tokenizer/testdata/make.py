"""Makes the small tokenizers of this folder and the goldens of their ids and decodings.

    pip install -r requirements.txt
    python make.py                      # golden/*.txt, from the tokenizers that are here; trains those that are not
    python make.py --shared DIR         # golden/shared.json: hashes over DIR/tokenizers and DIR/data

A run over the files as committed writes the same goldens again. To train a tokenizer anew, delete its folder first;
two of them (nfkc, suffix) then come out with other tokens each time, as the library's trainer breaks ties at random.
"""
import argparse
import glob
import hashlib
import io
import json
import os
import re
import shutil
import struct
import tempfile

import sentencepiece as spm
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from corpus import HARD, INVALID, LONG, TRAIN

HERE = os.path.dirname(os.path.abspath(__file__))
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|"
    r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BYTES = [f"<0x{b:02X}>" for b in range(256)]


def digest(ids):
    return hashlib.sha256(struct.pack(f"<{len(ids)}i", *ids)).hexdigest()[:16]


def text_digest(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def train(pre, size, normalizer=None, special=(), alphabet=(), **model):
    tok = Tokenizer(models.BPE(**model))
    if normalizer:
        tok.normalizer = normalizer
    if pre:
        tok.pre_tokenizer = pre
    extra = {k: model[k] for k in ("continuing_subword_prefix", "end_of_word_suffix") if k in model}
    tok.train_from_iterator(
        TRAIN,
        trainers.BpeTrainer(vocab_size=size, special_tokens=list(special), initial_alphabet=list(alphabet), show_progress=False, **extra),
    )
    return tok


def byte_level(pre, size, **kw):
    tok = train(pre, size, alphabet=pre_tokenizers.ByteLevel.alphabet(), **kw)
    tok.decoder = decoders.ByteLevel()
    return tok


def template(tok, single, *names):
    return processors.TemplateProcessing(single=single, pair=single + " $B:1", special_tokens=[(n, tok.token_to_id(n)) for n in names])


def llama_decoder():
    return decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])


def with_json(tok, change):
    """The tokenizer with its JSON edited by change."""
    data = json.loads(tok.to_str())
    change(data)
    return Tokenizer.from_str(json.dumps(data))


def gpt2():
    tok = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), 850, special=["<|endoftext|>"])
    tok.post_processor = processors.ByteLevel(trim_offsets=True)
    return tok


def gpt2_prefix():
    tok = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True), 800, special=["<s>", "<pad>", "</s>", "<unk>"])
    tok.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tok


def llama3():
    pre = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated", invert=False), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok = byte_level(pre, 850)

    def whole_words(data):
        # Tokens that no merge makes: only ignore_merges reaches them.
        for word in ["Ġunbelievable", "hello", "Ġworld", "ä½łå¥½", "ĠĠĠĠ"]:
            data["model"]["vocab"].setdefault(word, len(data["model"]["vocab"]))
        data["model"]["ignore_merges"] = True

    tok = with_json(tok, whole_words)
    tok.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>"])
    tok.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template(tok, "<|begin_of_text|> $A", "<|begin_of_text|>")])
    return tok


def qwen2():
    pre = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated", invert=False), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok = byte_level(pre, 800, normalizer=normalizers.NFC())
    tok.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tok.post_processor = processors.ByteLevel(trim_offsets=False)
    return tok


def tekken():
    pre = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(TEKKEN), "isolated", invert=False), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok = byte_level(pre, 750, special=["<unk>", "<s>", "</s>"])
    tok.post_processor = template(tok, "<s> $A", "<s>")
    return tok


def splits():
    """Several Splits in a row, as DeepSeek and StarCoder have them."""
    pre = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"[\r\n]"), "isolated", invert=False),
        pre_tokenizers.Split(Regex(r"\s?\p{L}+"), "isolated", invert=False),
        pre_tokenizers.Split(Regex(r"\s?\p{P}+"), "isolated", invert=False),
        pre_tokenizers.Split(Regex(r"[一-龥ࠀ-一가-퟿]+"), "isolated", invert=False),
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
    ])
    return byte_level(pre, 700, special=["<|endoftext|>"])


def behaviors():
    """Every behavior of Split, plain and inverted, on strings and regexes."""
    pre = pre_tokenizers.Sequence([
        pre_tokenizers.Split("the", "merged_with_previous", invert=False),
        pre_tokenizers.Split(Regex(r"[.,!?]+(?=\s|$)"), "merged_with_next", invert=False),
        pre_tokenizers.Split(Regex(r"\d"), "contiguous", invert=False),
        pre_tokenizers.Split("-", "merged_with_next", invert=False),
        pre_tokenizers.Split("x", "removed", invert=False),
        pre_tokenizers.Split(Regex(r"[a-z]+|[A-Z]+|[^a-zA-Z]+"), "removed", invert=True),
        pre_tokenizers.Split(Regex(r"ab"), "merged_with_previous", invert=True),
        pre_tokenizers.Split(Regex(r"b*"), "isolated", invert=False),
        pre_tokenizers.Punctuation("contiguous"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    norm = normalizers.Sequence([normalizers.Replace(Regex(r" {3,}"), " \u2423 "), normalizers.Replace("==", "="), normalizers.Replace(Regex(r"^#"), "sharp ")])
    return byte_level(pre, 700, normalizer=norm, special=["<|endoftext|>"])


def metaspace(scheme, split, size, **kw):
    pre = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme, split=split)
    tok = train(pre, size, special=["<unk>", "<s>", "</s>"], unk_token="<unk>", **kw)
    tok.decoder = decoders.Metaspace(replacement="▁", prepend_scheme=scheme, split=split)
    tok.post_processor = template(tok, "<s> $A </s>", "<s>", "</s>")
    return tok


def metaspace_always():
    return metaspace("always", True, 750, fuse_unk=False)


def metaspace_first():
    """Mistral's newer layout: the prefix on the first stretch only, the text in one piece, bytes for the unknown."""
    tok = train(pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=True), 1000, special=["<unk>", "<s>", "</s>"] + BYTES,
                unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tok.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    tok.decoder = llama_decoder()
    tok.post_processor = template(tok, "<s> $A", "<s>")
    return with_json(tok, only_named_added)


def metaspace_never():
    tok = metaspace("never", True, 750, fuse_unk=True)
    tok.normalizer = normalizers.Sequence([normalizers.Strip(left=True, right=False), normalizers.NFD()])
    return tok


def metaspace_cross():
    """Tokens that reach over a space, so that the text cannot be cut at spaces."""
    tok = train(pre_tokenizers.Split(Regex(r"[.!?\n]+"), "isolated", invert=False), 750, normalizer=normalizers.Replace(" ", "▁"),
                special=["<unk>", "<s>", "</s>"], unk_token="<unk>", fuse_unk=True)
    tok.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    tok.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    return tok


def only_named_added(data):
    data["added_tokens"] = [t for t in data["added_tokens"] if not t["content"].startswith("<0x")]


def llama2():
    """The layout converted Llama-2 checkpoints have."""
    tok = train(pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True), 1050, special=["<unk>", "<s>", "</s>"] + BYTES,
                unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tok = with_json(tok, only_named_added)
    tok.pre_tokenizer = None
    tok.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tok.decoder = llama_decoder()
    tok.post_processor = template(tok, "<s> $A", "<s>")

    def sparse(data):  # some bytes are missing, so that some characters stay unknown
        for b in ["<0xF0>", "<0xE0>"]:
            i = data["model"]["vocab"].pop(b)
            data["model"]["vocab"][b.lower() + "gone"] = i

    return with_json(tok, sparse)


def nfkc():
    tok = train(pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=False)]), 750,
                normalizer=normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.Strip()]),
                special=["[UNK]", "[CLS]", "[SEP]"], unk_token="[UNK]", continuing_subword_prefix="##")
    tok.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return tok


def suffix():
    tok = train(pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]), 750, normalizer=normalizers.NFKD(),
                special=["<unk>"], unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=True)
    tok.decoder = decoders.BPEDecoder(suffix="</w>")
    return tok


def flags():
    """Added tokens with every flag, over a normalizer."""
    tok = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), 800, normalizer=normalizers.NFC())
    tok.add_special_tokens([AddedToken("<|endoftext|>", special=True), AddedToken("<left>", lstrip=True), AddedToken("<right>", rstrip=True),
                            AddedToken("<both>", lstrip=True, rstrip=True)])
    tok.add_tokens([AddedToken("word", single_word=True, normalized=False), AddedToken("naïve", normalized=True), AddedToken("nai\u0308ve", normalized=False),
                    AddedToken("Added"), AddedToken("AddedLong"), AddedToken("AddedLonger", normalized=False), AddedToken("  ", normalized=True),
                    AddedToken("boats", single_word=True, lstrip=True, rstrip=True), AddedToken("the", normalized=True, rstrip=True), AddedToken("你好", normalized=False)])
    tok.post_processor = template(tok, "$A <|endoftext|>", "<|endoftext|>")
    return tok


def flags_prepend():
    """Added tokens over a normalizer that changes them: they are looked for as it spells them."""
    tok = llama2()
    tok.add_special_tokens([AddedToken("<user>", normalized=True, special=True), AddedToken("<sep/>", normalized=False, special=True)])
    tok.add_tokens([AddedToken("Added", normalized=True), AddedToken("AddedLong", normalized=True, single_word=True), AddedToken("the", normalized=False, lstrip=True)])
    return tok


def legacy_merges(data):
    data["model"]["merges"] = [" ".join(m) for m in data["model"]["merges"]]


FAMILIES = [gpt2, gpt2_prefix, llama3, qwen2, tekken, splits, behaviors, metaspace_always, metaspace_first, metaspace_never, metaspace_cross,
            llama2, nfkc, suffix, flags, flags_prepend]


def strings():
    return HARD + [bytes.fromhex(h).decode("utf-8", "replace") for h in INVALID] + [text * n for text, n in LONG]


def codepoint_texts():
    """One text for every 4,096 code points: each of them after a letter, after a space, after a digit and twice."""
    for start in range(0, 0x110000, 4096):
        codes = [c for c in range(start, start + 4096) if not 0xD800 <= c < 0xE000]
        if not codes or 0x30000 < start < 0xE0000 or start >= 0xF0000:
            continue
        yield start, "".join(f"a{chr(c)} {chr(c)}1{chr(c)}{chr(c)}\u0315\u0334'{chr(c)}" for c in codes)


# The families whose Unicode behavior differs: these are also tried on every code point.
CODEPOINTS = {"gpt2", "llama3", "tekken", "nfkc", "suffix", "metaspace-never", "flags", "llama2", "spm-rules"}


def row(encode, decode, s):
    """One string's line: the number of ids with special tokens, the ids (a hash where there are many), and a hash
    over the ids without special tokens and both decodings."""
    ids = encode(s, True)
    rest = "\0".join([digest(encode(s, False)), text_digest(decode(ids, False)), text_digest(decode(ids, True))])
    return f"{len(ids)} {','.join(map(str, ids)) if 0 < len(ids) <= 8 else '#' + digest(ids)[:8]} {text_digest(rest)[:8]}"


def golden(encode, decode, name):
    with open(os.path.join(HERE, "golden", name + ".txt"), "w", encoding="utf-8") as f:
        for s in strings():
            f.write(row(encode, decode, s) + "\n")
        for start, text in codepoint_texts() if name in CODEPOINTS else ():
            f.write(f"U+{start:05X} {digest(encode(text, False))[:8]}\n")


def save(tok, path, change=None):
    data = json.loads(tok.to_str())
    if change:
        change(data)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(data, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")


def make_json_families():
    for family in FAMILIES:
        name = family.__name__.replace("_", "-")
        path = os.path.join(HERE, name, "tokenizer.json")
        if not os.path.exists(path):
            save(family(), path, change=legacy_merges if family in (gpt2_prefix, suffix, metaspace_always) else None)
        tok = Tokenizer.from_file(path)
        golden(lambda s, special: tok.encode(s, add_special_tokens=special).ids, lambda ids, skip: tok.decode(ids, skip_special_tokens=skip),
               name)
        print(name, tok.get_vocab_size(), os.path.getsize(path))


def special_pattern(sp):
    """Control and unknown pieces, longest first: transformers matches them in the text as special tokens."""
    names = [sp.id_to_piece(i) for i in range(sp.get_piece_size()) if sp.is_control(i) or sp.is_unknown(i)]
    return re.compile("|".join(re.escape(n) for n in sorted(names, key=len, reverse=True)))


def sp_encoder(sp):
    special = special_pattern(sp)

    def encode(text, add):
        ids = [sp.bos_id()] if add else []
        last = 0
        for m in special.finditer(text):
            ids += sp.encode(text[last:m.start()]) + [sp.piece_to_id(m.group())]
            last = m.end()
        return ids + sp.encode(text[last:])

    return encode


def sp_decoder(sp, dummy_prefix=True):
    """transformers' decoder for Llama: tokenizers' own steps over the pieces. The first space goes where encoding adds one."""
    steps = llama_decoder() if dummy_prefix else decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])

    def decode(ids, skip):
        kept = [i for i in ids if not (skip and (sp.is_control(i) or sp.is_unknown(i)))]
        return steps.decode([sp.id_to_piece(i) for i in kept])

    return decode


def make_sentencepiece():
    rows = [("ﬁ", "fi"), ("½", "1/2"), ("é", "e"), ("e\u0301", "e"), ("\u3000", " "), ("\u00a0", " "), ("Ａ", "A"), ("…", "..."), ("\u200b", ""), ("ABC", "abc"), ("AB", "ba")]
    os.chdir(HERE)
    tsv = "spm-rules.tsv"  # the model keeps this name
    with open(tsv, "w", encoding="utf-8") as f:
        for a, b in sorted(rows):
            f.write(" ".join(f"{ord(c):X}" for c in a) + "\t" + " ".join(f"{ord(c):X}" for c in b) + "\n")
    common = dict(model_type="bpe", num_threads=1, minloglevel=2)
    makers = {
        "spm": dict(vocab_size=1100, byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, character_coverage=0.98,
                    split_digits=True, allow_whitespace_only_pieces=True),
        "spm-rules": dict(vocab_size=800, normalization_rule_tsv=tsv, user_defined_symbols=["<user>", "the", "ab", "中"], control_symbols=["<sep/>"],
                          character_coverage=0.98, hard_vocab_limit=False),
        "spm-plain": dict(vocab_size=900, byte_fallback=True, normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=True,
                          split_by_whitespace=False, max_sentencepiece_length=12, bos_id=3, eos_id=4, pad_id=5, bos_piece="<begin>", eos_piece="<end>"),
    }
    for name, kw in makers.items():
        path = os.path.join(HERE, name, "tokenizer.model")
        if not os.path.exists(path):
            out = io.BytesIO()
            spm.SentencePieceTrainer.train(sentence_iterator=iter(TRAIN), model_writer=out, **common, **kw)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(out.getvalue())
        sp = spm.SentencePieceProcessor(model_file=path)
        decode = sp_decoder(sp, kw.get("add_dummy_prefix", True))
        golden(sp_encoder(sp), decode, name)
        print(name, sp.get_piece_size(), os.path.getsize(path))
    os.remove(tsv)


def fields(value, path=""):
    """Every string in a JSON value, with the path of its field."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for k in sorted(value):
            yield from fields(value[k], f"{path}.{k}" if path else k)
    elif isinstance(value, list):
        for v in value:
            yield from fields(v, path + "[]")


BATCH = 256  # strings of a field hashed together
HARD_BLOCK = 8  # hard strings hashed together


def make_shared(shared):
    encoders = {}
    for name in ["gpt-neox", "mistral-v0.3"]:
        tok = Tokenizer.from_file(os.path.join(shared, "tokenizers", name, "tokenizer.json"))
        encoders[name] = (lambda s, add, tok=tok: tok.encode(s, add_special_tokens=add).ids, lambda ids, skip, tok=tok: tok.decode(ids, skip_special_tokens=skip))
    sp = spm.SentencePieceProcessor(model_file=os.path.join(shared, "tokenizers", "llama2", "tokenizer.model"))
    encoders["llama2"] = (sp_encoder(sp), sp_decoder(sp))
    out = {}
    for name, (encode, decode) in encoders.items():
        out[name] = {"files": {}}
        for path in sorted(glob.glob(os.path.join(shared, "data", "**", "*.jsonl"), recursive=True)):
            texts = {}
            with open(path, encoding="utf-8") as f:
                for line in f:
                    for field, text in fields(json.loads(line)):
                        texts.setdefault(field, []).append(text)
            rel = os.path.relpath(path, shared).replace(os.sep, "/")
            for field, all_texts in texts.items():
                batches, n, text_hash = [], 0, hashlib.sha256()
                for i in range(0, len(all_texts), BATCH):
                    h = hashlib.sha256()
                    for t in all_texts[i : i + BATCH]:
                        ids = encode(t, True)
                        n += len(ids)
                        h.update(struct.pack(f"<i{len(ids)}i", len(ids), *ids))
                        text_hash.update(decode(ids, True).encode("utf-8") + b"\0")
                    batches.append(h.hexdigest()[:16])
                out[name]["files"][f"{rel}#{field}"] = {"strings": len(all_texts), "ids": n, "batches": batches, "text": text_hash.hexdigest()[:16]}
        rows = [row(encode, decode, s) for s in strings()]
        out[name]["hard"] = [text_digest("\n".join(rows[i : i + HARD_BLOCK]))[:8] for i in range(0, len(rows), HARD_BLOCK)]
        out[name]["codepoints"] = {f"U+{start:05X}": digest(encode(text, False))[:8] for start, text in codepoint_texts()}
    with open(os.path.join(HERE, "golden", "shared.json"), "w", encoding="utf-8") as f:
        json.dump(out, f, separators=(",", ":"))
        f.write("\n")


# Settings beside a tokenizer: (folder, tokenizer_config.json, special_tokens_map.json, sections changed in tokenizer.json).
TOKEN = {"lstrip": False, "rstrip": False, "single_word": False, "normalized": False, "special": True}
CONFIGS = [
    ("gpt2", None, None, None),
    ("gpt2", {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "model_max_length": 1024}, None, None),
    ("gpt2", {"bos_token": None, "eos_token": {"content": "<|endoftext|>", **TOKEN, "__type": "AddedToken"}, "model_max_length": 1000000000000000019884624838656}, None, None),
    ("gpt2", {"eos_token": "<|endoftext|>", "added_tokens_decoder": {
        "0": {"content": "<|endoftext|>", **TOKEN, "lstrip": True, "rstrip": True}, "2000": {"content": "<user>", **TOKEN}, "2001": {"content": "  three", **TOKEN, "special": False, "normalized": True}}}, None, None),
    ("gpt2", {"pad_token": "[PAD]", "eos_token": "the", "unk_token": "<unk>"}, None, None),
    ("gpt2", {"eos_token": "<s>"}, {"bos_token": "<s>", "eos_token": {"content": "</s>", **TOKEN, "rstrip": True}, "pad_token": "[PAD]"}, None),
    ("gpt2", {"eos_token": "<s>", "added_tokens_decoder": {"0": {"content": "<|endoftext|>", **TOKEN}}}, {"bos_token": "<left>", "eos_token": "</s>"}, None),
    ("gpt2", {"bos_token": "<s>", "additional_special_tokens": ["<user>", "<sep/>"]}, None, None),
    ("gpt2", {"bos_token": "<s>", "extra_special_tokens": ["<user>", "<sep/>"]}, None, None),
    ("gpt2", None, {"eos_token": "</s>", "additional_special_tokens": ["<user>", "<sep/>"]}, None),
    ("gpt2", {"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": True, "add_eos_token": True}, None, None),
    ("gpt2", {"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": True}, None, {"post_processor": None}),
    ("gpt2", {"eos_token": "<|endoftext|>", "split_special_tokens": True}, None, None),
    ("gpt2", {"eos_token": "<|endoftext|>", "clean_up_tokenization_spaces": True}, None, None),
    ("llama3", {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>", "add_bos_token": False}, None, None),
    ("llama3", {"bos_token": "<|end_of_text|>", "eos_token": "<|end_of_text|>"}, None, None),
    ("llama3", {"bos_token": "<|begin_of_text|>"}, None, {
        "truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "!"}}),
    ("metaspace-first", {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "legacy": True, "add_prefix_space": False}, None, None),
    ("flags", {"eos_token": "<|endoftext|>", "pad_token": "word"}, None, None),
    ("spm", None, None, None),
    ("spm", {"add_bos_token": False, "add_eos_token": False}, None, None),
    ("spm", {"add_bos_token": True, "add_eos_token": True, "bos_token": "<s>", "eos_token": "</s>"}, None, None),
    ("spm", {"legacy": False, "add_bos_token": True, "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}, None, None),
]
CONFIG_TEXTS = ["", "Hello world", " the lamp", "a <|endoftext|> b", "<user>hi<sep/> x", "x [PAD] y", "<s>a</s> b", "a <s> the <unk>", "  three  spaces", "the word, Added.", "<|begin_of_text|>x<|end_of_text|>", "<left> 5 boats !"]


def make_configs():
    from transformers import LlamaTokenizer, PreTrainedTokenizerFast

    out = []
    for base, config, special, sections in CONFIGS:
        case = {"base": base, "config": config, "special": special, "sections": sections}
        is_sp = base.startswith("spm")
        with tempfile.TemporaryDirectory() as folder:
            if is_sp:
                shutil.copy(os.path.join(HERE, base, "tokenizer.model"), folder)
            else:
                with open(os.path.join(HERE, base, "tokenizer.json"), encoding="utf-8") as f:
                    data = json.load(f)
                data.update(sections or {})
                with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as f:
                    json.dump(data, f)
            for name, value in [("tokenizer_config.json", config), ("special_tokens_map.json", special)]:
                if value is not None:
                    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                        json.dump(value, f)
            if is_sp and not (config or {}).get("legacy") is False:
                sp = spm.SentencePieceProcessor(model_file=os.path.join(folder, "tokenizer.model"))
                encode, config = sp_encoder(sp), config or {}
                bos, eos = config.get("add_bos_token", True), config.get("add_eos_token", False)
                case["ids"] = [([sp.bos_id()] if bos else []) + encode(t, False) + ([sp.eos_id()] if eos else []) for t in CONFIG_TEXTS]
                case["skip"] = [sp_decoder(sp)(ids, True) for ids in case["ids"]]
                case["bos"], case["eos"], case["vocab"] = sp.bos_id(), sp.eos_id(), sp.get_piece_size()
            else:
                tok = (LlamaTokenizer if is_sp else PreTrainedTokenizerFast).from_pretrained(folder)
                case["ids"] = [tok(t)["input_ids"] for t in CONFIG_TEXTS]
                case["skip"] = [tok.decode(ids, skip_special_tokens=True) for ids in case["ids"]]
                case["bos"], case["eos"] = tok.bos_token_id, tok.eos_token_id
                case["vocab"] = max(tok.get_vocab().values()) + 1
        out.append(case)
    with open(os.path.join(HERE, "golden", "config.json"), "w", encoding="utf-8") as f:
        f.write('{"texts": ' + json.dumps(CONFIG_TEXTS) + ',\n"cases": [\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in out) + "\n]}\n")


def write_strings():
    with open(os.path.join(HERE, "strings.json"), "w", encoding="utf-8") as f:
        json.dump({"hard": HARD, "invalid": INVALID, "long": LONG}, f, ensure_ascii=True, indent=0)
        f.write("\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared")
    parser.add_argument("--configs", action="store_true", help="golden/config.json only")
    args = parser.parse_args()
    os.makedirs(os.path.join(HERE, "golden"), exist_ok=True)
    if args.shared:
        make_shared(args.shared)
        return
    write_strings()
    if args.configs:
        return make_configs()
    make_json_families()
    make_sentencepiece()
    make_configs()


if __name__ == "__main__":
    main()
