package rundir

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/text"
)

// WriteTable writes a run's metrics for people: a row each, and the passkey
// accuracies as a grid of length by depth. On a terminal that is too narrow for
// all columns, those that say least are left out: n, stderr, and the interval last.
func WriteTable(out io.Writer, r *Run) error {
	_, err := io.WriteString(out, tableText(r, text.TerminalWidth(out)))
	return err
}

// tableText is the table for a width in terminal cells; 0: as wide as it gets.
func tableText(r *Run, width int) string {
	var b strings.Builder
	if len(r.Tasks) > 0 {
		metricsTable(r).Fit(width).Write(&b)
		for _, n := range clusterNotes(r) {
			b.WriteString(text.Wrap(n, width))
		}
	}
	if groups := groupsTable(r); groups != nil {
		b.WriteByte('\n')
		groups.Fit(width).Write(&b)
		for _, n := range groupNotes(r) {
			b.WriteString(text.Wrap(n, width))
		}
	}
	if len(r.Passkey) > 0 {
		if len(r.Tasks) > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(text.Wrap(passkeyTitle(r.Passkey), width))
		passkeyGrid(r.Passkey).Write(&b)
	}
	if d := r.Diagnostics; d != nil {
		if len(r.Tasks) > 0 || len(r.Passkey) > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(text.Wrap(fmt.Sprintf("diagnostics, %s of %d tokens of %s", text.Plural(d.Samples, "sample", "samples"), d.Length, text.Printable(d.Task)), width))
		writeDiagnostics(&b, d, width)
	}
	truncated, unscored := 0, 0
	for _, t := range r.Tasks {
		truncated += t.Truncated
		unscored += t.Unscored
	}
	b.WriteByte('\n')
	if truncated > 0 {
		b.WriteString(text.Wrap(fmt.Sprintf("%s longer than the context of %d tokens and lost %s beginning (--strict-length makes that an error)",
			text.Plural(truncated, "request was", "requests were"), r.Settings.MaxLength, text.Choose(truncated, "its", "their")), width))
		b.WriteByte('\n')
	}
	if unscored > 0 {
		b.WriteString(text.Wrap(fmt.Sprintf("%s no score, as a continuation is empty or longer than the context, or its context has no token: no metric is over %s",
			text.Plural(unscored, "document has", "documents have"), text.Choose(unscored, "it", "them")), width))
		b.WriteByte('\n')
	}
	b.WriteString(text.Wrap(summary(r), width))
	return b.String()
}

func summary(r *Run) string {
	saved := 0.0
	if r.Tokens.Requested > 0 {
		saved = 100 * (1 - float64(r.Tokens.Distinct)/float64(r.Tokens.Requested))
	}
	s := fmt.Sprintf("%s, %s attention, %s on %s (%s): %d tokens computed for %d requested (%.0f%% shared), %.1f s",
		text.Printable(r.Model.Type), text.Printable(r.Settings.Attention), r.Settings.DType, r.Settings.Device, r.Settings.ISA,
		r.Process.Computed, r.Tokens.Requested, saved, r.Process.Seconds)
	if r.Process.Resumed > 0 {
		s += fmt.Sprintf("; %s from before the run was resumed", text.Plural(r.Process.Resumed, "result", "results"))
	}
	return s
}

func metricsTable(r *Run) *text.Grid {
	g := &text.Grid{}
	g.Fold("task", 4)
	g.Column("n", text.Right, 1)
	g.Column("metric", text.Left, text.Keep)
	g.Column("value", text.Right, text.Keep)
	g.Column("± stderr", text.Right, 2)
	clustered := len(clusterNotes(r)) > 0
	if clustered {
		g.Column("± clustered", text.Right, 3)
	}
	g.Column("95% interval", text.Right, 5)
	for _, t := range r.Tasks {
		for _, m := range t.Metrics {
			cells := []string{text.Printable(t.Name), strconv.Itoa(m.N), text.Printable(m.Name) + " " + text.Arrow(m.HigherIsBetter), text.Decimal(m.Value), text.Decimal(m.Stderr)}
			if clustered {
				shown := ""
				if m.ClusteredStderr != nil {
					shown = text.Decimal(*m.ClusteredStderr)
				}
				cells = append(cells, shown)
			}
			g.Row(append(cells, text.Range(m.Low, m.High))...)
		}
	}
	return g
}

