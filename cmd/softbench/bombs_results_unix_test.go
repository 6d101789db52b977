//go:build unix

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/softbench/softbench/reports/rundir"
)

// sampleRows is a samples.parquet of n rows, so many in a row group.
func sampleRows(n, group int, row func(i int) rundir.Sample) filler {
	return func(w io.Writer) error {
		out := parquet.NewGenericWriter[rundir.Sample](w, parquet.KeyValueMetadata("softbench.schema", "2"), parquet.Compression(&zstd.Codec{}), parquet.MaxRowsPerRowGroup(int64(group)), parquet.SkipPageBounds("continuation"), parquet.PageBufferSize(16<<20))
		for i := range n {
			if _, err := out.Write([]rundir.Sample{row(i)}); err != nil {
				return err
			}
		}
		return out.Close()
	}
}

// resultBombs are runs, journals and what lm-evaluation-harness writes.
func resultBombs() []bomb {
	const (
		report  = "report r -o page.html"
		results = "h/res_2026-01-01T00-00-00.json"
		harness = "report " + results + " -o page.html"
		samples = "h/tiny/samples_arc_easy_2026-01-01T00-00-00.000000.jsonl"
		logged  = "report h/tiny -o page.html"
	)
	long := strings.Repeat("a", 20<<10)
	return []bomb{
		{"run of brackets", "r/run.json", repeated(`{"schema": 2, "tasks": `, 7500, brackets, ""), report, ""},
		{"run of objects", "r/run.json", repeated(`{"schema": 2, "settings": {}, "tasks": [`, 4<<20, "{},", "{}]}"), report, ""},
		{"run of numbers", "r/run.json", repeated(`{"schema": 2, "x": [0`, 7<<20, ",0", "]}"), report, ""},
		{"run of spaces", "r/run.json", repeated(`{`, 40<<20, "                ", "}"), report, ""},
		{"samples of long texts", "r/samples.parquet", sampleRows(10_000, 2000, func(i int) rundir.Sample {
			return rundir.Sample{Task: "arc_easy", Request: int32(i), Continuation: &long}
		}), report, ""},
		{"samples without end", "r/samples.parquet", sampleRows(480_000, 1<<16, func(int) rundir.Sample { return rundir.Sample{Task: "arc_easy"} }), report, "too much for the file's bytes"},
		{"samples of more documents", "r/samples.parquet", sampleRows(100, 100, func(i int) rundir.Sample { return rundir.Sample{Task: "arc_easy", DocID: int32(i)} }), report, "more documents than the manifest says"},
		{"samples of positions", "r/samples.parquet", sampleRows(20, 1, func(i int) rundir.Sample {
			return rundir.Sample{Task: "arc_easy", DocID: int32(i), PositionLikelihood: make([]float64, 1<<20), PositionTokens: make([]int32, 1<<20)}
		}), report, ""},
		{"journal of a line", "half/journal", repeated("00000000 {", 20<<20, "aaaaaaaaaaaaaaaa", ""), "run arc_easy --model $M --data $D --limit 3 --shard 1/2 --out half --resume", ""},
		{"journal of lines", "half/journal", repeated("00000000 {}\n", 60<<20, "\n", ""), "run arc_easy --model $M --data $D --limit 3 --shard 1/2 --out half --resume", ""},

		{"results of brackets", results, repeated(`{"results":`, 15<<20, brackets, ""), harness, ""},
		{"results of objects", results, repeated(`{"results":{"a":{}},"configs":{"a":{"x":[`, 60<<20, "{},", "{}]}}}"), harness, ""},
		{"results of tasks", results, counted(`{"results":{"":{}`, 1<<20, func(i int) string { return fmt.Sprintf(`,"%d":{}`, i) }, "}}"), harness, ""},
		{"results of numbers", results, repeated(`{"results":{"a":{"acc,none":[0`, 100<<20, ",0", "]}}}"), harness, ""},
		{"a sample of brackets", samples, repeated(`{"doc_id":0,"doc":`, 15<<20, brackets, ""), logged, ""},
		{"a sample of objects", samples, repeated(`{"doc_id":0,"x":[`, 80<<20, "{},", "{}]}"), logged, ""},
		{"a sample of responses", samples, repeated(`{"doc_id":0,"filtered_resps":[`, 60<<20, "[],", "[]]}"), logged, ""},
		{"a sample of metrics", samples, counted(`{"doc_id":0,"":0`, 1<<20, func(i int) string { return fmt.Sprintf(`,"%d":0`, i) }, "}\n"), logged, ""},
		{"a sample of a text", samples, repeated(`{"doc_id":0,"doc":{"a":"`, 70<<20, "aaaaaaaaaaaaaaaa", `"}}`), logged, ""},
		{"samples of braces", samples, counted("", 2<<20, func(i int) string {
			return fmt.Sprintf(`{"doc_id":%d,"doc":{"a":{},"b":{},"c":{},"d":{},"e":{}}}`+"\n", i)
		}, ""), logged, ""},
	}
}
