package html

import (
	_ "embed"

	"github.com/softbench/softbench/reports/text"
)

//go:embed assets/answers.html
var answersTemplate string

type answersView struct{ Tasks []answersOfOne }

// answersOfOne are a task's.
type answersOfOne struct {
	Name    string
	Answers []answerView
}

type answerView struct {
	Doc           Value
	Context, Said string
	Taken         []Taken
	Targets       []string
	Scores        []answerScoreView
	Cut           bool
}

type answerScoreView struct {
	Metric string
	Value  Value
}

// answers are the generated answers of a page of one run.
func (b *builder) answers() *answersView {
	v := &answersView{}
	for i := range b.doc.Answers {
		a := &b.doc.Answers[i]
		if n := len(v.Tasks); n == 0 || v.Tasks[n-1].Name != text.Visible(a.Task) {
			v.Tasks = append(v.Tasks, answersOfOne{Name: text.Visible(a.Task)})
		}
		task := &v.Tasks[len(v.Tasks)-1]
		one := answerView{Doc: b.numbers.at(text.Count, of(&a.DocID)), Context: text.VisibleLines(a.Context), Said: text.VisibleLines(a.Text), Cut: a.Cut}
		for _, t := range a.Taken {
			one.Taken = append(one.Taken, Taken{text.Visible(t.Filter), text.VisibleLines(t.Text)})
		}
		for _, t := range a.Targets {
			one.Targets = append(one.Targets, text.VisibleLines(t))
		}
		for k := range a.Scores {
			s := &a.Scores[k]
			one.Scores = append(one.Scores, answerScoreView{text.Visible(s.Metric), b.numbers.at(unitOf(s.Metric).value, of(&s.Value))})
		}
		task.Answers = append(task.Answers, one)
	}
	if len(v.Tasks) == 0 {
		return nil
	}
	return v
}
