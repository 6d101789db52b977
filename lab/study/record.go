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
// of it (SOFTBENCH_ISA). What an exam of its model gave is a line of its own.
type Entry struct {
	Settings    session.Settings     `json:"settings"`
	World       session.WorldOptions `json:"world"`
	Diagnostics Diagnostics          `json:"diagnostics,omitzero"`
	Kernels     string               `json:"kernels"`
	Stopped     string               `json:"stopped,omitempty"` // why it ended before its last step
	Lines       []session.Line       `json:"lines,omitempty"`   // those with diagnostics
	Examined
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
	if e.Exam != nil {
		if len(e.Numbers) == 0 || len(e.Lines) > 0 || e.Stopped != "" {
			return nil, errors.New("an exam without numbers, or with a training's lines: want one of them in a line")
		}
		return &e, nil
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
	return &Entry{Settings: s.settings(t), World: s.World, Diagnostics: s.Diagnostics, Kernels: set.Name(), Stopped: t.Stopped, Lines: lines}, nil
}

// known takes in a training from the record.
func (s *Study) known(t *Training, record []Entry) {
	i := slices.IndexFunc(record, func(e Entry) bool {
		return e.Exam == nil && e.Settings == s.settings(t) && e.World == s.World && e.Diagnostics == s.Diagnostics
	})
	if i < 0 {
		return
	}
	t.Done, t.Stopped, t.Lines, t.Kernels = true, record[i].Stopped, record[i].Lines, record[i].Kernels
	if i = s.exam(t, record, t.Kernels); i >= 0 {
		t.Examined = &record[i].Examined
	}
}

// exam finds what the study's exam gave of a training with some kernels; -1: nothing.
func (s *Study) exam(t *Training, record []Entry, kernels string) int {
	return slices.IndexFunc(record, func(e Entry) bool {
		return s.Exam != nil && same(e.Exam, s.Exam) && e.Settings == s.settings(t) && e.World == s.World && e.Kernels == kernels
	})
}

// keep adds a training, and what its exam gave, to the record, if they are not there.
func (s *Study) keep(ctx context.Context, t *Training, path string) error {
	record, err := ReadRecord(ctx, path)
	if err != nil {
		return err
	}
	e, err := s.entry(t)
	if err != nil {
		return err
	}
	old := Training{Cell: t.Cell, Seed: t.Seed}
	if s.known(&old, record); !old.Done {
		if err := appendEntry(ctx, path, e); err != nil {
			return err
		}
	}
	if t.Examined == nil || s.exam(t, record, e.Kernels) >= 0 {
		return nil
	}
	return appendEntry(ctx, path, &Entry{Settings: e.Settings, World: e.World, Kernels: e.Kernels, Examined: *t.Examined})
}

func appendEntry(ctx context.Context, path string, e *Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return atomicfile.Append(ctx, path, func(w io.Writer) error {
		_, err := w.Write(append(line, '\n'))
		return err
	})
}
