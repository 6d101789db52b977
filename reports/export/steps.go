package export

import (
	"encoding/json"
	"io"
	"math"
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
// "_step" and "_timestamp" (seconds). A number that cannot be given is left out.
func WriteJSONLines(w io.Writer, runs []At) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, r := range runs {
		line := map[string]any{"run": r.Side.Name, "series": r.Series, "_step": r.Step, "_timestamp": float64(r.when().UnixMilli()) / 1000}
		for _, n := range numbersOf(r.Side) {
			for _, v := range n.values() {
				line[v.tag] = v.value
			}
		}
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	return nil
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
