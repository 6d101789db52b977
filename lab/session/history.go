package session

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/reports/rundir"
)

// Line is a row of history.jsonl.
type Line struct {
	Step    int      `json:"step"`
	Tokens  int64    `json:"tokens"` // trained on so far
	Loss    float64  `json:"loss"`   // nats a token, mean of the steps since the last line, each before its update
	Norm    float64  `json:"norm"`   // of this step's gradient, before clipping
	Rate    float64  `json:"rate"`
	Seconds float64  `json:"seconds"` // of training so far; no part of what a resume keeps equal
	Measure *Measure `json:"measure,omitempty"`
}

// Measure is the model of one step, measured on the same samples
// of held-out text each time (of the training text where there is none). A
// number that is none is null in the file.
type Measure struct {
	HeldOut  bool          `json:"held_out"`
	Loss     rundir.Number `json:"loss"`      // nats a token; of a mix's exercises, of the tokens that can be known
	SinkRate rundir.Number `json:"sink_rate"` // package probe has these definitions
	SinkHalf rundir.Number `json:"sink_half"` // the sink rate of the samples' first halves
	Sparsity rundir.Number `json:"sparsity"`
	Dead     rundir.Number `json:"dead_heads"`
	Mass     rundir.Number `json:"mass"`
	Kurtosis rundir.Number `json:"kurtosis"`
	Largest  rundir.Number `json:"largest"` // |activation|
	Massive  int64         `json:"massive"`
	// Copying is the share of the tokens that a mix's exercises let copy and
	// that are the model's first choice.
	Copying *rundir.Number           `json:"copying,omitempty"`
	Layers  []LayerMeasure           `json:"layers,omitempty"`
	Sources map[string]SourceMeasure `json:"sources,omitempty"` // of a mix
}

// LayerMeasure is one block of the model.
type LayerMeasure struct {
	Kurtosis rundir.Number `json:"kurtosis"` // of the residual stream behind it
	Largest  rundir.Number `json:"largest"`
	// FirstNorm is the mean norm of the first token's residual stream over that
	// of the others.
	FirstNorm rundir.Number `json:"first_norm"`
	// FirstWeight is the mean weight of the first token over all queries, by head.
	FirstWeight []rundir.Number `json:"first_weight"`
}

// SourceMeasure is one source of a mix.
type SourceMeasure struct {
	Loss     rundir.Number  `json:"loss"`
	SinkRate rundir.Number  `json:"sink_rate"`
	Copying  *rundir.Number `json:"copying,omitempty"`
}

// InnerKurtosis is the largest kurtosis behind a block but the last: that of the
// last has spikes that are not the first token's.
func (m *Measure) InnerKurtosis() rundir.Number {
	out := rundir.Number(math.NaN())
	for i := range max(0, len(m.Layers)-1) {
		if k := m.Layers[i].Kurtosis; !(k <= out) {
			out = k
		}
	}
	return out
}

// LargestFirstNorm is the largest ratio of the first token's norm behind a block
// but the last.
func (m *Measure) LargestFirstNorm() rundir.Number {
	out := rundir.Number(math.NaN())
	for i := range max(0, len(m.Layers)-1) {
		if r := m.Layers[i].FirstNorm; !(r <= out) {
			out = r
		}
	}
	return out
}

// ReadHistory reads a history.jsonl. A last line that a crash cut off is left
// out; any other line that is not one is an error with its number.
func ReadHistory(path string) ([]Line, error) {
	text, err := regularfile.ReadAll(context.Background(), path, maxHistory)
	if err != nil {
		return nil, err
	}
	lines, err := parseHistory(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return lines, nil
}

func parseHistory(r io.Reader) ([]Line, error) {
	in := bufio.NewReader(r)
	var out []Line
	for number := 1; ; number++ {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		var l Line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, jsonplace.Plain(err))
		}
		if l.Step < 1 || len(out) > 0 && l.Step <= out[len(out)-1].Step {
			return nil, fmt.Errorf("line %d: step %d does not follow", number, l.Step)
		}
		out = append(out, l)
	}
}

// history is a history.jsonl that is being written.
type history struct {
	file  *os.File
	lines []Line
}

// openHistory goes on with the lines up to a step and drops the others: they
// are of steps that the state does not have.
func openHistory(path string, upTo int) (*history, error) {
	lines, err := ReadHistory(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for i, l := range lines {
		if l.Step > upTo {
			lines = lines[:i]
			break
		}
	}
	err = atomicfile.Write(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		for _, l := range lines {
			if err := e.Encode(l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return nil, regularfile.PathError(path, err)
	}
	return &history{f, lines}, nil
}

func (h *history) add(l Line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if _, err := h.file.Write(append(text, '\n')); err != nil {
		return regularfile.PathError(h.file.Name(), err)
	}
	h.lines = append(h.lines, l)
	return nil
}

func (h *history) sync() error {
	if err := h.file.Sync(); err != nil {
		return regularfile.PathError(h.file.Name(), err)
	}
	return nil
}
