package html

import (
	"testing"

	"github.com/softbench/softbench/reports/text"
)

// A prompt of several lines is read as it was asked: its line ends are no pictures of control characters,
// which a name's are.
func TestAnswersKeepLines(t *testing.T) {
	b := builder{doc: &document{Answers: []Answer{{Task: "a\nb", Context: "Q: x\n\tA:\x01", Text: "1\n2", Taken: []Taken{{"f\n", "1\n"}}, Targets: []string{"1\n2"}}}}, numbers: &numbers{}}
	got := b.answers().Tasks[0]
	a := got.Answers[0]
	if got.Name != text.Visible("a\nb") || a.Context != "Q: x\n\tA:\u2401" || a.Said != "1\n2" || a.Taken[0] != (Taken{"f\u240a", "1\n"}) || a.Targets[0] != "1\n2" {
		t.Errorf("%q: %+v", got.Name, a)
	}
}
