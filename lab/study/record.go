package study

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/lab/session"
)

// maxRecord bounds a record, in bytes.
const maxRecord = 256 << 20

// Entry is a finished training in a record: a JSON-lines file that several
// studies, machines and days share, so that no training is made twice. The first
// three say what was trained and how it was measured; Kernels decide the last bits
// of it (SOFTBENCH_ISA).
type Entry struct {
	Settings    session.Settings     `json:"settings"`
	World       session.WorldOptions `json:"world"`
	Diagnostics Diagnostics          `json:"diagnostics"`
	Kernels     string               `json:"kernels"`
	Stopped     string               `json:"stopped,omitempty"` // why it ended before its last step
	Lines       []session.Line       `json:"lines"`             // those with diagnostics
}

// ReadRecord reads a record; one that is not there is empty.
func ReadRecord(ctx context.Context, path string) ([]Entry, error) {
	text, err := regularfile.ReadAll(ctx, path, maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Entry
	for number := 1; len(text) > 0; number++ {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		text = rest
		e, err := parseEntry(line)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: line %d: %w", path, number, err)
		case !ended:
			return nil, fmt.Errorf("%s: line %d is not whole", path, number)
		}
		out = append(out, *e)
	}
	return out, nil
}

func parseEntry(line []byte) (*Entry, error) {
	var e Entry
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return nil, jsonplace.Plain(err)
	}
	if d.More() {
		return nil, errors.New("more than one training")
	}
	last := 0
	for i := range e.Lines {
		l := &e.Lines[i]
		if l.Measure == nil || l.Step <= last || l.Step > e.Settings.Steps {
			return nil, fmt.Errorf("the line of step %d does not follow, or has no diagnostics", l.Step)
		}
		last = l.Step
	}
	if e.Stopped == "" && last != e.Settings.Steps {
		return nil, fmt.Errorf("a training that ends at step %d of %d, and no word why", last, e.Settings.Steps)
	}
	return &e, nil
}

// entry is a training of this study as a record has it.
func (s *Study) entry(t *Training) (*Entry, error) {
	set, err := kernel.FromEnv()
	if err != nil {
		return nil, err
	}
	lines := slices.DeleteFunc(slices.Clone(t.Lines), func(l session.Line) bool { return l.Measure == nil })
	return &Entry{s.settings(t), s.World, s.Diagnostics, set.Name(), t.Stopped, lines}, nil
}

// known takes in a training from the record.
func (s *Study) known(t *Training, record []Entry) {
	i := slices.IndexFunc(record, func(e Entry) bool {
		return e.Settings == s.settings(t) && e.World == s.World && e.Diagnostics == s.Diagnostics
	})
	if i >= 0 {
		t.Done, t.Stopped, t.Lines, t.Kernels = true, record[i].Stopped, record[i].Lines, record[i].Kernels
	}
}

// keep adds a training to the record, if it is not there.
func (s *Study) keep(ctx context.Context, t *Training, path string) error {
	record, err := ReadRecord(ctx, path)
	if err != nil {
		return err
	}
	old := Training{Cell: t.Cell, Seed: t.Seed}
	if s.known(&old, record); old.Done {
		return nil
	}
	e, err := s.entry(t)
	if err != nil {
		return err
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return atomicfile.Append(ctx, path, func(w io.Writer) error {
		_, err := w.Write(append(line, '\n'))
		return err
	})
}
