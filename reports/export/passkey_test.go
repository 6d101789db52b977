package export

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks/metric"
)

// Passkey retrieval over all cells, of which a run states the cells alone, has its interval by the keys that
// lengths share, in tables and in lines; a text of ± never stands without its number.
func TestPasskeyHasItsInterval(t *testing.T) {
	nan := math.NaN()
	task := compare.Task{Name: rundir.PasskeyTask, Kind: rundir.PasskeyTask, ClusteredBy: "key",
		Metrics: []compare.MetricInfo{{Name: "acc", Formula: metric.ByName("acc").Formula, HigherIsBetter: true, Value: nan, Stderr: nan, Low: nan, High: nan}}}
	for i := range 60 { // 20 keys at 3 lengths each: those of a key are right or wrong together
		task.Documents = append(task.Documents, compare.Document{ID: i, Cluster: fmt.Sprint(i % 20), Values: []compare.Value{{Value: float64(i % 20 % 2), Weight: 1, Scored: true}}})
	}
	s := &compare.Side{Name: "a", Tasks: []compare.Task{task}}
	n := numbersOf(s)[0]
	if n.value != 0.5 || n.clusters != 20 || !(n.low > 0.2 && n.low < 0.35 && n.high > 0.65 && n.high < 0.8) || !(n.clusteredStderr > 0.1) || !(n.stderr < 0.07) {
		t.Errorf("%+v: 20 keys are right in half of the cases, so that the interval is about 0.5 ± 0.22", n)
	}
	var cell Cell
	if cell.spread(s, compare.Metric{Task: "passkey", Metric: "acc", N: 60}); cell.Low != n.low || cell.High != n.high || cell.Stderr != n.clusteredStderr {
		t.Errorf("a table has %+v", cell)
	}
	text := written(t, func(b *strings.Builder) error { return WriteCSV(b, []*compare.Side{s}) })
	if row := strings.Split(text, "\n")[1]; !strings.HasPrefix(row, "a,passkey,acc,60,0.5,0.0") || strings.Contains(row, ",,") {
		t.Errorf("%s", text)
	}
}
