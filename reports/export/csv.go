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

// WriteCSV writes a line for each run and metric, passkey cell (acc@length@depth) and measure of
// diagnostics, numbers in full precision; a number that cannot be given is empty.
func WriteCSV(w io.Writer, sides []*compare.Side) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"run", "task", "metric", "n", "value", "stderr", "low", "high", "higher_is_better", "clusters", "stderr_clustered"}); err != nil {
		return err
	}
	for _, s := range sides {
		for _, n := range numbersOf(s) {
			clusters, clustered, higher := "", "", "" // where documents stand alone, and of a measure
			if n.clusters > 0 {
				clusters, clustered = strconv.Itoa(n.clusters), full(n.clusteredStderr)
			}
			if n.directed {
				higher = strconv.FormatBool(n.higherIsBetter)
			}
			if err := out.Write([]string{cell(s.Name), cell(n.task), cell(n.metric), strconv.Itoa(n.n),
				full(n.value), full(n.stderr), full(n.low), full(n.high), higher, clusters, clustered}); err != nil {
				return err
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
