// Package tasks turns a dataset's documents into requests for a language model, and the model's
// answers into per-document outcomes and metrics, equal to lm-evaluation-harness 0.4.13 to the item.
//
// It owns the prompts: which text a document becomes, which choices it has, which of them is right,
// how few-shot examples are joined, and what each metric means. A task is declared in YAML (see
// configs/README.md); Go code is only for the preparations in prepare.go. It must not know models,
// tokenizers, devices or run directories: it neither encodes text nor runs anything.
package tasks
