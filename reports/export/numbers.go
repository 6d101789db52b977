package export

import (
	"fmt"
	"math"
	"strconv"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// number is one result of a run: a task's metric, a passkey cell, or a diagnostics measure.
type number struct {
	task, metric      string
	n                 int
	value             float64
	stderr, low, high float64 // NaN where it has none
	higherIsBetter    bool
	directed          bool // of a measure nothing is better
	clusters          int
	clusteredStderr   float64
	cell              *rundir.Cell // of a passkey cell
}

// DiagnosticsTask is what the diagnostics of a run are called beside its tasks.
const DiagnosticsTask = "diagnostics"

// stated is metric k as the run states it; of passkey retrieval, of which it states the cells alone, over
// all trials.
func stated(t *compare.Task, k int) compare.MetricInfo {
	m := t.Metrics[k]
	if t.Kind == rundir.PasskeyTask {
		e := t.Estimate(k)
		m.Stderr, m.Low, m.High, m.Clusters, m.ClusteredStderr = e.SE, e.Low, e.High, e.Clusters, e.ClusteredSE
	}
	return m
}

// numbersOf are all results of a run.
func numbersOf(s *compare.Side) (all []number) {
	nan := math.NaN()
	for i := range s.Tasks {
		t := &s.Tasks[i]
		for k := range t.Metrics {
			m := stated(t, k)
			value := m.Value
			if math.IsNaN(value) {
				value = t.Aggregate(k)
			}
			all = append(all, number{
				task: t.Name, metric: m.Name, n: t.Scored(k), value: value, stderr: m.Stderr, low: m.Low, high: m.High,
				higherIsBetter: m.HigherIsBetter, directed: true, clusters: m.Clusters, clusteredStderr: m.ClusteredStderr,
			})
		}
	}
	if s.Manifest == nil {
		return all
	}
	for i := range s.Manifest.Passkey {
		c := &s.Manifest.Passkey[i]
		all = append(all, number{
			task: rundir.PasskeyTask, metric: fmt.Sprintf("acc@%d@%s", c.Length, strconv.FormatFloat(c.Depth, 'g', -1, 64)), n: c.N,
			value: float64(c.Accuracy), stderr: nan, low: float64(c.Low), high: float64(c.High), higherIsBetter: true, directed: true, cell: c,
		})
	}
	if d := s.Manifest.Diagnostics; d != nil {
		for _, m := range []struct {
			name  string
			value float64
		}{
			{"sink_rate", float64(d.SinkRate)}, {"sparsity", float64(d.Sparsity)}, {"near_sparsity", float64(d.NearSparsity)}, {"dead_heads", float64(d.DeadHeads)},
			{"mass", float64(d.Mass)}, {"kurtosis", float64(d.Kurtosis)}, {"min", float64(d.Min)}, {"max", float64(d.Max)}, {"massive", float64(d.Massive)},
		} {
			all = append(all, number{task: DiagnosticsTask, metric: m.name, n: d.Samples, value: m.value, stderr: nan, low: nan, high: nan})
		}
	}
	return all
}
