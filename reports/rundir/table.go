package rundir

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// WriteTable writes a run's metrics for people: a row each, and the passkey
// accuracies as a grid of length by depth.
func WriteTable(out io.Writer, r *Run) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if len(r.Tasks) > 0 {
		fmt.Fprintln(w, "task\tn\tmetric\tvalue\t± stderr\t95% interval\t")
		for _, t := range r.Tasks {
			for _, m := range t.Metrics {
				fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t\n", t.Name, m.N, m.Name+arrow(m.HigherIsBetter), number(m.Value), number(m.Stderr), interval(m.Low, m.High))
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if len(r.Passkey) > 0 {
		if err := writeGrid(out, r.Passkey, len(r.Tasks) > 0); err != nil {
			return err
		}
	}
	if r.Diagnostics != nil {
		if err := writeDiagnostics(out, r.Diagnostics, len(r.Tasks) > 0 || len(r.Passkey) > 0); err != nil {
			return err
		}
	}
	truncated := 0
	for _, t := range r.Tasks {
		truncated += t.Truncated
	}
	if truncated > 0 {
		fmt.Fprintf(out, "\n%d requests were longer than the context of %d tokens and lost their beginning (--strict-length makes that an error)\n", truncated, r.Settings.MaxLength)
	}
	saved := 0.0
	if r.Tokens.Requested > 0 {
		saved = 100 * (1 - float64(r.Tokens.Distinct)/float64(r.Tokens.Requested))
	}
	_, err := fmt.Fprintf(out, "\n%s, %s attention, %s on %s (%s): %d tokens computed for %d requested (%.0f%% shared), %.1f s\n",
		r.Model.Type, r.Settings.Attention, r.Settings.DType, r.Settings.Device, r.Settings.ISA, r.Process.Computed, r.Tokens.Requested, saved, r.Process.Seconds)
	return err
}

func writeGrid(out io.Writer, cells []Cell, gap bool) error {
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
	if gap {
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "passkey accuracy, %d trials a cell, by prompt length (tokens) and depth of the key\n", cells[0].N)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "length\t")
	for _, d := range depths {
		fmt.Fprintf(w, "%.0f%%\t", 100*d)
	}
	fmt.Fprintln(w)
	for _, l := range lengths {
		fmt.Fprintf(w, "%d\t", l)
		for _, d := range depths {
			i := slices.IndexFunc(cells, func(c Cell) bool { return c.Length == l && c.Depth == d })
			if i < 0 {
				fmt.Fprint(w, "\t")
				continue
			}
			fmt.Fprintf(w, "%.2f\t", float64(cells[i].Accuracy))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

func writeDiagnostics(out io.Writer, d *Diagnostics, gap bool) error {
	if gap {
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "inside the model, %d samples of %d tokens of %s\n", d.Samples, d.Length, d.Task)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range []struct {
		name  string
		value string
	}{
		{fmt.Sprintf("sink rate (first token, above %g)", d.Threshold), percent(d.SinkRate)},
		{"weights that are exactly 0", percent(d.Sparsity)},
		{"weights of at most 1e-5", percent(d.NearSparsity)},
		{"dead heads", percent(d.DeadHeads)},
		{"attention mass (mean sum of a query's weights)", number(d.Mass)},
		{"kurtosis of the residual stream (3: Gaussian)", number(d.Kurtosis)},
		{"smallest and largest activation", number(d.Min) + ", " + number(d.Max)},
		{"massive activations", fmt.Sprint(d.Massive)},
	} {
		fmt.Fprintf(w, "  %s\t%s\n", row.name, row.value)
	}
	return w.Flush()
}

func percent(n Number) string { return fmt.Sprintf("%.2f%%", 100*float64(n)) }

func arrow(higherIsBetter bool) string {
	if higherIsBetter {
		return " ↑"
	}
	return " ↓"
}

// number shows four significant digits of a share, six of larger numbers.
func number(n Number) string {
	f := float64(n)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return "-"
	case math.Abs(f) < 10:
		return fmt.Sprintf("%.4f", f)
	default:
		return fmt.Sprintf("%.6g", f)
	}
}

func interval(low, high Number) string {
	if math.IsNaN(float64(low)) || math.IsNaN(float64(high)) {
		return "-"
	}
	return "[" + number(low) + ", " + number(high) + "]"
}
