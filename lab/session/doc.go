// Package session runs a training from files to a checkpoint: it reads text and
// tokenizer, steps a train.Trainer, measures the model on the way, and keeps
// state, checkpoint and history on disk so that a stop at any moment loses at
// most the steps since the last save.
//
// It owns the directory of a training:
//
//	OUT/config.json, model.safetensors, tokenizer.json, ...  the checkpoint, as transformers loads it
//	OUT/training/state            the trainer's whole state
//	OUT/training/history.jsonl    one Line a row
//	OUT/training/settings.json    what was asked for
//	OUT/report.html               a page about it, where the caller writes one
//
// It must not know how a gradient is computed, nor flags or terminals.
package session
