package stress

import (
	"fmt"
	"io"
	"strings"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// WriteTable writes a result for people: a row for each model and setting, and the claims.
func WriteTable(out io.Writer, r *Result) error {
	_, err := io.WriteString(out, tableText(r, text.TerminalWidth(out)))
	return err
}

func tableText(r *Result, width int) string {
	var b strings.Builder
	b.WriteString(text.Wrap(r.Headline, width))
	b.WriteByte('\n')
	g := &text.Grid{}
	g.Fold("model", 5)
	g.Column("weights", text.Left, text.Keep)
	g.Column("bytes", text.Right, 4)
	g.Column("score", text.Right, text.Keep)
	interval := text.Compact(r.Confidence) + "% interval"
	g.Column(interval, text.Left, 7)
	g.Column("kept", text.Right, text.Keep)
	g.Column(interval, text.Left, 8)
	g.Column("KL", text.Right, text.Keep)
	g.Column(interval, text.Left, 6)
	g.Column("same top", text.Right, 3)
	g.Column("kurtosis", text.Right, 2)
	g.Column("largest", text.Right, 1)
	for i := range r.Models {
		name := text.Printable(r.Models[i].Name)
		for k := range r.Models[i].Cells {
			c := &r.Models[i].Cells[k]
			bytes := "-"
			if c.Bytes > 0 {
				bytes = plain(text.Count(float64(c.Bytes)))
			}
			g.Row(name, c.Setting, bytes, text.Decimal(c.Score.Value), text.Range(c.Score.Low, c.Score.High),
				share(c.Kept.Value), shares(c.Kept), text.Nats(c.KL.Value), text.NatsRange(c.KL.Low, c.KL.High), text.Decimal(c.SameTop.Value),
				text.Decimal(c.Kurtosis), text.Decimal(c.Largest))
			name = ""
		}
	}
	g.Fit(width).Write(&b)
	b.WriteByte('\n')
	r.writeClaims(&b, width)
	b.WriteString(text.Wrap(r.legend(), width))
	for _, n := range r.notes() {
		b.WriteString(text.Wrap("note: "+text.Printable(n), width))
	}
	return b.String()
}

func (r *Result) writeClaims(b *strings.Builder, width int) {
	if len(r.Claims) == 0 {
		return
	}
	g := &text.Grid{}
	several := len(r.Models) > 2
	if several {
		g.Fold("A, B", 3)
	}
	g.Column("weights", text.Left, text.Keep)
	g.Column("A keeps", text.Right, 1)
	g.Column("B keeps", text.Right, 2)
	g.Column("B - A", text.Right, text.Keep)
	g.Column("interval, corrected", text.Left, 4)
	g.Short("interval")
	g.Column("B keeps half where A does not", text.Left, text.Keep)
	g.Short("B, not A")
	pair := ""
	for i := range r.Claims {
		c := &r.Claims[i]
		var row []string
		if several {
			names := text.Printable(c.First) + ", " + text.Printable(c.Second)
			row = []string{names}
			if names == pair {
				row[0] = ""
			}
			pair = names
		}
		g.Row(append(row, c.Setting, share(c.FirstKept.Value), share(c.SecondKept.Value), points(c.Difference.Value), "["+points(c.Difference.Low)+", "+points(c.Difference.High)+"]", string(c.Verdict))...)
	}
	if len(r.Models) == 2 {
		b.WriteString(text.Wrap("A "+text.Printable(r.Models[0].Name)+", B "+text.Printable(r.Models[1].Name)+"; shares in percent, differences in points", width))
	}
	g.Fit(width).Write(b)
	b.WriteByte('\n')
}

// legend says what the columns mean.
func (r *Result) legend() string {
	return "score: mean accuracy over the tasks that have one. kept: the share of the stored weights' score above chance that is left. KL: of the stored weights' distributions of the next token from these, nats a token. kurtosis, largest activation: of the residual stream. Intervals are by document; those of the comparison allow for all settings of as many bits (Bonferroni). bytes: of the weights that are quantised, with their scales."
}

// notes are the result's, what it was measured on, and the cells' warnings, each once.
func (r *Result) notes() []string {
	notes := append([]string{r.Over()}, r.Notes...)
	seen := map[string]bool{}
	for i := range r.Models {
		for k := range r.Models[i].Cells {
			c := &r.Models[i].Cells[k]
			for _, w := range c.Warnings {
				if !seen[w] {
					notes = append(notes, fmt.Sprintf("%s, %s: %s", r.Models[i].Name, c.Setting, w))
				}
				seen[w] = true
			}
		}
	}
	return notes
}

// Over says which texts were scored.
func (r *Result) Over() string {
	var parts []string
	for _, t := range r.Tasks {
		parts = append(parts, fmt.Sprintf("%s (%d)", t.Name, t.Documents))
	}
	return "documents scored: " + strings.Join(parts, ", ")
}

// plain has no narrow blanks.
func plain(s string) string { return strings.ReplaceAll(s, "\u202f", ",") }

func share(n rundir.Number) string {
	if !text.Finite(float64(n)) {
		return "-"
	}
	return strings.ReplaceAll(text.Percent(float64(n)), "−", "-")
}

func shares(a compare.Average) string {
	if !text.Finite(float64(a.Low)) || !text.Finite(float64(a.High)) {
		return "-"
	}
	return "[" + share(a.Low) + ", " + share(a.High) + "]"
}

func points(n rundir.Number) string {
	if !text.Finite(float64(n)) {
		return "-"
	}
	return strings.ReplaceAll(text.Points(float64(n)), "−", "-")
}
