// Package safetensors reads and writes the safetensors container: a length, a
// JSON header naming tensors, and their bytes.
//
// It owns the format: header validation as strict as the reference
// implementation's (and stricter about repeated names), sharded sets described
// by model.safetensors.index.json, memory mapping, and the element types' bit
// layouts. It knows nothing of models: which tensors should be there, and in
// which shapes, is the caller's business.
//
// Format: https://github.com/huggingface/safetensors#format
package safetensors
