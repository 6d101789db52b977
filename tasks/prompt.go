package tasks

import (
	"context"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/py"
)

// Options choose which documents, and how they are shown.
type Options struct {
	Limit   int     // the first Limit documents; 0 = all
	Share   float64 // the first documents up to this share of them, rounded up; 0 = all
	FewShot int     // worked examples before each document; 0 = none

	FewShotSeed int64  // of the draws of a task that draws its examples at random
	System      string // text before everything else
	// Chat makes a prompt of messages, as a chat template does; nil: their texts follow each other.
	Chat      func(messages []Message, generationPrompt bool) (string, error)
	Multiturn bool // examples stay turns of their own; else they are part of the one question
}

// DefaultFewShotSeed is lm-evaluation-harness' own.
const DefaultFewShotSeed = 1234

// Limited is how many of n documents are wanted.
func (o *Options) Limited(n int) int {
	switch {
	case o.Share > 0:
		return min(n, int(math.Ceil(float64(n)*o.Share)))
	case o.Limit > 0:
		return min(n, o.Limit)
	}
	return n
}

// Message is a part of a prompt: what a system, a user or an assistant says, and what stands after it
// where the prompt is plain text.
type Message struct {
	Role, Content string
	Delimiter     string
}

// Prompt makes a prompt of messages; prefixed: the last is the beginning of the answer. They are not changed.
func (o *Options) Prompt(messages []Message, prefixed bool) (string, error) {
	if o.Chat == nil {
		var b strings.Builder
		for _, m := range messages {
			b.WriteString(m.Content)
			b.WriteString(m.Delimiter)
		}
		return b.String(), nil
	}
	if !o.Multiturn {
		messages = singleTurn(messages)
	}
	return o.Chat(messages, !prefixed)
}

// singleTurn puts what is said into one user's message, between a system's and, where the last is an
// assistant's, that: lm-evaluation-harness' multiturn_to_singleturn.
func singleTurn(messages []Message) []Message {
	var out, end []Message
	if len(messages) > 0 && messages[0].Role == "system" {
		out, messages = append(out, messages[0]), messages[1:]
	}
	if n := len(messages) - 1; n >= 0 && messages[n].Role == "assistant" {
		messages, end = messages[:n], messages[n:]
	}
	var b strings.Builder
	for i, m := range messages {
		b.WriteString(m.Content)
		if i < len(messages)-1 {
			b.WriteString(m.Delimiter)
		}
	}
	return append(append(out, Message{Role: "user", Content: b.String()}), end...)
}

// MaybeDelimit joins two texts, with a delimiter where neither has white space at the join and both are
// there: lm-evaluation-harness' maybe_delimit.
func MaybeDelimit(prefix, suffix, delimiter string) string {
	if prefix == "" || suffix == "" {
		return prefix + suffix
	}
	last, _ := utf8.DecodeLastRuneInString(prefix)
	first, _ := utf8.DecodeRuneInString(suffix)
	if py.IsSpace(last) || py.IsSpace(first) {
		return prefix + suffix
	}
	return prefix + delimiter + suffix
}

// Own makes a task of documents that are made otherwise than from a definition of this package.
func Own(t Task, maker Maker) *Task {
	t.def, t.maker = &definition{}, maker
	return &t
}

// Maker makes a task's documents.
type Maker interface {
	// Documents reads them and makes their requests, as Task.Documents does.
	Documents(ctx context.Context, src data.Source, opts Options) ([]Doc, []data.File, error)
}
