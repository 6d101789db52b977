package export

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/text"
)

// WriteCSV writes a line for each run and metric, numbers in full precision;
// a number that cannot be given is empty.
func WriteCSV(w io.Writer, sides []*compare.Side) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"run", "task", "metric", "n", "value", "stderr", "low", "high", "higher_is_better", "clusters", "stderr_clustered"}); err != nil {
		return err
	}
	for _, s := range sides {
		for i := range s.Tasks {
			t := &s.Tasks[i]
			for k, m := range t.Metrics {
				value := m.Value
				if math.IsNaN(value) {
					value = t.Aggregate(k)
				}
				clusters, clustered := "", "" // where documents stand alone
				if m.Clusters > 0 {
					clusters, clustered = strconv.Itoa(m.Clusters), full(m.ClusteredStderr)
				}
				if err := out.Write([]string{cell(s.Name), cell(t.Name), cell(m.Name), strconv.Itoa(t.Scored(k)),
					full(value), full(m.Stderr), full(m.Low), full(m.High), strconv.FormatBool(m.HigherIsBetter), clusters, clustered}); err != nil {
					return err
				}
			}
		}
	}
	out.Flush()
	return out.Error()
}

func full(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return ""
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// cell is text that a spreadsheet takes as text: no formula, no control character.
func cell(s string) string {
	s = text.Printable(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
