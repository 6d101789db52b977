package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/jsontext"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/lm/answer"
)

type scoreOptions struct {
	io    streams
	model eval.ModelOptions
	batch batchFlags

	window int  // requests that are scored together
	flush  bool // what has come is scored as soon as no more comes
}

func newScore(io streams, run work[scoreOptions]) *cobra.Command {
	o := scoreOptions{io: io}
	cmd := &cobra.Command{
		Use:   "score MODEL",
		Short: "Score continuations given as JSON lines",
		Long: `Read JSON lines {"context": …, "continuation": …} from standard input and write, in
the same order, {"loglikelihood": …, "is_greedy": …, "tokens": …}: the natural
log-probability of the continuation, whether it is what greedy decoding gives,
and its number of tokens. A continuation that cannot be scored, as it is empty or
longer than the model's context, is an error; with --allow-unscored its line has
null for both, and "unscored" says why.

So many requests as --window says are scored together: what their contexts share
is computed once, and their answers come when all have been read. With --flush an
answer does not wait for requests that have not come: another program can write a
request and read its answer before it writes the next.`,
		Example: `  echo '{"context": "The sky is", "continuation": " blue"}' | softbench score ./my-model
  my-program | softbench score ./my-model --flush`,
		Args: oneArg("model"),
		RunE: ofModel(&o, &o.model.Model, run),
	}
	addModelFlags(cmd, &o.model)
	addBatchFlags(cmd, &o.batch)
	cmd.Flags().IntVar(&o.window, "window", 4096, "`requests` that are scored together; no score depends on it")
	cmd.Flags().BoolVar(&o.flush, "flush", false, "answer what has come as soon as no more comes, without waiting for the window to be full")
	return cmd
}

// maxWindow bounds the requests that are held at once.
const maxWindow = 1 << 20

// pauseOfRequests is how long --flush waits for a request that may be on its way beside
// others: a writer's lines come one by one.
const pauseOfRequests = 2 * time.Millisecond

func (o *scoreOptions) execute(ctx context.Context) error {
	memory, err := o.batch.check()
	if err != nil {
		return err
	}
	if o.window < 1 || o.window > maxWindow {
		return fmt.Errorf("--window %d: want 1 to %d requests", o.window, maxWindow)
	}
	if err := o.model.Check(); err != nil {
		return err
	}
	in := newLineSource(o.io.in)
	defer in.close()
	var first scoreWindow
	if !o.flush { // what is wrong with the first requests is said before a model is read
		if first, err = o.read(ctx, in); err != nil {
			return err
		}
	}
	m, err := eval.Load(ctx, o.model)
	if err != nil {
		return err
	}
	defer m.Close()
	m.Note(o.io.note)
	for w := first; ; {
		if len(w.requests) > 0 {
			if err := o.answer(ctx, m, w, lm.RunOptions{BatchTokens: o.batch.tokens, Memory: m.MemoryBound(memory)}); err != nil {
				return err
			}
		}
		if w.last {
			return nil
		}
		if w, err = o.read(ctx, in); err != nil {
			return err
		}
	}
}

// scoreWindow is what is scored together.
type scoreWindow struct {
	requests []lm.Request
	lines    []int // of standard input, of each
	last     bool  // no more will come
}

// read takes the next requests from standard input.
func (o *scoreOptions) read(ctx context.Context, in *lineSource) (w scoreWindow, err error) {
	for len(w.requests) < o.window {
		var pause time.Duration
		if o.flush && len(w.requests) > 0 {
			pause = pauseOfRequests
		}
		line, waits, err := in.next(ctx, pause)
		if in.number == 1 {
			line = strings.TrimPrefix(line, "\ufeff") // as in files of documents
		}
		switch {
		case err == io.EOF:
			w.last = true
			return w, nil
		case err != nil:
			return w, err
		case waits:
			return w, nil
		case strings.TrimSpace(line) == "":
			continue
		}
		r, err := parseScoreLine(line)
		if err != nil {
			return w, fmt.Errorf("standard input, line %d: %w", in.number, err)
		}
		w.requests, w.lines = append(w.requests, r), append(w.lines, in.number)
	}
	return w, nil
}

// answer scores a window and writes a line for each request.
func (o *scoreOptions) answer(ctx context.Context, m *eval.Model, w scoreWindow, run lm.RunOptions) error {
	name := func(i int) string { return fmt.Sprintf("standard input, line %d", w.lines[i]) }
	results, _, err := m.LM.Score(ctx, w.requests, name, run)
	if wrong := m.Tokenizer.Err(); wrong != nil && ctx.Err() == nil {
		err = wrong // first: what else is wrong may come of it
	}
	if err != nil {
		return err
	}
	out := bufio.NewWriter(o.io.out)
	enc := json.NewEncoder(out)
	for _, r := range results {
		if err := enc.Encode(scoreLine(r)); err != nil {
			return err
		}
	}
	return out.Flush()
}

// scored is a line of the answer; what an unscored continuation lacks is null.
type scored struct {
	LogLikelihood *float64        `json:"loglikelihood"`
	Greedy        *bool           `json:"is_greedy"`
	Tokens        int             `json:"tokens"`
	Truncated     int             `json:"truncated,omitempty"`
	Unscored      answer.Unscored `json:"unscored,omitempty"`
}

func scoreLine(r answer.Answer) scored {
	s := scored{Tokens: r.ContinuationTokens, Truncated: r.Truncated, Unscored: r.Unscored}
	if r.Unscored == "" {
		s.LogLikelihood, s.Greedy = &r.LogLikelihood, &r.Greedy
	}
	return s
}

// parseScoreLine reads a request as Python's json module would: keys are told apart by case, and of two alike the
// last counts.
func parseScoreLine(line string) (lm.Request, error) {
	const want = `want {"context": "…", "continuation": "…"}`
	if half := jsontext.HalfSurrogate(line); half != "" { // encoding/json makes another text of it
		return lm.Request{}, fmt.Errorf("%s is half of a surrogate pair, which is not a character", half)
	}
	dec := json.NewDecoder(strings.NewReader(line))
	var fields map[string]json.RawMessage
	if err := dec.Decode(&fields); err != nil {
		text := "not JSON: " + jsonplace.Plain(err).Error()
		if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
			text = fmt.Sprintf("the line is a JSON %s, not an object", wrong.Value)
		}
		return lm.Request{}, fmt.Errorf("%s: %s", text, want)
	}
	if dec.More() {
		return lm.Request{}, errors.New("more than one JSON value on a line")
	}
	var r lm.Request
	texts := map[string]*string{"context": &r.Context, "continuation": &r.Continuation}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		text := texts[key]
		if text == nil {
			return r, fmt.Errorf("unknown key %q: %s", key, want)
		}
		value := fields[key]
		if string(value) == "null" {
			delete(fields, key)
			continue
		}
		if wrong := new(json.UnmarshalTypeError); errors.As(json.Unmarshal(value, text), &wrong) {
			return r, fmt.Errorf("%q is a %s, not a text: %s", key, wrong.Value, want)
		}
	}
	if len(fields) < len(texts) {
		return r, errors.New(`"context" and "continuation" must both be there`)
	}
	return r, nil
}