// clusterNotes say of which tasks the documents are not independent.
func clusterNotes(r *Run) (out []string) {
	for _, t := range r.Tasks {
		for _, m := range t.Metrics {
			if m.Clusters > 0 {
				out = append(out, fmt.Sprintf("%s: %s in %s (%s): the interval is of the clusters, stderr takes the documents as independent",
					text.Printable(t.Name), text.Plural(m.N, "document", "documents"), text.Plural(m.Clusters, "cluster", "clusters"), text.Printable(t.ClusteredBy)))
				break
			}
		}
	}
	return out
}

func passkeyTitle(cells []Cell) string {
	least, most := cells[0].N, cells[0].N
	for _, c := range cells {
		least, most = min(least, c.N), max(most, c.N)
	}
	trials := text.Plural(most, "trial", "trials")
	if least != most {
		trials = fmt.Sprintf("%d to %s", least, trials)
	}
	return "passkey accuracy, " + trials + " a cell, by prompt length (tokens) and depth of the key"
}

func passkeyGrid(cells []Cell) *text.Grid {
	var lengths []int
	var depths []float64
	for _, c := range cells {
		if !slices.Contains(lengths, c.Length) {
			lengths = append(lengths, c.Length)
		}
		if !slices.Contains(depths, c.Depth) {
			depths = append(depths, c.Depth)
		}
	}
	slices.Sort(lengths)
	slices.Sort(depths)
	g := &text.Grid{}
	g.Column("length", text.Right, text.Keep)
	for _, d := range depths {
		g.Column(strconv.FormatFloat(math.Round(1000*d)/10, 'f', -1, 64)+"%", text.Right, text.Keep)
	}
	for _, l := range lengths {
		row := []string{strconv.Itoa(l)}
		for _, d := range depths {
			i := slices.IndexFunc(cells, func(c Cell) bool { return c.Length == l && c.Depth == d })
			switch {
			case i < 0:
				row = append(row, "")
			case math.IsNaN(float64(cells[i].Accuracy)):
				row = append(row, "-")
			default:
				row = append(row, strconv.FormatFloat(float64(cells[i].Accuracy), 'f', 2, 64))
			}
		}
		g.Row(row...)
	}
	return g
}

// writeDiagnostics writes the measures, in two columns where there is room, else each after its name.
func writeDiagnostics(b *strings.Builder, d *Diagnostics, width int) {
	rows := diagnosticsRows(d)
	g := &text.Grid{}
	g.Column("  "+rows[0][0], text.Left, text.Keep)
	g.Column(rows[0][1], text.Left, text.Keep)
	for _, r := range rows[1:] {
		g.Row("  "+r[0], r[1])
	}
	if width <= 0 || g.Width() <= width {
		g.Write(b)
		return
	}
	for _, r := range rows {
		b.WriteString(text.Wrap("  "+r[0]+": "+r[1], width))
	}
}

// diagnosticsRows are the measures' names and values.
func diagnosticsRows(d *Diagnostics) [][2]string {
	return [][2]string{
		{fmt.Sprintf("sink rate (first token, above %g)", d.Threshold), percent(d.SinkRate)},
		{"weights that are exactly 0", percent(d.Sparsity)},
		{"weights of at most 1e-5", percent(d.NearSparsity)},
		{"dead heads", percent(d.DeadHeads)},
		{"attention mass (mean sum of a query's weights)", text.Decimal(d.Mass)},
		{"kurtosis of the residual stream (3: Gaussian)", text.Decimal(d.Kurtosis)},
		{"smallest and largest activation", text.Decimal(d.Min) + ", " + text.Decimal(d.Max)},
		{"massive activations", strconv.FormatInt(d.Massive, 10)},
	}
}

func percent(n Number) string {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return "-"
	}
	return strconv.FormatFloat(100*float64(n), 'f', 2, 64) + "%"
}
