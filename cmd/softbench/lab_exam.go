package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/lab/study"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/stress"
)

// examine holds a study's exam as 'softbench stress' would: the model as it is
// stored and at every quantisation side by side, in a directory that is removed.
func (o *labStudyOptions) examine(ctx context.Context, model, world string, x *study.Exam) (map[string]rundir.Number, error) {
	dir, err := os.MkdirTemp(model, ".exam-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s := stressOptions{io: o.io, models: []string{model}}
	s.io.err = io.Discard // its notes are the same for each model
	s.run.Out, s.run.Model.DType, s.run.Model.Threads = filepath.Join(dir, "runs"), "auto", 1
	s.run.Version, s.run.Stress, s.run.Model.Device = version(), true, "cpu"
	s.run.Note = func(string) {}
	for _, t := range x.Tasks {
		file := filepath.Join(world, filepath.FromSlash(t))
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("%s: the world has no such task; 'softbench lab world --own-words N' writes retrieval/", oneLine(file))
		}
		s.run.Suites = append(s.run.Suites, file)
	}
	for _, q := range x.Quantise {
		scheme, err := quantise.Parse(q)
		if err != nil {
			return nil, err
		}
		s.settings = append(s.settings, scheme.String())
	}
	if s.run.Memory, err = s.batch.check(); err != nil {
		return nil, err
	}
	result, err := s.result(ctx)
	if err != nil {
		return nil, err
	}
	return examNumbers(result.Models[0].Cells, x)
}

// examNumbers are an exam's, by the names that study.Examined has; cells are of the
// stored weights and of the quantisations in their order.
func examNumbers(cells []stress.Cell, x *study.Exam) (map[string]rundir.Number, error) {
	numbers := map[string]rundir.Number{"score": cells[0].Score.Value}
	for _, file := range x.Tasks {
		name := study.TaskName(file)
		i := slices.IndexFunc(cells[0].Tasks, func(s stress.Score) bool { return s.Task == name && s.Metric == "acc" })
		if i < 0 {
			return nil, fmt.Errorf("%s: no task named %s with an accuracy is in it", oneLine(file), oneLine(name))
		}
		numbers[name] = cells[0].Tasks[i].Value
	}
	for i, q := range x.Quantise {
		c := &cells[i+1]
		numbers["score."+q], numbers["kept."+q], numbers["kl."+q] = c.Score.Value, c.Kept.Value, c.KL.Value
	}
	return numbers, nil
}
