package export

import (
	"cmp"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/softbench/softbench/reports/compare"
)

// At is a run with its place in a course: the training that it is of, and the step. Of a run that
// stands alone they are its name and 0.
type At struct {
	Side   *compare.Side
	Series string
	Step   int64
}

// when is the time that a run ended, the epoch where it does not say.
func (a At) when() time.Time {
	if m := a.Side.Manifest; m != nil && !m.Process.End.IsZero() {
		return m.Process.End
	}
	return time.Unix(0, 0).UTC()
}

// WriteJSONLines writes an object for each run, as trackers of experiments log them: its numbers by
// "task/metric", their standard errors and intervals behind them, and beside them "run", "series",
// "_step" and "_timestamp" (seconds). A number that cannot be given is left out. The runs of a series
// follow each other in the order of their steps, since W&B drops a step that is below the last one;
// names have what MLflow allows in one alone.
func WriteJSONLines(w io.Writer, runs []At) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, r := range bySteps(runs) {
		line := map[string]any{"run": r.Side.Name, "series": r.Series, "_step": r.Step, "_timestamp": float64(r.when().UnixMilli()) / 1000}
		for _, n := range numbersOf(r.Side) {
			n.task, n.metric = plainName(n.task), plainName(n.metric)
			for _, v := range n.values() {
				for line[v.tag] != nil { // two names that differ in what is not plain alone
					v.tag += "_"
				}
				line[v.tag] = v.value
			}
		}
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// bySteps are runs series by series, in the order of the first of each, and each by its steps.
func bySteps(runs []At) []At {
	rank := map[string]int{}
	for _, r := range runs {
		if _, ok := rank[r.Series]; !ok {
			rank[r.Series] = len(rank)
		}
	}
	out := slices.Clone(runs)
	slices.SortStableFunc(out, func(a, b At) int {
		return cmp.Or(cmp.Compare(rank[a.Series], rank[b.Series]), cmp.Compare(a.Step, b.Step))
	})
	return out
}

// plainName is a name with letters, digits and "_-." alone, others as "_": acc@512@0.25 is acc_512_0.25.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.", r) {
			return r
		}
		return '_'
	}, name)
}

type tagged struct {
	tag   string
	value float64
}

// values are a number's parts that can be given, by name.
func (n *number) values() (out []tagged) {
	name := n.task + "/" + n.metric
	for _, v := range []tagged{{name, n.value}, {name + "_stderr", n.stderr}, {name + "_low", n.low}, {name + "_high", n.high}} {
		if !math.IsNaN(v.value) && !math.IsInf(v.value, 0) {
			out = append(out, v)
		}
	}
	return out
}
