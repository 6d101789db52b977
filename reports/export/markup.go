package export

import (
	"fmt"
	"io"
	"strings"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/gate"
	"github.com/softbench/softbench/reports/text"
)

// WriteMarkdown writes the table with the better value in bold.
func (t *Table) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| task | metric |")
	for _, r := range t.Runs {
		b.WriteString(" " + gate.Markdown(r) + " |")
	}
	b.WriteString("\n| --- | --- |" + strings.Repeat(" ---: |", len(t.Runs)) + "\n")
	for i := range t.Rows {
		r := &t.Rows[i]
		fmt.Fprintf(&b, "| %s | %s |", gate.Markdown(r.Task), strings.TrimRight(gate.Markdown(r.Metric)+" "+r.arrow("↑", "↓"), " "))
		for k, c := range r.Cells {
			text := r.show(k)
			if c.Best {
				text = "**" + text + "**"
			}
			b.WriteString(" " + text + mark(c.Mark, "†", "‡") + gate.Markdown(r.behind(k, t.Spread, " ± ", ", ")) + " |")
		}
		b.WriteByte('\n')
	}
	if t.marked() {
		fmt.Fprintf(&b, "\n† better than %s, ‡ worse (paired by document, %s%% confidence after Holm's correction); shares in percent.\n", gate.Markdown(t.Runs[0]), text.Compact(t.Confidence))
	} else if len(t.Runs) > 1 {
		fmt.Fprintf(&b, "\nNo difference from %s is shown (paired by document, %s%% confidence after Holm's correction); shares in percent.\n", gate.Markdown(t.Runs[0]), text.Compact(t.Confidence))
	}
	if note := t.spreadNote("±"); note != "" {
		b.WriteString("\n" + note + ".\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// arrow points where the metric is better; "" of a measure.
func (r *Row) arrow(up, down string) string {
	switch {
	case r.Measure:
		return ""
	case r.HigherIsBetter:
		return up
	}
	return down
}

func mark(v compare.Verdict, better, worse string) string {
	switch v {
	case compare.Better:
		return better
	case compare.Worse:
		return worse
	}
	return ""
}

// WriteLaTeX writes the table for a paper; it needs the package booktabs.
func (t *Table) WriteLaTeX(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\\begin{tabular}{ll%s}\n\\toprule\nTask & Metric", strings.Repeat("r", len(t.Runs)))
	for _, r := range t.Runs {
		b.WriteString(" & " + LaTeX(r))
	}
	b.WriteString(" \\\\\n\\midrule\n")
	last := ""
	for i := range t.Rows {
		r := &t.Rows[i]
		task := LaTeX(r.Task)
		if r.Task == last {
			task = ""
		}
		last = r.Task
		b.WriteString(task + " & " + strings.TrimRight(LaTeX(r.Metric)+" "+r.arrow("$\\uparrow$", "$\\downarrow$"), " "))
		for k, c := range r.Cells {
			text := strings.ReplaceAll(r.show(k), "–", "--")
			if c.Best {
				text = "\\textbf{" + text + "}"
			}
			b.WriteString(" & " + text + mark(c.Mark, "$^{\\dagger}$", "$^{\\ddagger}$") + r.behind(k, t.Spread, " $\\pm$ ", ", "))
		}
		b.WriteString(" \\\\\n")
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n")
	if t.marked() {
		fmt.Fprintf(&b, "%% $^{\\dagger}$ better than %s, $^{\\ddagger}$ worse (paired by document, %s\\%% confidence after Holm's correction); shares in percent.\n", LaTeX(t.Runs[0]), text.Compact(t.Confidence))
	}
	if note := t.spreadNote("$\\pm$"); note != "" {
		b.WriteString("% " + strings.ReplaceAll(note, "%", "\\%") + ".\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// LaTeX makes text come out as it is, in any font encoding and in any cell: after
// \\ a bracket or a star would be an argument, and two hyphens are a dash.
func LaTeX(s string) string {
	var b strings.Builder
	last := rune(0)
	for _, r := range text.Printable(s) {
		if r == '-' && last == '-' {
			b.WriteString("{}")
		}
		last = r
		switch r {
		case '&', '%', '$', '#', '_', '{', '}':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '~':
			b.WriteString(`\textasciitilde{}`)
		case '^':
			b.WriteString(`\textasciicircum{}`)
		case '\\':
			b.WriteString(`\textbackslash{}`)
		case '<':
			b.WriteString(`\textless{}`)
		case '>':
			b.WriteString(`\textgreater{}`)
		case '|':
			b.WriteString(`\textbar{}`)
		case '"':
			b.WriteString(`\char34{}`)
		case '`':
			b.WriteString(`\textasciigrave{}`)
		case '[', ']', '*':
			b.WriteString("{" + string(r) + "}")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
