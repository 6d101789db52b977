package tasks

import (
	"github.com/softbench/softbench/tasks/data"
)

// Kind is what a task asks of the model.
type Kind string

const (
	// MultipleChoice scores each choice as a continuation; the highest is the model's answer.
	MultipleChoice Kind = "multiple_choice"
	// LastWord scores one continuation: acc is whether it is the greedy one, and perplexity.
	LastWord Kind = "last_word"
	// RollingPerplexity scores a whole text, each token once.
	RollingPerplexity Kind = "rolling_perplexity"
)

// Request is one loglikelihood request: how likely is Continuation after Context. The texts are as
// the task makes them; moving trailing spaces of the context and encoding are the model's side.
type Request struct {
	Context      string
	Continuation string
	Choice       string // the choice as the metrics measure it: acc_norm divides by its code points, acc_bytes by its bytes
}

// Result is the model's answer to one request, or to a rolling text (then ContinuationTokens counts
// all tokens scored). Its fields are those of lm.Result.
type Result struct {
	LogLikelihood      float64 // natural log, summed over the continuation's tokens
	Greedy             bool    // every token of the continuation is the most likely one
	ContextTokens      int
	ContinuationTokens int
	Truncated          int    // tokens cut off on the left, 0 = none
	Unscored           string // why there is no loglikelihood; "" where there is one
}

// Doc is one document made ready for a model.
type Doc struct {
	ID       int       // 0-based position in the split
	Hash     string    // data.Hash of the source document, the same from JSON lines and Parquet
	Gold     int       // index of the right request; -1 where there is none
	Requests []Request // empty for RollingPerplexity
	Text     string    // RollingPerplexity: the text that is scored
	Words    int       // RollingPerplexity: words of the original page
	Bytes    int       // RollingPerplexity: UTF-8 bytes of the original page
	Cluster  string    // documents with the same non-empty Cluster are not independent
}

// Task is a task's definition. The zero value is of no use; get one from Parse.
type Task struct {
	Name        string
	Description string
	Version     string // lm-evaluation-harness' version of the same task; "" for one of the user's own
	Kind        Kind
	Dataset     data.Dataset
	Splits      []string // the first of these that the data has is evaluated
	Train       string   // split few-shot examples come from; "" = train, else validation or dev, never the evaluated one
	MetricNames []string // in the order they are shown
	Digest      string   // SHA-256 of the definition: it changes when a prompt or a setting does

	def *definition
}

// Info is a name and what it stands for, for listings.
type Info struct {
	Name        string
	Description string
}
