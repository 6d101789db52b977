package metric

// Kind is a kind of task, by its name in a task's YAML and in a run. What a kind does is its row
// in package tasks; which metrics it has is in Table.
type Kind string

// The kinds.
const (
	// MultipleChoice scores each choice as a continuation; the highest is the model's answer.
	MultipleChoice Kind = "multiple_choice"
	// LastWord scores one continuation: acc is whether it is the greedy one, and perplexity.
	LastWord Kind = "last_word"
	// RollingPerplexity scores a whole text, each token once.
	RollingPerplexity Kind = "rolling_perplexity"
	// GenerateUntil has text generated, of which filters take the answer.
	GenerateUntil Kind = "generate_until"
	// Passkey decodes a key that a long text holds.
	Passkey Kind = "passkey"
	// Diagnostics measure the model while it reads texts.
	Diagnostics Kind = "diagnostics"
)
