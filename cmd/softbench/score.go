package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/lm/answer"
)

type scoreOptions struct {
	io    streams
	model eval.ModelOptions
	batch batchFlags
}

func newScore(io streams, run work[scoreOptions]) *cobra.Command {
	o := scoreOptions{io: io}
	cmd := &cobra.Command{
		Use:   "score MODEL",
		Short: "Score continuations given as JSON lines",
		Long: `Read JSON lines {"context": …, "continuation": …} from standard input and write, in
the same order, {"loglikelihood": …, "is_greedy": …, "tokens": …}: the natural
log-probability of the continuation, whether it is what greedy decoding gives,
and its number of tokens. Shared contexts are computed once. A continuation that
cannot be scored, as it is empty or longer than the model's context, is an error;
with --allow-unscored its line has null for both, and "unscored" says why.`,
		Example: `  echo '{"context": "The sky is", "continuation": " blue"}' | softbench score ./my-model`,
		Args:    oneArg("model"),
		RunE:    ofModel(&o, &o.model.Model, run),
	}
	addModelFlags(cmd, &o.model)
	addBatchFlags(cmd, &o.batch)
	return cmd
}

func (o *scoreOptions) execute(ctx context.Context) error {
	memory, err := o.batch.check()
	if err != nil {
		return err
	}
	if err := o.model.Check(); err != nil {
		return err
	}
	requests, lines, err := o.read(ctx)
	if err != nil {
		return err
	}
	m, err := eval.Load(ctx, o.model)
	if err != nil {
		return err
	}
	defer m.Close()
	if m.DeviceNote != "" {
		fmt.Fprintln(o.io.err, "note:", oneLine(m.DeviceNote))
	}
	for _, n := range m.Checkpoint.Notes {
		fmt.Fprintln(o.io.err, "note:", oneLine(n))
	}
	name := func(i int) string { return fmt.Sprintf("standard input, line %d", lines[i]) }
	results, _, err := m.LM.Score(ctx, requests, name, lm.RunOptions{BatchTokens: o.batch.tokens, Memory: m.MemoryBound(memory)})
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

// read takes the requests from standard input, and the line of each.
func (o scoreOptions) read(ctx context.Context) (requests []lm.Request, lines []int, err error) {
	err = eachLine(ctx, o.io.in, func(number int, line string) error {
		if strings.TrimSpace(line) == "" {
			return nil
		}
		r, err := parseScoreLine(line)
		if err != nil {
			return fmt.Errorf("standard input, line %d: %w", number, err)
		}
		requests, lines = append(requests, r), append(lines, number)
		return nil
	})
	return requests, lines, err
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

func parseScoreLine(line string) (lm.Request, error) {
	var r struct {
		Context      *string `json:"context"`
		Continuation *string `json:"continuation"`
	}
	if half := halfSurrogate(line); half != "" { // encoding/json makes another text of it
		return lm.Request{}, fmt.Errorf("%s is half of a surrogate pair, which is not a character", half)
	}
	dec := json.NewDecoder(strings.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		text := strings.TrimPrefix(err.Error(), "json: ")
		var wrong *json.UnmarshalTypeError
		switch {
		case errors.As(err, &wrong) && wrong.Field != "":
			text = fmt.Sprintf("%q is a %s, not a text", wrong.Field, wrong.Value)
		case errors.As(err, &wrong):
			text = fmt.Sprintf("the line is a JSON %s, not an object", wrong.Value)
		}
		return lm.Request{}, fmt.Errorf(`%s: want {"context": "…", "continuation": "…"}`, text)
	}
	if dec.More() {
		return lm.Request{}, errors.New("more than one JSON value on a line")
	}
	if r.Context == nil || r.Continuation == nil {
		return lm.Request{}, errors.New(`"context" and "continuation" must both be there`)
	}
	return lm.Request{Context: *r.Context, Continuation: *r.Continuation}, nil
}

// halfSurrogate is the first escape of a JSON text that stands for half of a UTF-16
// surrogate pair without the other, or "".
func halfSurrogate(text string) string {
	unit := func(i int) (rune, bool) {
		if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' {
			return 0, false
		}
		n, err := strconv.ParseUint(text[i+2:i+6], 16, 16)
		return rune(n), err == nil
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		first, ok := unit(i)
		switch {
		case !ok:
			i++ // what is escaped
		case !utf16.IsSurrogate(first):
			i += 5
		default:
			second, ok := unit(i + 6)
			if !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
				return text[i : i+6]
			}
			i += 11
		}
	}
	return ""
}
