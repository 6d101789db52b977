package gate

import (
	"fmt"
	"io"
	"strings"

	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/stats"
)

// WriteMarkdown writes the decision as GitHub and GitLab render it.
func (r *Result) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### softbench gate: %s\n\n%s against baseline %s\n\n", Markdown(r.Headline()), Markdown(r.Run), Markdown(r.Baseline))
	b.WriteString("| task | metric | n | baseline | run | drop | allowed | finds | interval of run - baseline | decision |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |\n")
	for i := range r.Metrics {
		m := &r.Metrics[i]
		outcome := m.Outcome()
		if m.Decision == stats.Regressed {
			outcome = "**" + outcome + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s | %s | %s | %s | %s | %s |\n", Markdown(m.Task), Markdown(m.Metric), m.N, m.shown(m.Baseline), m.shown(m.Run),
			m.signed(m.Drop), m.shown(m.AllowedDrop), m.shown(m.Detectable), Markdown(m.interval()), outcome)
	}
	fmt.Fprintf(&b, "\n*finds*: the smallest true drop that is called a regression in %s%% of cases\n\n", text.Compact(r.Power))
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.Decision != stats.Pass {
			fmt.Fprintf(&b, "- %s: %s\n", Markdown(m.Task+" "+m.Metric), Markdown(m.Explain()))
			for _, line := range m.worseLines(mostDocuments) {
				fmt.Fprintf(&b, "  - %s\n", Markdown(line))
			}
		}
	}
	if line := r.JointLine(); line != "" {
		fmt.Fprintf(&b, "- %s\n", Markdown(line))
	}
	if loud := r.Undecided(); loud != "" {
		fmt.Fprintf(&b, "- **warning: %s**\n", Markdown(loud))
	}
	for _, s := range r.remarks() {
		fmt.Fprintf(&b, "- %s\n", Markdown(s))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMarkdownError writes that nothing could be judged, and why.
func WriteMarkdownError(w io.Writer, err error) error {
	_, also := fmt.Fprintf(w, "### softbench gate: nothing judged\n\n%s\n", Markdown(err.Error()))
	return also
}

// Markdown makes text come out as it is: no markup, no HTML, no new cell or line,
// no link and no mention.
func Markdown(s string) string {
	var b strings.Builder
	for _, r := range text.Printable(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '@': // a name behind it would be notified
			b.WriteString("&#64;")
		case strings.ContainsRune("\\`*_{}[]()#!|~$", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(b.String(), "://", "&#58;//")
}
