"""Makes the small Unigram, WordPiece and WordLevel tokenizers of this folder, those of the further normalizers and
pre-tokenizers, and the goldens of their ids and decodings (transformers 5.24's tokenizers 0.23.3, sentencepiece 0.2.3).

    python make_models.py               # trains those that are not here; delete a folder to train it anew
"""
import io
import json
import os

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as pb
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import make
from corpus import TRAIN
from make import BYTES, HERE, byte_level, golden, llama_decoder, save, sp_decoder, sp_encoder, template

RULES = [("ﬁ", "fi"), ("½", "1/2"), ("é", "e"), ("e\u0301", "e"), ("\u3000", " "), ("\u00a0", " "), ("Ａ", "A"), ("…", "..."), ("\u200b", ""),
         ("a", "ä"), ("B", "b"), ("©", "(c)"), ("\u0600", "#"), ("\u1161", "A"), ("1", "one"), ("\r\n", "\n"), ("中", "")]


def train_spm(**kw):
    """A SentencePiece model with RULES as its normalization."""
    tsv = os.path.join(HERE, "rules.tsv")
    with open(tsv, "w", encoding="utf-8") as f:
        for a, b in sorted(RULES):
            f.write(" ".join(f"{ord(c):X}" for c in a) + "\t" + " ".join(f"{ord(c):X}" for c in b) + "\n")
    out = io.BytesIO()
    spm.SentencePieceTrainer.train(sentence_iterator=iter(TRAIN), model_writer=out, num_threads=1, minloglevel=2, normalization_rule_tsv=tsv, **kw)
    os.remove(tsv)
    m = pb.ModelProto()
    m.ParseFromString(out.getvalue())
    m.normalizer_spec.normalization_rule_tsv = ""
    return m


def tie(m):
    """Scores rounded to halves, so that many ways to cut a word have the same sum."""
    for p in m.pieces:
        if p.type == 1:
            p.score = round(p.score * 2) / 2
    return m


def spm_unigram():
    m = tie(train_spm(model_type="unigram", vocab_size=700, hard_vocab_limit=False, user_defined_symbols=["<user>", "the", "ab"], control_symbols=["<sep/>"],
                      character_coverage=0.98))
    for i, p in enumerate(m.pieces):
        if p.type == 1 and i % 41 == 0:
            p.type = 5  # unused
    return m


def spm_unigram_bytes():
    return train_spm(model_type="unigram", vocab_size=900, hard_vocab_limit=False, byte_fallback=True, character_coverage=0.98, remove_extra_whitespaces=False,
                     split_by_whitespace=False)


def unigram_vocab(size, special):
    tok = Tokenizer(models.Unigram())
    tok.pre_tokenizer = pre_tokenizers.Metaspace()
    tok.train_from_iterator(TRAIN, trainers.UnigramTrainer(vocab_size=size, special_tokens=special, unk_token="<unk>", show_progress=False))
    return json.loads(tok.to_str())["model"]["vocab"]


def unigram():
    """T5's layout, ties included."""
    vocab = [(t, round(s * 2) / 2) for t, s in unigram_vocab(600, ["<pad>", "</s>", "<unk>"])]
    tok = Tokenizer(models.Unigram(vocab, unk_id=2, byte_fallback=False))
    charsmap = train_spm(model_type="unigram", vocab_size=300, hard_vocab_limit=False).normalizer_spec.precompiled_charsmap
    tok.normalizer = normalizers.Precompiled(charsmap)
    tok.pre_tokenizer = pre_tokenizers.Metaspace()
    tok.decoder = decoders.Metaspace()
    tok.add_special_tokens(["<pad>", "</s>", "<unk>"])
    tok.post_processor = template(tok, "$A </s>", "</s>")
    return tok


def unigram_bytes():
    """XLM-R's layout with bytes for the unknown, of which some are missing; text in one piece."""
    vocab = unigram_vocab(500, ["<s>", "<unk>", "</s>"])
    vocab += [(b, 0.0) for b in BYTES if b not in ("<0xF0>", "<0xE0>")]
    tok = Tokenizer(models.Unigram([tuple(v) for v in vocab], unk_id=1, byte_fallback=True))
    tok.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tok.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tok.decoder = llama_decoder()
    tok.add_special_tokens(["<s>", "<unk>", "</s>"])
    tok.post_processor = template(tok, "<s> $A </s>", "<s>", "</s>")
    return tok


def wordpiece():
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=30))
    tok.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.train_from_iterator(TRAIN, trainers.WordPieceTrainer(vocab_size=600, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    tok.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    tok.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tok


def wordlevel():
    tok = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tok.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()])
    tok.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.CharDelimiterSplit("-"), pre_tokenizers.Whitespace()])
    tok.train_from_iterator(TRAIN, trainers.WordLevelTrainer(vocab_size=400, special_tokens=["[UNK]", "[SEP]"], show_progress=False))
    tok.post_processor = template(tok, "$A [SEP]", "[SEP]")
    return tok


def byte_steps(pre, normalizer=None):
    """Byte-level, so that the ids show every cut and every character."""
    return byte_level(pre_tokenizers.Sequence(pre + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]), 600, normalizer=normalizer,
                      special=["<|endoftext|>"])


def scripts():
    return byte_steps([pre_tokenizers.UnicodeScripts(), pre_tokenizers.FixedLength(7)])


def bert_cased():
    norm = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=False)
    return byte_steps([pre_tokenizers.BertPreTokenizer()], norm)


def strip_accents():
    return byte_steps([pre_tokenizers.Whitespace()], normalizers.Sequence([normalizers.Nmt(), normalizers.StripAccents()]))


FAMILIES = [unigram, unigram_bytes, wordpiece, wordlevel, scripts, bert_cased, strip_accents]
make.CODEPOINTS |= {"unigram", "unigram-bytes", "scripts", "bert-cased", "strip-accents", "spm-unigram"}


def main():
    for family in FAMILIES:
        name = family.__name__.replace("_", "-")
        path = os.path.join(HERE, name, "tokenizer.json")
        if not os.path.exists(path):
            save(family(), path)
        tok = Tokenizer.from_file(path)
        golden(lambda s, special: tok.encode(s, add_special_tokens=special).ids, lambda ids, skip: tok.decode(ids, skip_special_tokens=skip), name)
        print(name, tok.get_vocab_size(), os.path.getsize(path))
    for family in [spm_unigram, spm_unigram_bytes]:
        name = family.__name__.replace("_", "-")
        path = os.path.join(HERE, name, "tokenizer.model")
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(family().SerializeToString())
        sp = spm.SentencePieceProcessor(model_file=path)
        golden(sp_encoder(sp), sp_decoder(sp), name)
        print(name, sp.get_piece_size(), os.path.getsize(path))


if __name__ == "__main__":
    main()
