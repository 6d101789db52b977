package compare

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// write writes the divergences for people.
func (d *Divergence) write(b *strings.Builder, width int, confidence string) {
	b.WriteByte('\n')
	b.WriteString(text.Wrap("KL(A||B), nats a token, over "+d.Over()+":", width))
	g := &text.Grid{}
	g.Column("", text.Left, text.Keep)
	g.Column("", text.Right, text.Keep)
	g.Column(confidence+"% interval", text.Left, 1)
	plain := func(name string, n rundir.Number) { g.Row(name, text.Nats(n), "") }
	g.Row("mean", text.Nats(d.Mean.Value), text.NatsRange(d.Mean.Low, d.Mean.High))
	plain("median", d.Median)
	plain("90%", d.P90)
	plain("99%", d.P99)
	plain("99.9%", d.P999)
	plain("largest", d.Max)
	g.Row("same top token", text.Decimal(d.SameTop.Value), text.Range(d.SameTop.Low, d.SameTop.High))
	g.Row("right token's probability, B - A", text.Signed(d.Change.Value), text.Interval(d.Change.Low, d.Change.High))
	g.Row("its root mean square", text.Nats(d.RMSChange.Value), text.NatsRange(d.RMSChange.Low, d.RMSChange.High))
	g.Fit(width).Write(b)
	b.WriteByte('\n')
	d.writeParts(b, width, confidence)
	for _, w := range d.Warnings {
		b.WriteString(text.Wrap("warning: KL: "+text.Printable(w), width))
	}
}

// writeParts writes the tasks, where there are several, and the places in the window.
func (d *Divergence) writeParts(b *strings.Builder, width int, confidence string) {
	g := &text.Grid{}
	g.Column("tokens before", text.Left, text.Keep)
	g.Column("tokens", text.Right, 1)
	g.Column("KL", text.Right, text.Keep)
	g.Column(confidence+"% interval", text.Left, 2)
	g.Column("same top", text.Right, text.Keep)
	row := func(name string, p *DivergencePart) {
		g.Row(name, strconv.Itoa(p.Tokens), text.Nats(p.Mean.Value), text.NatsRange(p.Mean.Low, p.Mean.High), text.Decimal(p.SameTop.Value))
	}
	for i := range d.Positions {
		row(d.Positions[i].Places(), &d.Positions[i])
	}
	if len(d.Tasks) > 1 {
		for i := range d.Tasks {
			row(text.Printable(d.Tasks[i].Task), &d.Tasks[i])
		}
	}
	g.Fit(width).Write(b)
	b.WriteByte('\n')
}

// Over says what was measured on.
func (d *Divergence) Over() string {
	over := fmt.Sprintf("%d tokens of %s", d.Tokens, text.Plural(d.Documents, "document", "documents"))
	if d.Clusters > 0 {
		over += fmt.Sprintf(" in %d clusters", d.Clusters)
	}
	return over
}

// Places are how many tokens stand before those of a part.
func (p *DivergencePart) Places() string {
	if p.From == p.Until {
		return strconv.Itoa(p.From)
	}
	return fmt.Sprintf("%d to %d", p.From, p.Until)
}
