package rundir

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// WriteTable writes a run's metrics for people: a row each, and the passkey
// accuracies as a grid of length by depth. On a terminal that is too narrow for
// all columns, those that say least are left out: interval, stderr, n.
func WriteTable(out io.Writer, r *Run) error {
	width := 0
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			width = w
		}
	}
	_, err := io.WriteString(out, tableText(r, width))
	return err
}

// tableText is the table for a width in terminal cells; 0: as wide as it gets.
func tableText(r *Run, width int) string {
	var b strings.Builder
	if len(r.Tasks) > 0 {
		metricsTable(r).fit(width).write(&b)
		for _, n := range clusterNotes(r) {
			b.WriteString(wrap(n, width))
		}
	}
	if len(r.Passkey) > 0 {
		if len(r.Tasks) > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(wrap(passkeyTitle(r.Passkey), width))
		passkeyGrid(r.Passkey).write(&b)
	}
	if d := r.Diagnostics; d != nil {
		if len(r.Tasks) > 0 || len(r.Passkey) > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(wrap(fmt.Sprintf("inside the model, %s of %d tokens of %s", plural(d.Samples, "sample", "samples"), d.Length, printable(d.Task)), width))
		diagnosticsTable(d).write(&b)
	}
	truncated, unscored := 0, 0
	for _, t := range r.Tasks {
		truncated += t.Truncated
		unscored += t.Unscored
	}
	b.WriteByte('\n')
	if truncated > 0 {
		b.WriteString(wrap(fmt.Sprintf("%s longer than the context of %d tokens and lost %s beginning (--strict-length makes that an error)",
			plural(truncated, "request was", "requests were"), r.Settings.MaxLength, choose(truncated, "its", "their")), width))
		b.WriteByte('\n')
	}
	if unscored > 0 {
		b.WriteString(wrap(fmt.Sprintf("%s no score, as a continuation is empty or longer than the context: no metric is over %s",
			plural(unscored, "document has", "documents have"), choose(unscored, "it", "them")), width))
		b.WriteByte('\n')
	}
	b.WriteString(wrap(summary(r), width))
	return b.String()
}

func summary(r *Run) string {
	saved := 0.0
	if r.Tokens.Requested > 0 {
		saved = 100 * (1 - float64(r.Tokens.Distinct)/float64(r.Tokens.Requested))
	}
	s := fmt.Sprintf("%s, %s attention, %s on %s (%s): %d tokens computed for %d requested (%.0f%% shared), %.1f s",
		printable(r.Model.Type), printable(r.Settings.Attention), r.Settings.DType, r.Settings.Device, r.Settings.ISA,
		r.Process.Computed, r.Tokens.Requested, saved, r.Process.Seconds)
	if r.Process.Resumed > 0 {
		s += fmt.Sprintf("; %s from before the run was resumed", plural(r.Process.Resumed, "result", "results"))
	}
	return s
}

func metricsTable(r *Run) *grid {
	g := &grid{}
	g.column("task", alignLeft, keep)
	g.column("n", alignRight, 3)
	g.column("metric", alignLeft, keep)
	g.column("value", alignRight, keep)
	g.column("± stderr", alignRight, 2)
	clustered := len(clusterNotes(r)) > 0
	if clustered {
		g.column("± clustered", alignRight, 2)
	}
	g.column("95% interval", alignRight, 1)
	for _, t := range r.Tasks {
		for _, m := range t.Metrics {
			cells := []string{printable(t.Name), strconv.Itoa(m.N), printable(m.Name) + arrow(m.HigherIsBetter), number(m.Value), number(m.Stderr)}
			if clustered {
				text := ""
				if m.ClusteredStderr != nil {
					text = number(*m.ClusteredStderr)
				}
				cells = append(cells, text)
			}
			g.row(append(cells, interval(m.Low, m.High))...)
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
					printable(t.Name), plural(m.N, "document", "documents"), plural(m.Clusters, "cluster", "clusters"), printable(t.ClusteredBy)))
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
	trials := plural(most, "trial", "trials")
	if least != most {
		trials = fmt.Sprintf("%d to %s", least, trials)
	}
	return "passkey accuracy, " + trials + " a cell, by prompt length (tokens) and depth of the key"
}

func passkeyGrid(cells []Cell) *grid {
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
	g := &grid{}
	g.column("length", alignRight, keep)
	for _, d := range depths {
		g.column(strconv.FormatFloat(math.Round(1000*d)/10, 'f', -1, 64)+"%", alignRight, keep)
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
		g.row(row...)
	}
	return g
}

func diagnosticsTable(d *Diagnostics) *grid {
	g := &grid{}
	for _, row := range [][2]string{
		{fmt.Sprintf("sink rate (first token, above %g)", d.Threshold), percent(d.SinkRate)},
		{"weights that are exactly 0", percent(d.Sparsity)},
		{"weights of at most 1e-5", percent(d.NearSparsity)},
		{"dead heads", percent(d.DeadHeads)},
		{"attention mass (mean sum of a query's weights)", number(d.Mass)},
		{"kurtosis of the residual stream (3: Gaussian)", number(d.Kurtosis)},
		{"smallest and largest activation", number(d.Min) + ", " + number(d.Max)},
		{"massive activations", strconv.FormatInt(d.Massive, 10)},
	} {
		if g.columns == nil {
			g.column("  "+row[0], alignLeft, keep)
			g.column(row[1], alignLeft, keep)
			continue
		}
		g.row("  "+row[0], row[1])
	}
	return g
}

func percent(n Number) string {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return "-"
	}
	return strconv.FormatFloat(100*float64(n), 'f', 2, 64) + "%"
}

func arrow(higherIsBetter bool) string {
	if higherIsBetter {
		return " ↑"
	}
	return " ↓"
}

// number shows four decimals of a number below ten, else six significant digits.
func number(n Number) string {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "-"
	}
	// The digits before the point are those of the rounded number: 99.99999 is 100.000.
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(math.Abs(f), 'e', 5, 64), 64)
	switch {
	case rounded < 10:
		return strconv.FormatFloat(f, 'f', 4, 64)
	case rounded < 1e6:
		whole := len(strconv.FormatInt(int64(rounded), 10))
		return strconv.FormatFloat(f, 'f', 6-whole, 64)
	default:
		return strconv.FormatFloat(f, 'e', 4, 64)
	}
}

func interval(low, high Number) string {
	if math.IsNaN(float64(low)) || math.IsNaN(float64(high)) {
		return "-"
	}
	return "[" + number(low) + ", " + number(high) + "]"
}

func choose(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

func plural(n int, one, more string) string {
	return fmt.Sprintf("%d %s", n, choose(n, one, more))
}

// printable replaces what would move a terminal's cursor or change its colours.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200d' {
			return '\uFFFD'
		}
		return r
	}, s)
}

// wrap breaks text at blanks into lines of at most width cells, each ended; 0:
// one line.
func wrap(text string, width int) string {
	if width <= 0 {
		return text + "\n"
	}
	var b strings.Builder
	used := 0
	for i, word := range strings.Split(text, " ") {
		w := uniseg.StringWidth(word)
		switch {
		case i == 0:
		case used+1+w > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += w
	}
	b.WriteByte('\n')
	return b.String()
}
