package trial

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/softbench/softbench/cuda/conform"
)

// Count is the rows of a status.
func (t *Trial) Count(s Status) (n int) {
	for _, r := range t.Rows {
		if r.Status == s {
			n++
		}
	}
	return n
}

// table prints everything once more, in short, and writes it to the folder as JSON.
func (t *Trial) table() error {
	w := tabwriter.NewWriter(t.w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nchecks\tok\twrong\tdevice failed\thung\tskipped\tlargest difference, of what is allowed\n")
	for _, g := range t.groups() {
		count, worst := map[Status]int{}, 0.0
		for _, r := range t.Rows {
			if r.Group == g {
				count[r.Status]++
				worst = max(worst, r.Worst)
			}
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%.2f\n", g, count[OK], count[Wrong], count[Failed], count[Hung], count[Skipped], worst)
	}
	if t.Left > 0 {
		fmt.Fprintf(w, "not tried\t%d\t\t\t\t\t\n", t.Left)
	}
	t.timings(w)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range t.Rows {
		if r.Status != OK && r.Status != Skipped {
			fmt.Fprintf(t.w, "%s: %s\n", r.Name, r.text())
		}
	}
	if t.o.Folder == "" {
		return nil
	}
	text, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(t.o.Folder, "checks.json"), text, 0o644); err != nil {
		return err
	}
	var list []*conform.Timing
	for _, r := range t.Rows {
		if r.Timing != nil {
			list = append(list, r.Timing)
		}
	}
	if text, err = json.MarshalIndent(list, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(t.o.Folder, "timings.json"), text, 0o644)
}

// groups are those that have rows, in the order of the checks' list.
func (t *Trial) groups() (list []string) {
	for _, c := range conform.All(t.Device.Hopper, t.o.Size) {
		if !slices.Contains(list, c.Group) && slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Group == c.Group }) {
			list = append(list, c.Group)
		}
	}
	return list
}

const softmax, softpick = "attention softmax", "attention softpick"

// timings prints a line for each timing; softpick's speed is told as a part of softmax's
// at the same shape, too.
func (t *Trial) timings(w *tabwriter.Writer) {
	ms := map[string]float64{}
	var rows []*conform.Timing
	for _, c := range conform.Timings(t.Device.Hopper, t.o.Size) {
		for _, r := range t.Rows {
			if r.Name == c.Name && r.Timing != nil {
				rows = append(rows, r.Timing)
				ms[r.Timing.Kernel+r.Timing.Shape] = r.Timing.Median
			}
		}
	}
	if len(rows) > 0 {
		fmt.Fprintf(w, "\nbfloat16\tms\tbest\tTFLOP/s\tspeed of softmax = 1\n")
	}
	for _, x := range rows {
		ratio := ""
		if rest, ok := strings.CutPrefix(x.Kernel, softpick); ok {
			if m := ms[softmax+rest+x.Shape]; m > 0 {
				ratio = fmt.Sprintf("%.2f", m/x.Median)
			}
		}
		fmt.Fprintf(w, "%s, %s\t%.3f\t%.3f\t%.1f\t%s\n", x.Kernel, x.Shape, x.Median, x.Best, x.TFLOPS, ratio)
	}
}
