package gate

import (
	"fmt"
	"io"
	"strings"

	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/stats"
)

// WriteAnnotations writes GitHub's workflow commands: an error for each metric that
// makes the gate fail, a warning for each other one that did not pass and for each
// warning of the gate as a whole.
func (r *Result) WriteAnnotations(w io.Writer) error {
	var b strings.Builder
	for i := range r.Metrics {
		m := &r.Metrics[i]
		level := "warning"
		switch {
		case m.Decision == stats.Pass:
			continue
		case m.Fails:
			level = "error"
		}
		b.WriteString(annotation(level, "softbench: "+m.Task+" "+m.Metric+" "+m.outcome(), m.explain()))
	}
	for _, s := range r.Warnings {
		b.WriteString(annotation("warning", "softbench gate", s))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// ErrorAnnotation is GitHub's workflow command for a gate that could not judge.
func ErrorAnnotation(err error) string {
	return annotation("error", "softbench gate: nothing judged", err.Error())
}

// annotation escapes as GitHub's toolkit does: % and line ends, in a property also
// : and the comma. Other control characters do not get into a log.
func annotation(level, title, message string) string {
	message = strings.ReplaceAll(text.Printable(message), "%", "%25")
	title = strings.NewReplacer("%", "%25", ":", "%3A", ",", "%2C").Replace(text.Printable(title))
	return fmt.Sprintf("::%s title=%s::%s\n", level, title, message)
}
