// Package harness reads lm-evaluation-harness' own task files: its YAML with include chains, groups,
// tags and Jinja templates, as version 0.4.13 reads them, and makes tasks of them that ask the same, to
// the character. It owns which keys there are and what they mean, how documents are typed and processed
// before a template sees them, and how a prompt is put together. What it does not understand is refused
// with its file and line, and no task is loaded in part. It knows no model, tokenizer or run.
package harness
