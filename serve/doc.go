// Package serve answers requests over HTTP in the form of OpenAI's completions, which
// lm-evaluation-harness and other clients speak (docs/serve.md). Requests that arrive together are
// computed as one forest.
//
// It owns the form of requests and answers, their bounds and their batching. It knows a language
// model and its tokenizer, and neither runs nor tasks nor how a model is loaded.
package serve
