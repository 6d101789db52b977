package rundir

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks/metric"
)

// TestSchemaOfSamples pins the columns of this schema version: whoever changes one
// raises the version.
func TestSchemaOfSamples(t *testing.T) {
	golden(t, "samples.schema", schemaOf[Sample]().String()+"\n")
	golden(t, "diagnostics.schema", schemaOf[HeadRow]().String()+"\n")
	golden(t, "diagnostics_samples.schema", schemaOf[DiagnosticsSample]().String()+"\n")
	golden(t, "attention_maps.schema", schemaOf[MapRow]().String()+"\n")
	if Schema != 4 {
		t.Error("the goldens are of schema version 4: keep testdata/run4 as a fixture of what is read, and make new ones")
	}
}

// TestOldRun reads runs that earlier builds wrote: testdata/run is of schema
// version 1, which had no clusters and no documents of samples, testdata/run2 of 2, which had no
// generated answers, testdata/run3 of 3, which had no name, testdata/run4 of 4.
func TestOldRun(t *testing.T) {
	if os.Getenv("SOFTBENCH_UPDATE") != "" {
		dir := finished(t, answeredRun(), append(someSamples(), someAnswer), someDiagnostics)
		for _, name := range []string{manifestName, samplesName, diagnosticsName, diagnosticsSamplesName, mapsName} {
			overwrite(t, filepath.Join("testdata", "run4", name), readAll(t, filepath.Join(dir, name)))
		}
	}
	for schema, dir := range map[int]string{1: filepath.Join("testdata", "run"), 2: filepath.Join("testdata", "run2"), 3: filepath.Join("testdata", "run3"), 4: filepath.Join("testdata", "run4")} {
		r, rows, err := Open(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		want := someRun()
		if schema >= 3 {
			want = answeredRun()
		}
		want.Schema, want.Process.Written = schema, r.Process.Written
		if schema >= 4 {
			want.Name = want.Settings.Name()
		}
		if a, b := must(r.encode()), must(want.encode()); !bytes.Equal(a, b) {
			t.Errorf("the manifest is read as\n%s\nwant\n%s", a, b)
		}
		samples := someSamples()
		if schema >= 3 {
			samples = append(samples, someAnswer)
		}
		if schema >= 4 {
			for i := range samples {
				samples[i].Run = want.Name
			}
		}
		if !reflect.DeepEqual(rows, samples) {
			t.Errorf("the samples are read as\n%+v", rows)
		}
	}
	// Samples of diagnostics that do not know their document.
	type version1 struct {
		Sample       int32   `parquet:"sample"`
		SinkRate     float64 `parquet:"sink_rate"`
		Sparsity     float64 `parquet:"sparsity"`
		NearSparsity float64 `parquet:"near_sparsity"`
		DeadHeads    float64 `parquet:"dead_heads"`
		Mass         float64 `parquet:"mass"`
		Kurtosis     float64 `parquet:"kurtosis"`
	}
	old := []version1{{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, {1, 0.7, 0.8, 0.9, 1, 1.1, 1.2}}
	dir := t.TempDir()
	overwrite(t, filepath.Join(dir, diagnosticsSamplesName), parquetOf(old, parquet.KeyValueMetadata(schemaKey, "1")))
	rows, err := ReadDiagnosticsSamples(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []DiagnosticsSample{
		{Sample: 0, SinkRate: 0.1, Sparsity: 0.2, NearSparsity: 0.3, DeadHeads: 0.4, Mass: 0.5, Kurtosis: 0.6},
		{Sample: 1, SinkRate: 0.7, Sparsity: 0.8, NearSparsity: 0.9, DeadHeads: 1, Mass: 1.1, Kurtosis: 1.2},
	}
	if !slices.Equal(rows, want) {
		t.Errorf("version 1 is read as\n%+v, want\n%+v", rows, want)
	}
	overwrite(t, filepath.Join(dir, diagnosticsSamplesName), parquetOf(old, parquet.KeyValueMetadata(schemaKey, "2")))
	_, err = ReadDiagnosticsSamples(context.Background(), dir)
	oneLine(t, err, diagnosticsSamplesName, "column doc_id is missing")
}

// TestOldJournal: a run that an earlier version began is not gone on with: its parts had
// other documents.
func TestOldJournal(t *testing.T) {
	dir := t.TempDir()
	line, err := appendLine(nil, header{journalOf, 3, "", someSettings(), nil})
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(dir, journalName), line)
	_, _, err = Resume(context.Background(), dir, someSettings())
	oneLine(t, err, "schema 3, this version of softbench goes on with 5")
}

// someAnswer is a generated answer.
var someAnswer = Sample{
	Task: "gsm8k", Kind: "generate_until", DocHash: "sum", Context: ptr("Question: 1 + 1\nAnswer:"), ContextTokens: 9, ContinuationTokens: 3, Truncated: 1,
	Generated: ptr(" It is #### 2"), Ended: ptr("stop"), Targets: []string{"2", "two"}, Filters: []string{"strict-match", "none"}, Filtered: []string{"2", " It is #### 2"},
	Metrics: []string{"exact_match,strict-match", "exact_match"}, Scores: []float64{1, 0},
}

// answeredRun is someRun with a task of generated answers.
func answeredRun() *Run {
	r := someRun()
	r.Tasks = append(r.Tasks, TaskResult{Name: "gsm8k", Kind: "generate_until", Documents: 1, Truncated: 1, Metrics: []Metric{
		{Name: "exact_match,strict-match", Value: 1, Stderr: Number(math.NaN()), Low: 0.2, High: 1, N: 1, HigherIsBetter: true},
	}})
	r.Settings.Prompts = &PromptSettings{ChatTemplate: "ff", System: "Be brief.", Multiturn: true}
	r.Settings.Generation = &GenerationSettings{End: []int32{2, 5}, Thinking: "</think>"}
	return r
}

// TestAnswersAreWritten: a generated answer comes back with what was taken of it, a metric finds its
// score, and rows that do not fit together are refused.
func TestAnswersAreWritten(t *testing.T) {
	rows := []Sample{someAnswer}
	_, back, err := Open(context.Background(), finished(t, answeredRun(), append(someSamples(), rows...), DiagnosticsRows{}))
	settings := answeredRun().Settings
	if err != nil || !reflect.DeepEqual(back[len(back)-1:], ofRun(settings.Name(), rows)) {
		t.Errorf("%v, %+v", err, back)
	}
	for i, name := range someAnswer.Metrics {
		if v, weight, ok := Value(metric.ByName(name), rows); v != someAnswer.Scores[i] || weight != 1 || !ok {
			t.Errorf("%s is %v of weight %v, %v", name, v, weight, ok)
		}
	}
	if _, _, ok := Value(metric.ByName("acc"), rows); ok {
		t.Error("an answer has an accuracy")
	}
	rows[0].Scores = rows[0].Scores[:1]
	oneLine(t, checkSamples(context.Background(), rows), "2 metrics with 1 scores")
	rows[0].Scores = []float64{1, math.Inf(1)}
	oneLine(t, checkSamples(context.Background(), rows), "a score is +Inf")
	rows[0].Scores, rows[0].Filtered = someAnswer.Scores, nil
	oneLine(t, checkSamples(context.Background(), rows), "2 filters with 0 texts")
}

// TestUnscoredIsWritten: a request without a loglikelihood says so in its row, and
// cannot have one too.
func TestUnscoredIsWritten(t *testing.T) {
	rows := someSamples()
	rows[1].LogLikelihood, rows[1].IsGreedy, rows[1].Unscored = nil, nil, ptr("empty")
	run := someRun()
	run.Tasks[0].Unscored = 1
	_, back, err := Open(context.Background(), finished(t, run, rows, DiagnosticsRows{}))
	if err != nil || !reflect.DeepEqual(back, ofRun(run.Settings.Name(), rows)) {
		t.Errorf("%v, %+v", err, back)
	}
	rows[1].LogLikelihood = ptr(-1.0)
	oneLine(t, checkSamples(context.Background(), rows), "arc_easy document 0 request 1 has a loglikelihood and is unscored")
	bad := Record{Task: "arc_easy", Answer: answer.Answer{Unscored: "empty", LogLikelihood: -1}}
	oneLine(t, bad.check(), "it has a loglikelihood and is unscored")
	run.Tasks[0].Unscored = 3
	oneLine(t, run.check(), "3 of 2 documents are unscored")
}

// TestNoNulls: a list of which there is nothing is [] in run.json.
func TestNoNulls(t *testing.T) {
	text := string(must((&Run{Tasks: []TaskResult{{Name: "a"}}}).encode()))
	text += string(must((&Run{}).encode())) + string(must(appendLine(nil, header{})))
	if strings.Contains(text, "null") {
		t.Errorf("null in\n%s", text)
	}
}

// TestOtherColumns: a Parquet file that is not a run's samples is refused by the
// column's name.
func TestOtherColumns(t *testing.T) {
	type fewer struct {
		Task string `parquet:"task,dict"`
	}
	type retyped struct {
		Task string `parquet:"task,dict"`
		Kind int32  `parquet:"kind"`
	}
	type more struct {
		Sample
		Extra int32 `parquet:"extra"`
	}
	version := parquet.KeyValueMetadata(schemaKey, "2")
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"fewer":      {parquetOf([]fewer{{"a"}}, version), "column kind is missing"},
		"retyped":    {parquetOf([]retyped{{"a", 1}}, version), "column kind is INT"},
		"more":       {parquetOf([]more{{Extra: 1}}, version), "column extra is not one of this schema"},
		"no version": {parquetOf([]Sample{{}}), "no schema version"},
		"version 5":  {parquetOf([]Sample{{}}, parquet.KeyValueMetadata(schemaKey, "5")), "schema 5, this version of softbench reads 1 to 4"},
		"version 0":  {parquetOf([]Sample{{}}, parquet.KeyValueMetadata(schemaKey, "0")), "schema 0, this version of softbench reads 1 to 4"},
		"JSON":       {[]byte(`{"schema": 1}`), "not a Parquet file"},
		"empty":      {nil, "not a Parquet file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, samplesName)
			overwrite(t, path, c.file)
			_, err := ReadSamples(context.Background(), dir)
			oneLine(t, err, path, c.want)
		})
	}
	dir := t.TempDir()
	overwrite(t, filepath.Join(dir, diagnosticsName), parquetOf([]fewer{{"a"}}, version))
	_, err := ReadHeads(context.Background(), dir)
	oneLine(t, err, diagnosticsName, "column layer is missing")
	overwrite(t, filepath.Join(dir, mapsName), parquetOf([]MapRow{{Tokens: []string{"a", "b"}, Weights: []float32{1, 0.5}}}, version))
	_, err = ReadMaps(context.Background(), dir)
	oneLine(t, err, mapsName, "2 weights for 2 tokens, want 3")
	overwrite(t, filepath.Join(dir, diagnosticsSamplesName), parquetOf([]DiagnosticsSample{{Sample: 1}}, version))
	_, err = ReadDiagnosticsSamples(context.Background(), dir)
	oneLine(t, err, diagnosticsSamplesName, "row 0 is of sample 1")
}

