package tasks_test

import (
	"math"
	"testing"

	"github.com/softbench/softbench/stats"
	"github.com/softbench/softbench/tasks"
)

// share is a task with k of n answers right, and Wilson's interval.
func share(t *testing.T, k, n int) tasks.Part {
	t.Helper()
	p := float64(k) / float64(n)
	low, high, err := stats.Wilson(k, n, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	return tasks.Part{Value: p, Stderr: math.Sqrt(p * (1 - p) / float64(n-1)), Low: low, High: high, N: n}
}

// TestGroupsInterval: a group of one task has the task's interval, one whose tasks are all wrong is
// not certain of it, and one of many answers has that of its standard error.
func TestGroupsInterval(t *testing.T) {
	near := func(what string, got, want, most float64) {
		t.Helper()
		if !(math.Abs(got-want) <= most) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	for _, weighted := range []bool{false, true} {
		one := share(t, 2, 9)
		low, high := tasks.Interval([]tasks.Part{one}, weighted)
		near("one task, low", low, one.Low, 1e-15)
		near("one task, high", high, one.High, 1e-15)

		wrong := share(t, 0, 6)
		low, high = tasks.Interval([]tasks.Part{wrong, wrong}, weighted)
		near("nothing right, low", low, 0, 1e-15)
		near("nothing right, high", high, wrong.High/math.Sqrt2, 1e-15)

		many := []tasks.Part{share(t, 3000, 10000), share(t, 12000, 20000)}
		value, stderr := tasks.Mean(many, weighted)
		low, high = tasks.Interval(many, weighted)
		near("many, low", (value-low)/stderr, stats.Normal95, .01)
		near("many, high", (high-value)/stderr, stats.Normal95, .01)
	}
	none := tasks.Part{Value: 1, Stderr: math.NaN(), Low: math.NaN(), High: math.NaN(), N: 3}
	if low, high := tasks.Interval([]tasks.Part{share(t, 1, 2), none}, false); !math.IsNaN(low) || !math.IsNaN(high) {
		t.Errorf("a part without an interval: [%v, %v]", low, high)
	}
}
