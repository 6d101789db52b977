package compare

import (
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/text"
)

// writeGroups writes a row for each metric of each group.
func (c *Comparison) writeGroups(b *strings.Builder, width int, notes *footnotes) {
	if len(c.Groups) == 0 {
		return
	}
	g := &text.Grid{}
	g.Fold("group", 6)
	g.Column("tasks", text.Right, 1)
	g.Column("n", text.Right, 2)
	g.Column("metric", text.Left, text.Keep)
	g.Column("A", text.Right, 4)
	g.Column("B", text.Right, 5)
	g.Column("B - A", text.Right, text.Keep)
	title := text.Compact(c.Confidence) + "% interval"
	if len(c.Groups) > 1 {
		title += ", corrected"
	}
	g.Column(title, text.Left, 7)
	g.Short("interval")
	g.Column("p", text.Right, 3)
	g.Column("B is", text.Left, text.Keep)
	for i := range c.Groups {
		m := &c.Groups[i]
		verdict := m.word()
		for _, n := range m.footnotes() {
			verdict += " " + notes.mark(n)
		}
		g.Row(text.Printable(m.Task), strconv.Itoa(m.Tasks), strconv.Itoa(m.N), text.Printable(m.Metric.Metric)+" "+text.Arrow(m.HigherIsBetter),
			text.Decimal(m.A), text.Decimal(m.B), text.Signed(m.Difference), text.Interval(m.LowAdjusted, m.HighAdjusted), probability(m.Adjusted), verdict)
	}
	b.WriteByte('\n')
	g.Fit(width).Write(b)
	for _, m := range c.Groups {
		if !m.Weighted {
			b.WriteString(text.Wrap(text.Printable(m.Task)+": "+text.Printable(m.Metric.Metric)+" is the mean of its tasks, each the same whatever its documents.", width))
		}
	}
}
