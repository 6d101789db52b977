// Package tokenizer turns text into the token ids a checkpoint was trained on, and back.
//
// It owns the reading of tokenizer.json (BPE, Unigram, WordPiece, WordLevel), of SentencePiece's tokenizer.model
// (BPE, Unigram), and of the parts of tokenizer_config.json and special_tokens_map.json that
// change ids. Ids are those of the Hugging Face tokenizers library: normalizer, added tokens,
// pre-tokenizer, merges and post-processor run in its order and with its corner cases. Whatever the file
// asks for that this package does not do is refused by name when the file is read, never ignored.
//
// Where the references disagree with each other, this package does the following:
//
//   - tokenizer.json is taken as written, as tokenizers.Tokenizer.from_file does. transformers 5 rebuilds
//     some classes (LlamaTokenizer among them) from the vocabulary alone and forgets the file's own
//     normalizer; that is not followed. Its "truncation" and "padding" sections cut and pad nothing,
//     as in a call of transformers with default arguments; the pad token becomes a special token, as there.
//   - add_bos_token and add_eos_token of tokenizer_config.json are ignored beside a tokenizer.json, whose
//     post-processor decides (transformers 5.23 drops both keys before it builds the tokenizer).
//   - A Unigram tokenizer.model sums in float32 over the whole stretch and keeps the first of equals, as
//     sentencepiece does; a Unigram model of tokenizer.json sums in float64 over each word, as tokenizers does.
//   - Beside a tokenizer.model they are honoured; without them BOS is added and EOS is not, as the models
//     were trained. Text is encoded as sentencepiece itself does, so a leading space is kept
//     ("legacy": true of transformers, its default up to version 4). Control and unknown pieces written
//     out in the text ("<s>") are matched as special tokens, as transformers does and sentencepiece does
//     not; each stretch of text between them is encoded on its own. "legacy": false in
//     tokenizer_config.json selects transformers' other behaviour (a prefix on the first stretch only).
//   - Text that is not valid UTF-8 is read as Python's bytes.decode("utf-8", errors="replace") reads it:
//     each maximal invalid part becomes one U+FFFD.
//   - Unicode classes are those of the regex engine tokenizers uses (Unicode 16), and normal forms those
//     of its normalizer (an older Unicode), so that newly assigned characters give the same ids.
//
// The package must not know about models, tasks or scoring: it maps strings to ids and nothing else.
package tokenizer
