package html

import (
	"slices"
	"testing"

	"github.com/softbench/softbench/reports/compare"
)

// A warning of all metrics of a task is said once for the task.
func TestWarningsAreSaidOnce(t *testing.T) {
	got := warningsByTask([]compare.Metric{
		{Task: "text", Metric: "word_perplexity", Warnings: []string{"few", "close"}},
		{Task: "text", Metric: "byte_perplexity", Warnings: []string{"few"}},
		{Task: "quiz", Metric: "acc"},
		{Task: "key", Metric: "acc", Warnings: []string{"few"}},
	})
	want := []string{"text: few", "text word_perplexity: close", "key: few"}
	if !slices.Equal(got, want) {
		t.Errorf("%q; want %q", got, want)
	}
}
