// Package jinja renders Jinja templates as Python's jinja2 does, as far as the templates of
// lm-evaluation-harness and the chat templates of models use the language: expressions, filters and
// tests, if, for, set, macro, call, filter, with, raw, white space control. Values and their texts are
// Python's (package py). What is not understood is an error with its line when a template is parsed,
// and never a guess. Loops, ranges and outputs are bounded, so that no template hangs or fills the
// memory. It knows no task, model or file.
package jinja
