package gate

import (
	"encoding/xml"
	"io"

	"github.com/softbench/softbench/stats"
)

// JUnit's elements, as Jenkins, GitLab and GitHub's reporters read them.
type junitSuites struct {
	XMLName xml.Name   `xml:"testsuites"`
	Suite   junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Failure *junitReason `xml:"failure,omitempty"`
	Error   *junitReason `xml:"error,omitempty"`
	Skipped *junitReason `xml:"skipped,omitempty"`
}

type junitReason struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
}

// WriteJUnit writes a test case for each metric. One that makes the gate fail is a
// failure; another that did not pass is skipped, with the reason.
func (r *Result) WriteJUnit(w io.Writer) error {
	s := junitSuite{Name: "softbench gate"}
	for i := range r.Metrics {
		m := &r.Metrics[i]
		c := junitCase{Class: "softbench." + m.Task, Name: m.Metric}
		switch {
		case m.Decision == stats.Pass:
		case m.Fails:
			c.Failure = &junitReason{Message: m.Explain(), Type: m.Outcome()}
			s.Failures++
		default:
			c.Skipped = &junitReason{Message: m.Outcome() + ": " + m.Explain()}
			s.Skipped++
		}
		s.Tests++
		s.Cases = append(s.Cases, c)
	}
	return writeXML(w, s)
}

// WriteJUnitError writes that nothing could be judged, and why.
func WriteJUnitError(w io.Writer, err error) error {
	return writeXML(w, junitSuite{Name: "softbench gate", Tests: 1, Errors: 1, Cases: []junitCase{{
		Class: "softbench", Name: "gate", Error: &junitReason{Message: err.Error(), Type: "broken input"},
	}}})
}

// writeXML writes what any parser reads: encoding/xml escapes markup and makes
// U+FFFD of characters that XML does not have.
func writeXML(w io.Writer, s junitSuite) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{Suite: s}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
