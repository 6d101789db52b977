package golden

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Boundary is boundary.json: what lm-evaluation-harness feeds and answers with one
// tokenizer where a context meets its continuation.
type Boundary struct {
	Tokenizer   string            `json:"tokenizer"`
	MaxLength   int               `json:"max_length"`
	PrefixToken int32             `json:"prefix_token"`
	Requests    []BoundaryRequest `json:"requests"`
	Rolling     []BoundaryText    `json:"rolling"`
}

// BoundaryRequest is a context, a continuation and the answer: Error is the name
// of the exception that the harness stops with, else the rest is set.
type BoundaryRequest struct {
	Context, Continuation packed
	Error                 string
	IDs                   string
	Tokens                [2]int // of the context and of the continuation
	LogLikelihood         float64
	IsGreedy              bool
}

// BoundaryText is a text scored in rolling windows.
type BoundaryText struct {
	Text          packed
	Windows       []BoundaryWindow
	LogLikelihood float64
}

// BoundaryWindow is the hash of a window's ids, and how many of them are context
// and how many are scored.
type BoundaryWindow struct {
	IDs             string
	Context, Scored int
}

// packed is a text, in the file perhaps as [piece, times, rest].
type packed string

// UnmarshalJSON reads either form.
func (p *packed) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(p))
	}
	var piece, rest string
	var times int
	if err := json.Unmarshal(data, &[]any{&piece, &times, &rest}); err != nil {
		return err
	}
	*p = packed(strings.Repeat(piece, times) + rest)
	return nil
}

// UnmarshalJSON reads [context, continuation, error] or [context, continuation,
// ids, context's tokens, continuation's tokens, loglikelihood, is_greedy].
func (r *BoundaryRequest) UnmarshalJSON(data []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	switch len(parts) {
	case 3:
		return json.Unmarshal(data, &[]any{&r.Context, &r.Continuation, &r.Error})
	case 7:
		return json.Unmarshal(data, &[]any{&r.Context, &r.Continuation, &r.IDs, &r.Tokens[0], &r.Tokens[1], &r.LogLikelihood, &r.IsGreedy})
	}
	return fmt.Errorf("a request of %d parts", len(parts))
}

// UnmarshalJSON reads [text, windows, loglikelihood].
func (r *BoundaryText) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&r.Text, &r.Windows, &r.LogLikelihood})
}

// UnmarshalJSON reads [ids, context, scored].
func (w *BoundaryWindow) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&w.IDs, &w.Context, &w.Scored})
}

// Boundaries reads boundary.json.
func Boundaries(t testing.TB) []Boundary {
	t.Helper()
	var file struct {
		Format int        `json:"format"`
		Sets   []Boundary `json:"sets"`
	}
	read(t, Dir(t, "boundary.json"), &file)
	if file.Format != Format {
		t.Fatalf("boundary.json has format %d, want %d", file.Format, Format)
	}
	return file.Sets
}