func parquetOf[T any](rows []T, options ...parquet.WriterOption) []byte {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, options...)
	must(w.Write(rows))
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// TestBytesThatAreNotText: readers refuse a column of strings with a byte that is
// no UTF-8.
func TestBytesThatAreNotText(t *testing.T) {
	bad := "a\xffb"
	rows := []Sample{{Task: bad, Context: &bad, Generated: &bad}}
	dir := t.TempDir()
	if err := writeSamples(context.Background(), filepath.Join(dir, samplesName), "", rows); err != nil {
		t.Fatal(err)
	}
	back, err := ReadSamples(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	const want = "a\uFFFDb"
	if back[0].Task != want || *back[0].Context != want || *back[0].Generated != want {
		t.Errorf("read back as %q %q %q, want %q", back[0].Task, *back[0].Context, *back[0].Generated, want)
	}
	if rows[0].Task != bad || *rows[0].Context != bad {
		t.Error("the caller's rows were changed")
	}
}

// TestManyRecords: a run of 100,000 requests is written, resumed and finished in
// seconds; its file is the same whatever the number of threads.
func TestManyRecords(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, someSettings())
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]Sample, 0, n)
	shared := strings.Repeat("a context of some length ", 20)
	for i := range n {
		r := Record{Task: "arc_easy", Doc: i / 4, Request: i % 4, Answer: answer.Answer{LogLikelihood: -float64(i) / 7, ContextTokens: 100, ContinuationTokens: 5}}
		if err := w.Add(r); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 999 {
			if err := w.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		text := shared + string(rune('a'+i/4%26))
		rows = append(rows, Sample{Task: r.Task, Kind: "multiple_choice", DocID: int32(r.Doc), Request: int32(r.Request), LogLikelihood: ptr(r.LogLikelihood), Context: &text})
	}
	w.Close()
	w, _, err = Resume(context.Background(), dir, someSettings())
	if err != nil || w.Resumed() != n {
		t.Fatalf("%d records, %v", w.Resumed(), err)
	}
	if err := w.Finish(context.Background(), &Run{Settings: someSettings(), Tasks: []TaskResult{{Name: "arc_easy", Documents: n / 4}}}, rows, DiagnosticsRows{}); err != nil {
		t.Fatal(err)
	}
	_, back, err := Open(context.Background(), dir)
	if err != nil || len(back) != n || *back[n-1].LogLikelihood != *rows[n-1].LogLikelihood {
		t.Fatal(len(back), err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	alone := filepath.Join(t.TempDir(), samplesName)
	settings := someSettings()
	if err := writeSamples(context.Background(), alone, settings.Name(), rows); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readAll(t, alone), readAll(t, filepath.Join(dir, samplesName))) {
		t.Error("one thread writes another file")
	}
}

// TestClaims: a file that claims more metadata, or longer lists in it, than it
// has bytes is refused before memory is taken for them.
func TestClaims(t *testing.T) {
	whole := parquetOf(awkwardRows(), parquet.KeyValueMetadata(schemaKey, "1"))
	length := bytes.Clone(whole)
	copy(length[len(length)-8:], "\xff\xff\xff\xff")
	// The metadata's second field is the list of schema elements: 0x19, then its
	// size. Sixteen million of them.
	n := int(binary.LittleEndian.Uint32(whole[len(whole)-8:]))
	metadata := whole[len(whole)-8-n : len(whole)-8]
	at := bytes.IndexByte(metadata, 0x19)
	if at < 0 || metadata[at+1] != 0xfc {
		t.Fatalf("the metadata begins %x", metadata[:8])
	}
	_, digits := binary.Uvarint(metadata[at+2:])
	list := slices.Concat(whole[:len(whole)-8-n], metadata[:at+2], []byte{0xff, 0xff, 0xff, 0x7f}, metadata[at+2+digits:])
	list = append(binary.LittleEndian.AppendUint32(list, uint32(n+4-digits)), "PAR1"...)
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"metadata": {length, "its metadata would be 4294967295 bytes"},
		"list":     {list, "its metadata is damaged"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readRows[Sample](context.Background(), bytes.NewReader(c.file), int64(len(c.file)), nil)
		runtime.ReadMemStats(&after)
		oneLine(t, err, c.want)
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
			t.Errorf("%s: %d bytes of memory were taken", name, used)
		}
	}
	if _, err := readRows[Sample](context.Background(), bytes.NewReader(whole), int64(len(whole)), nil); err != nil {
		t.Error(err)
	}
}
