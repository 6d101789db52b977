package rundir

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/lm/answer"
)

// awkwardFloats are loglikelihoods of which a decimal form could lose a bit.
func awkwardFloats() []float64 {
	out := []float64{
		math.Copysign(0, -1), 0, -math.SmallestNonzeroFloat64, -math.MaxFloat64, -0.1, -1.0 / 3, -12.345678901234567,
		-2.2250738585072014e-308, -2.225073858507201e-308, -math.Nextafter(1, 2), -math.Nextafter(1, 0), -9007199254740993,
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for len(out) < 2000 {
		if f := -math.Abs(math.Float64frombits(rng.Uint64())); !math.IsNaN(f) && !math.IsInf(f, 0) {
			out = append(out, f)
		}
	}
	return out
}

// TestFloatsKeepTheirBits through the journal, run.json and samples.parquet.
func TestFloatsKeepTheirBits(t *testing.T) {
	floats := awkwardFloats()
	var records []Record
	rows := make([]Sample, len(floats))
	for i, f := range floats {
		records = append(records, Record{Task: "t", Doc: i, Answer: answer.Answer{LogLikelihood: f, ContinuationTokens: 1, ByPosition: []answer.Position{{LogLikelihood: f, Tokens: 1}}}})
		rows[i] = Sample{Task: "t", DocID: int32(i), LogLikelihood: &floats[i], PositionLikelihood: []float64{f}, PositionTokens: []int32{1}}
	}
	dir, _ := interrupted(t, records)
	w, _, err := Resume(context.Background(), dir, someSettings())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	parquet := t.TempDir()
	if err := writeSamples(context.Background(), filepath.Join(parquet, samplesName), "", rows); err != nil {
		t.Fatal(err)
	}
	back, err := ReadSamples(context.Background(), parquet)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range floats {
		r, ok := w.Done("t", i, 0)
		text, err := json.Marshal(Number(f))
		var n Number
		if err != nil || json.Unmarshal(text, &n) != nil || !ok {
			t.Fatalf("%v: %v %v", f, err, ok)
		}
		for where, got := range map[string]float64{
			"the journal": r.LogLikelihood, "the journal, by position": r.ByPosition[0].LogLikelihood, "JSON": float64(n),
			"Parquet": *back[i].LogLikelihood, "Parquet, by position": back[i].PositionLikelihood[0],
		} {
			if math.Float64bits(got) != math.Float64bits(f) {
				t.Errorf("%x becomes %x in %s", f, got, where)
			}
		}
	}
}

// awkwardRows are rows with every column present and absent, and hard strings.
func awkwardRows() []Sample {
	p := func(s string) *string { return &s }
	yes, no := true, false
	one, big := int32(1), int64(1)<<40
	ll, half := -1.5, 0.5
	return []Sample{
		{Task: "a", Kind: "multiple_choice", DocHash: "h", Request: 0, Gold: &one, Context: p(""), Choice: p("x"), Continuation: p(" x\n"), LogLikelihood: &ll, IsGreedy: &yes, ContextTokens: 3, ContinuationTokens: 1, Correct: &no, CorrectNorm: &yes, CorrectBytes: &no},
		{Task: "a", Kind: "multiple_choice", DocHash: "h", Request: 1, Gold: &one, Context: p("字 👩‍👩‍👧 \x00"), Choice: p(strings.Repeat("long ", 5000)), Continuation: p("é"), LogLikelihood: &ll, IsGreedy: &no, Truncated: 4},
		{Task: "w", Kind: "rolling_perplexity", Cluster: "c", LogLikelihood: &ll, Words: &big, Bytes: &big, Windows: &one, PositionLikelihood: []float64{-1, 0, -0.5}, PositionTokens: []int32{1, 0, 2}},
		{Task: "passkey", Kind: "passkey", Length: &one, Depth: &half, Key: &one, Generated: p("12"), RightText: &no, Correct: &no},
	}
}

// TestSamplesAreTheSameBytes: the same rows give the same file.
func TestSamplesAreTheSameBytes(t *testing.T) {
	var first []byte
	for range 3 {
		path := filepath.Join(t.TempDir(), samplesName)
		if err := writeSamples(context.Background(), path, "", awkwardRows()); err != nil {
			t.Fatal(err)
		}
		b := readAll(t, path)
		if first != nil && !bytes.Equal(first, b) {
			t.Fatal("the same rows give other bytes")
		}
		first = b
	}
	dir := t.TempDir()
	overwrite(t, filepath.Join(dir, samplesName), first)
	rows, err := ReadSamples(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(rows)
	want := awkwardRows()
	for i := range want { // a list that is absent is read as an empty one
		if want[i].PositionTokens == nil {
			want[i].PositionLikelihood, want[i].PositionTokens = rows[i].PositionLikelihood, rows[i].PositionTokens
			if len(rows[i].PositionTokens) != 0 {
				t.Errorf("row %d has %d positions, want none", i, len(rows[i].PositionTokens))
			}
		}
	}
	if text, _ := json.Marshal(want); !bytes.Equal(got, text) {
		t.Errorf("rows are read back as\n%s\nwant\n%s", got, text)
	}
}

// TestDamagedSamples cuts the file at many places and changes bytes all over it:
// never a panic, and a cut is always an error.
func TestDamagedSamples(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, samplesName)
	if err := writeSamples(context.Background(), path, "", awkwardRows()); err != nil {
		t.Fatal(err)
	}
	whole := readAll(t, path)
	for cut := 0; cut < len(whole); cut += 7 {
		overwrite(t, path, whole[:cut])
		_, err := ReadSamples(context.Background(), dir)
		oneLine(t, err, path)
	}
	found := 0
	rng := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		bad := bytes.Clone(whole)
		bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
		overwrite(t, path, bad)
		if _, err := ReadSamples(context.Background(), dir); err != nil {
			found++
		}
	}
	t.Logf("of 100 changed bits, reading alone finds %d", found)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err := ReadSamples(context.Background(), dir)
	oneLine(t, err, path)
}

func TestSamplesRefused(t *testing.T) {
	nan, above := math.NaN(), 0.5
	for name, c := range map[string]struct {
		spoil func([]Sample) []Sample
		want  string
	}{
		"nan":   {func(r []Sample) []Sample { r[1].LogLikelihood = &nan; return r }, "NaN"},
		"above": {func(r []Sample) []Sample { r[1].LogLikelihood = &above; return r }, "0.5"},
		"twice": {func(r []Sample) []Sample { return append(r, r[1]) }, "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, samplesName)
			if err := writeSamples(context.Background(), path, "", c.spoil(awkwardRows())); err != nil {
				t.Fatal(err)
			}
			_, err := ReadSamples(context.Background(), dir)
			oneLine(t, err, path, c.want, "document 0 request 1")
		})
	}
	w := &Writer{}
	oneLine(t, w.Add(Record{Task: "t", Answer: answer.Answer{LogLikelihood: nan}}), "NaN", "t document 0")
}
