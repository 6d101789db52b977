package study

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/reports/rundir"
)

// Exam is what every finished model is asked, with its weights as they are stored
// and quantised.
type Exam struct {
	Tasks    []string `json:"tasks" yaml:"tasks"`       // files below the world's directory, such as retrieval/span_32.yaml
	Quantise []string `json:"quantise" yaml:"quantise"` // method:bits[:group]
}

// Examined is what came of an exam. Numbers are by name: a task's accuracy by the
// task's name (TaskName), "score", their mean, and for each quantisation Q
// "score.Q", "kept.Q", the share of the score above chance that is left, and
// "kl.Q", nats a token from the stored weights.
type Examined struct {
	Exam    *Exam                    `json:"exam,omitempty"`
	Numbers map[string]rundir.Number `json:"numbers,omitempty"`
}

// Examiner examines the model in a directory; world is that of the exam's tasks.
type Examiner func(ctx context.Context, model, world string, x *Exam) (map[string]rundir.Number, error)

// TaskName is what a task of an exam is called: its file's name.
func TaskName(file string) string { return strings.TrimSuffix(path.Base(file), ".yaml") }

func (x *Exam) check() error {
	if len(x.Tasks) == 0 || len(x.Quantise) == 0 {
		return errors.New("exam: want tasks, such as [retrieval/span_64.yaml], and quantise, such as [rtn:4]")
	}
	var names []string
	for _, t := range x.Tasks {
		name := TaskName(t)
		if !filepath.IsLocal(filepath.FromSlash(t)) || name == path.Base(t) || slices.Contains(names, name) || name == "score" {
			return fmt.Errorf("exam: task %q: want a YAML file of the world's directory, each with a name of its own", t)
		}
		names = append(names, name)
	}
	var schemes []string
	for _, q := range x.Quantise {
		s, err := quantise.Parse(q)
		if err != nil {
			return fmt.Errorf("exam: %w", err)
		}
		if s.Calibrated() || slices.Contains(schemes, s.String()) {
			return fmt.Errorf("exam: quantise: %s: want each once, and none that is shown text", q)
		}
		schemes = append(schemes, s.String())
	}
	return nil
}

// measure finds a number of the exam by its name behind "exam.".
func (x *Exam) measure(name string) (Measure, error) {
	if x == nil {
		return Measure{}, fmt.Errorf("no measure %q: the study has no exam", "exam."+name)
	}
	m := Measure{Name: "exam." + name, Share: true, exam: name}
	what, q, of := strings.Cut(name, ".")
	switch {
	case !of && slices.ContainsFunc(x.Tasks, func(t string) bool { return TaskName(t) == name }):
		m.Title = "Accuracy of " + name
	case name == "score":
		m.Title = "Score: mean accuracy of the tasks"
	case of && slices.Contains(x.Quantise, q) && what == "score":
		m.Title = "Score with weights quantised by " + q
	case of && slices.Contains(x.Quantise, q) && what == "kept":
		m.Title = "Share of the score above chance that " + q + " keeps"
	case of && slices.Contains(x.Quantise, q) && what == "kl":
		m.Title, m.Share = "KL divergence by "+q+", nats a token", false
	default:
		return m, fmt.Errorf("no measure %q: want exam. and score, a task's name, or score., kept. or kl. and one of the exam's quantise, as in exam.kept.%s", "exam."+name, x.Quantise[0])
	}
	return m, nil
}

// examFile is in the directory of a training whose model was examined.
const examFile = "exam.json"

// readExam takes in what the exam of a training on disk gave, where it is this study's.
func (t *Training) readExam(s *Study) error {
	file := filepath.Join(t.Dir, examFile)
	text, err := regularfile.ReadAll(context.Background(), file, maxFinished)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var e Examined
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return fmt.Errorf("%s: %w", file, jsonplace.Plain(err))
	}
	if same(e.Exam, s.Exam) {
		t.Examined = &e
	}
	return nil
}

func same(a, b *Exam) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.Tasks, b.Tasks) && slices.Equal(a.Quantise, b.Quantise)
}

// unexamined says whether a training's model is here and has not been asked yet.
func (s *Study) unexamined(t *Training) bool {
	return s.Exam != nil && t.Done && t.Stopped == "" && t.Kernels == "" && t.Examined == nil
}

// examine asks a training's model what the study's exam has.
func (r *runner) examine(ctx context.Context, t *Training) error {
	numbers, err := r.Examine(ctx, t.Dir, r.world, r.Exam)
	if err != nil {
		return fmt.Errorf("exam: %w", err)
	}
	t.Examined = &Examined{r.Exam, numbers}
	return atomicfile.Write(filepath.Join(t.Dir, examFile), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(t.Examined)
	})
}
