package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/regularfile"
)

// Course is a training as far as it went.
type Course struct {
	Asked
	Lines   []Line
	Stopped string // why it ended before its last step, where that is known
}

// Asked is what a training's settings.json has.
type Asked struct {
	Settings    Settings `json:"settings"`
	Parameters  int      `json:"parameters,omitempty"`
	Files       []string `json:"files"`
	Valid       []string `json:"valid"`
	TokensAStep int64    `json:"tokens_a_step"`
}

// AskedPath is where a training keeps what was asked for, from its first step on.
func AskedPath(out string) string { return filepath.Join(out, trainingDir, askedFile) }

// ReadCourse reads what the training in a directory wrote down. A directory
// without a training is an error; one without a line of history yet is not.
func ReadCourse(dir string) (*Course, error) {
	path := AskedPath(dir)
	text, err := regularfile.ReadAll(context.Background(), path, maxSettings)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no training in it: want a directory that 'softbench lab train' wrote", dir)
	}
	if err != nil {
		return nil, err
	}
	c := &Course{}
	if err := json.Unmarshal(text, &c.Asked); err != nil {
		return nil, fmt.Errorf("%s: %w", path, jsonplace.Plain(err))
	}
	c.Lines, err = ReadHistory(HistoryPath(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return c, nil
}

// ReportPath is where a training keeps its page.
func ReportPath(out string) string { return filepath.Join(out, "report.html") }

func (r *run) asked() Asked {
	return Asked{r.Settings, len(r.trainer.Model.Params.All), r.Files, r.Valid, r.Settings.TokensPerStep()}
}

// page writes the page, where one is asked for; why says what stopped the
// training.
func (r *run) page(why string) error {
	if r.Page == nil {
		return nil
	}
	c := Course{r.asked(), r.history.lines, why}
	return atomicfile.Write(ReportPath(r.Out), func(w io.Writer) error { return r.Page(w, c) })
}
