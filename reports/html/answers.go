package html

import (
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks/metric"
)

// Bounds of the generated answers that a page of one run shows.
const (
	answersOfTask  = 3
	roomForAnswers = 120_000 // bytes of their texts
)

// Answer is a generated answer of a page of one run: its question, what was written, what every filter took of that, and what is
// right, where the run keeps it.
type Answer struct {
	Task    string        `json:"task"`
	DocID   int32         `json:"doc_id"`
	Context string        `json:"context"`
	Text    string        `json:"text"`
	Taken   []Taken       `json:"taken,omitempty"`
	Targets []string      `json:"targets,omitempty"`
	Scores  []AnswerScore `json:"scores,omitempty"`
	Cut     bool          `json:"cut,omitempty"` // a text is longer than the page carries
}

// AnswerScore is an answer's part in a metric.
type AnswerScore struct {
	Metric string        `json:"metric"`
	Value  rundir.Number `json:"value"`
}

// firstAnswers are the first generated answers of each task, as many as have room.
func firstAnswers(samples []rundir.Sample) (out []Answer) {
	room := roomForAnswers
	shown := map[string]int{}
	for i := range samples {
		s := &samples[i]
		if s.Kind != string(metric.GenerateUntil) || s.Generated == nil || shown[s.Task] == answersOfTask {
			continue
		}
		a := newAnswer(s)
		if room -= a.size(); room < 0 {
			break
		}
		shown[s.Task]++
		out = append(out, a)
	}
	return out
}

func newAnswer(s *rundir.Sample) Answer {
	a := Answer{Task: s.Task, DocID: s.DocID, Taken: takenOf(s)}
	text := func(s string) string {
		t, cut := cutText(s)
		a.Cut = a.Cut || cut
		return t
	}
	a.Context, a.Text = text(value(s.Context)), text(*s.Generated)
	for _, t := range s.Targets {
		a.Targets = append(a.Targets, text(t))
	}
	for i, name := range s.Metrics {
		if i < len(s.Scores) {
			a.Scores = append(a.Scores, AnswerScore{name, rundir.Number(s.Scores[i])})
		}
	}
	return a
}

func (a *Answer) size() int {
	n := len(a.Context) + len(a.Text)
	for _, t := range a.Taken {
		n += len(t.Text)
	}
	for _, t := range a.Targets {
		n += len(t)
	}
	return n
}
