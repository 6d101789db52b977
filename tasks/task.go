package tasks

import (
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/metric"
)

// Request is one thing asked of the model. The texts are as the task makes them; moving trailing
// spaces of the context and encoding are the model's side.
type Request struct {
	Ask Ask
	// Of a Loglikelihood: how likely is Continuation after Context.
	Context      string
	Continuation string
	Choice       string // the choice as the metrics measure it: acc_norm divides by its code points, acc_bytes by its bytes
	Text         string // of a WholeText
	// Of a Decoding: Tokens are decoded greedily after Prompt.
	Prompt []int32
	Tokens int
	// Of a Generating, after Context: what ends the text, which has at most Tokens.
	Until []string
}

// Ask is how a request is asked.
type Ask int

// The ways of asking.
const (
	Loglikelihood Ask = iota // of a continuation
	WholeText                // the loglikelihood of a text's every token, in windows
	Decoding                 // which tokens come after a prompt of tokens
	Generating               // which text comes after a context
)

// Doc is one document made ready for a model.
type Doc struct {
	ID       int    // 0-based position in the split
	Hash     string // data.Hash of the source document, the same from JSON lines and Parquet
	Gold     int    // index of the right request; -1 where there is none
	AlsoGold []int  // further right ones
	Requests []Request
	Words    int    // of a whole text: words of the original page
	Bytes    int    // of a whole text: UTF-8 bytes of the original page
	Cluster  string // documents with the same non-empty Cluster are not independent
	// Of a generated answer: the right ones, and choices that its filters look at.
	Targets, Choices []string
	Source           any // what the task's own Scorer takes
}

// Text is the whole text that is scored; "" where the document has none.
func (d *Doc) Text() string {
	if len(d.Requests) == 1 {
		return d.Requests[0].Text
	}
	return ""
}

// Task is a task's definition. The zero value is of no use; get one from Parse.
type Task struct {
	Name        string
	Description string
	Version     string // lm-evaluation-harness' version of the same task; "" for one of the user's own
	Kind        Kind
	Dataset     data.Dataset
	Splits      []string    // the first of these that the data has is evaluated
	Train       string      // split few-shot examples come from; "" = train, else validation or dev, never the evaluated one
	MetricNames []string    // in the order they are shown
	Draws       bool        // worked examples are drawn at random, by a seed
	Generation  *Generation // of a task whose answers are generated; else nil
	Scorer      Scorer      // scores documents by the task's own file; nil: the kind's metrics do
	Own         map[string]OwnMetric
	Digest      string // SHA-256 of the definition: it changes when a prompt or a setting does
	Content     string // the same without what its documents' files and splits are called: documents have hashes of their own

	def   *definition
	maker Maker // nil: the documents are made from def
}

// OwnMetric is what a task's own file says of a metric, in place of the metric's row.
type OwnMetric struct {
	HigherIsBetter bool
	Whole          *metric.Whole // nil: the mean over documents
}

// Scorer gives a document's values of the metrics that are a task's own.
type Scorer interface {
	// Score are numbers, and parts of metrics that are no mean, by the metrics' names. taken is what a filter took
	// of a generated answer, "" for other kinds.
	Score(doc *Doc, answers []answer.Answer, taken string, listed bool) (map[string]any, error)
}

// Info is a name and what it stands for, for listings.
type Info struct {
	Name        string
	Description string
}
