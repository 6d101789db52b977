package compare

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// WriteTable writes a comparison for people: a row for each metric, `~` for a
// difference that may be chance, and footnotes for what to mind. On a
// terminal that is too narrow the columns that say least are left out, the difference never
// and its interval last.
func WriteTable(out io.Writer, c *Comparison) error {
	_, err := io.WriteString(out, tableText(c, text.TerminalWidth(out)))
	return err
}

// tableText is the table for a width in terminal cells; 0: as wide as it gets.
func tableText(c *Comparison, width int) string {
	var b strings.Builder
	text.List(&b, [][2]string{{"A  " + text.Printable(c.A.Name), c.A.describe()}, {"B  " + text.Printable(c.B.Name), c.B.describe()}}, 0, width)
	b.WriteByte('\n')
	var notes footnotes
	g := &text.Grid{}
	g.Fold("task", 7)
	g.Column("n", text.Right, 3)
	g.Column("metric", text.Left, text.Keep)
	g.Column("A", text.Right, 5)
	g.Column("B", text.Right, 6)
	g.Column("B - A", text.Right, text.Keep)
	g.Column(c.intervalTitle(), text.Left, 8)
	g.Short("interval")
	g.Column("p", text.Right, 4)
	g.Column("detectable", text.Right, 1)
	if c.Effect > 0 {
		g.Column("n for ±"+text.Compact(c.Effect), text.Right, 2)
	}
	g.Column("B is", text.Left, text.Keep)
	last := ""
	for i := range c.Metrics {
		m := &c.Metrics[i]
		task := text.Printable(m.Task)
		if m.Task == last {
			task = ""
		}
		last = m.Task
		verdict := m.word()
		for _, n := range m.footnotes() {
			verdict += " " + notes.mark(n)
		}
		cells := []string{task, strconv.Itoa(m.N), text.Printable(m.Metric) + " " + text.Arrow(m.HigherIsBetter), text.Decimal(m.A), text.Decimal(m.B), text.Signed(m.Difference),
			text.Interval(m.LowAdjusted, m.HighAdjusted), probability(m.Adjusted), plusMinus(m.Detectable)}
		if c.Effect > 0 {
			cells = append(cells, m.needed())
		}
		g.Row(append(cells, verdict)...)
	}
	if len(c.Metrics) > 0 { // else there are diagnostics alone
		g.Fit(width).Write(&b)
		b.WriteByte('\n')
		b.WriteString(text.Wrap(c.conclusion(), width))
	}
	c.writeGroups(&b, width, &notes)
	if len(c.Diagnostics) > 0 {
		c.writeDiagnostics(&b, width, &notes)
	}
	if c.KL != nil {
		c.KL.write(&b, width, text.Compact(c.Confidence))
	}
	if len(c.Metrics) > 0 {
		b.WriteString(text.Wrap(c.legend(), width))
	}
	for i, n := range notes.texts {
		b.WriteString(text.Wrap(superscript(i+1)+" "+n, width))
	}
	for _, s := range c.Settings {
		b.WriteString(text.Wrap("differs: "+text.Printable(s.String()), width))
	}
	for _, n := range c.Notes {
		b.WriteString(text.Wrap("note: "+text.Printable(n), width))
	}
	for _, w := range c.Warnings {
		b.WriteString(text.Wrap("warning: "+text.Printable(w), width))
	}
	return b.String()
}

// intervalTitle names the interval that decides.
func (c *Comparison) intervalTitle() string {
	title := text.Compact(c.Confidence) + "% interval"
	if c.Corrected() {
		title += ", corrected"
	}
	return title
}

// legend says what the table's columns mean.
func (c *Comparison) legend() string {
	legend := "~: a difference that may be chance. same: the answers are equal, or differ by rounding alone. "
	if c.Corrected() {
		legend += "p, interval: corrected for the number of tasks (Holm); t"
	} else {
		legend += "T"
	}
	legend += "he interval leaves out 0 only where p is below " + text.Compact(c.Level) +
		". detectable: the smallest true difference that n documents show in " + text.Compact(c.Power) + "% of cases."
	if c.Effect > 0 {
		legend += " n for ±" + text.Compact(c.Effect) + ": how many documents show a true difference of " + text.Compact(c.Effect) + ", of perplexities and bits " + text.Compact(percentOf(c.Effect)) + "% of the value, in " + text.Compact(c.Power) + "% of cases."
	}
	return legend
}

// word is the verdict for the table.
func (m *Metric) word() string {
	switch {
	case m.Same():
		return "same"
	case m.Verdict == Noise:
		return "~"
	}
	return string(m.Verdict)
}

// needed is how many documents, in how many clusters, show the effect that was named.
func (m *Metric) needed() string {
	switch {
	case m.Needed == 0:
		return "-"
	case m.NeededClusters > 0:
		return fmt.Sprintf("%d in %d clusters", m.Needed, m.NeededClusters)
	}
	return strconv.Itoa(m.Needed)
}

func (s SideInfo) describe() string {
	if s.Format == Harness {
		return "lm-evaluation-harness"
	}
	parts := []string{s.ModelType, s.Attention + " attention", s.DType}
	if len(s.Model) >= 12 {
		parts = append(parts, "weights "+s.Model[:12])
	}
	return text.Printable(strings.Join(parts, ", "))
}

// conclusion counts the verdicts on the tasks' primary metrics.
func (c *Comparison) conclusion() string {
	s := c.Summary
	noun := "tasks"
	if s.Tasks == 1 {
		noun = "task"
	}
	line := fmt.Sprintf("by the first metric of %d %s: B better on %d, worse on %d, ", s.Tasks, noun, s.Better, s.Worse)
	if s.Same == 0 {
		return line + fmt.Sprintf("no difference shown on %d", s.Noise)
	}
	return line + fmt.Sprintf("the same on %d, no difference shown on %d", s.Same, s.Noise-s.Same)
}

// footnotes of a metric's row.
func (m *Metric) footnotes() []string {
	var out []string
	if m.Identical {
		out = append(out, "every answer is the same to the last bit")
	}
	if clusters := m.ClusterText(); clusters != "" {
		out = append(out, clusters)
	}
	for _, w := range m.Warnings {
		if !m.Identical || !strings.HasPrefix(w, "identical") {
			out = append(out, text.Printable(w))
		}
	}
	return out
}

// footnotes are texts by number, each once.
type footnotes struct{ texts []string }

func (f *footnotes) mark(text string) string {
	i := slices.Index(f.texts, text)
	if i < 0 {
		i = len(f.texts)
		f.texts = append(f.texts, text)
	}
	return superscript(i + 1)
}

func superscript(n int) string {
	return strings.Map(func(r rune) rune {
		return []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[r-'0']
	}, strconv.Itoa(n))
}

func probability(n rundir.Number) string {
	p := float64(n)
	switch {
	case math.IsNaN(p):
		return "-"
	case p < 0.0001:
		return "<0.0001"
	case p >= 0.99995:
		return "1"
	}
	return strconv.FormatFloat(p, 'f', 4, 64)
}

func plusMinus(n rundir.Number) string {
	if small, ok := text.Small(n); ok {
		return "±" + small
	}
	if shown := text.Decimal(n); shown != "-" {
		return "±" + shown
	}
	return "-"
}
