package gate

import (
	"fmt"
	"io"
	"strings"

	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/stats"
)

// mostAnnotations bounds the errors of a job: GitHub shows ten of a step.
const mostAnnotations = 10

// WriteAnnotations writes GitHub's workflow commands: an error for each metric that makes the gate
// fail, at most mostAnnotations with one that says how many more there are, with the documents that
// got worse; and one line for the gate as a whole, which has all that did not just pass.
func (r *Result) WriteAnnotations(w io.Writer) error {
	var b strings.Builder
	var failing []*Metric
	var others []string
	for i := range r.Metrics {
		switch m := &r.Metrics[i]; {
		case m.Fails:
			failing = append(failing, m)
		case m.Decision != stats.Pass:
			others = append(others, m.Task+" "+m.Metric+" "+m.Outcome())
		}
	}
	shown := failing
	if len(shown) > mostAnnotations {
		shown = shown[:mostAnnotations-1]
	}
	for _, m := range shown {
		message := m.Explain()
		for _, line := range m.worseLines(3) {
			message += "\n" + text.Printable(line)
		}
		b.WriteString(annotation("error", "softbench: "+m.Task+" "+m.Metric+" "+m.Outcome(), message))
	}
	if more := len(failing) - len(shown); more > 0 {
		b.WriteString(annotation("error", "softbench gate", fmt.Sprintf("%d more metrics make the gate fail: the table has them", more)))
	}
	b.WriteString(r.summaryAnnotation(others))
	_, err := io.WriteString(w, b.String())
	return err
}

// summaryAnnotation is the gate as a whole, as a notice where everything passed.
func (r *Result) summaryAnnotation(others []string) string {
	level := "notice"
	lines := []string{r.Headline()}
	if loud := r.Undecided(); loud != "" {
		lines = append(lines, loud)
	}
	if line := r.JointLine(); line != "" && r.Decision != stats.Pass {
		lines = append(lines, line)
	}
	lines = append(lines, others...)
	lines = append(lines, r.Warnings...)
	if len(lines) > 1 {
		level = "warning"
	}
	if most := 20; len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("and %d more", len(lines)-most))
	}
	for i := range lines {
		lines[i] = text.Printable(lines[i])
	}
	return annotation(level, "softbench gate", strings.Join(lines, "\n"))
}

// ErrorAnnotation is GitHub's workflow command for a gate that could not judge.
func ErrorAnnotation(err error) string {
	return annotation("error", "softbench gate: nothing judged", err.Error())
}

// annotation escapes as GitHub's toolkit does: % and line ends, in a property also
// : and the comma. Other control characters do not get into a log.
func annotation(level, title, message string) string {
	lines := strings.Split(strings.ReplaceAll(message, "%", "%25"), "\n") // of the writer's own: others are made printable before
	for i := range lines {
		lines[i] = text.Printable(lines[i])
	}
	message = strings.Join(lines, "%0A")
	title = strings.NewReplacer("%", "%25", ":", "%3A", ",", "%2C").Replace(text.Printable(title))
	return fmt.Sprintf("::%s title=%s::%s\n", level, title, message)
}
