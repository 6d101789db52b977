package export

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/softbench/softbench/reports/rundir"
)

// TestParquetIsTheCSV: the file's rows are the lines of the CSV, numbers to the last bit, with a
// passkey cell's length and depth beside its name.
func TestParquetIsTheCSV(t *testing.T) {
	sides := threeSides(t, "one", "two", "three")
	sides[1].Manifest.Passkey = []rundir.Cell{{Length: 512, Depth: 0.25, N: 8, Right: 3, Accuracy: 0.375, Low: 0.13, High: 0.69}}
	var b bytes.Buffer
	if err := WriteParquet(&b, sides); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.Read[parquetRow](bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(written(t, func(b *strings.Builder) error { return WriteCSV(b, sides) }))).ReadAll()
	if err != nil || len(records) != 1+len(rows) {
		t.Fatalf("%d rows, %d lines, %v", len(rows), len(records), err)
	}
	number := func(p *float64) string {
		if p == nil {
			return ""
		}
		return full(*p)
	}
	cells := 0
	for i, r := range rows {
		want := records[1+i]
		got := []string{r.Run, r.Task, r.Metric, strconv.FormatInt(r.N, 10), number(r.Value), number(r.Stderr), number(r.Low), number(r.High)}
		for k := range got {
			if got[k] != want[k] {
				t.Errorf("row %d, column %s: %q, the CSV has %q", i, records[0][k], got[k], want[k])
			}
		}
		if r.Length != nil {
			cells++
			if *r.Length != 512 || *r.Depth != 0.25 || r.Run != "two" {
				t.Errorf("a cell is %+v", r)
			}
		}
	}
	if cells != 1 {
		t.Errorf("%d passkey cells, want 1", cells)
	}
}
