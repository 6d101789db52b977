// Package gguf reads the GGUF container of llama.cpp: metadata, names of tensors
// and their blocks of quantised numbers.
//
// It owns the format: the header's validation, files in parts
// (NAME-00001-of-00003.gguf), the block types' layouts. A block decodes to the bit
// as the gguf package of PyPI does (gguf.quants). It knows nothing of models: what
// the metadata mean as a config, and which tensor is which weight, is package
// checkpoint's business, and what they mean as a tokenizer, package tokenizer's.
//
// Memory is bounded: arrays of the metadata stay in the mapped file until they are
// asked for, and rows are decoded one at a time. Every error is one line that
// starts with the path.
//
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
package gguf
