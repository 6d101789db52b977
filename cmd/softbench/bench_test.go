package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/machine"
	"github.com/softbench/softbench/internal/randmodel"
)

func bench(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := newRoot(streams{strings.NewReader(""), &out, &errs})
	cmd.SetArgs(append([]string{"bench"}, args...))
	err = cmd.ExecuteContext(t.Context())
	if errs.Len() != 0 {
		t.Errorf("standard error is not a terminal, and got %q", errs.String())
	}
	return out.String(), err
}

// TestBench would break if bench measured another model than it was given, or
// if --json were not one object with the names that scripts read.
func TestBench(t *testing.T) {
	if testing.Short() {
		t.Skip("multiplies matrices of a 340M model")
	}
	dir := t.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	out, err := bench(t, "--model", dir, "--tokens", "32", "--rounds", "1", "--seconds", "0.1", "--dtype", "bfloat16", "--threads", "2", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var r benchReport
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if r.Softbench == "" || r.Threads != 2 || len(r.GEMM) != 4 || len(r.Prefill) != 2 {
		t.Fatalf("%s", out)
	}
	for _, p := range r.Prefill {
		if p.Model != dir || p.Tokens != 32 || p.DType != "bfloat16" {
			t.Errorf("document %+v", p)
		}
	}
	var table bytes.Buffer
	if err := writeBench(&table, r.Report); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{r.CPU, "measured here", "bfloat16 512 x 1024x32768", "32 tokens, 1 scored", dir} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
}

// TestBenchTable pins the numbers' form; a fraction of nothing is a dash.
func TestBenchTable(t *testing.T) {
	r := &machine.Report{
		CPU: "Some CPU", System: "os/arch", Go: "go1", Threads: 2,
		Paths: []machine.Path{{Name: "amx", Reason: "the processor lacks amx_tile"}, {Name: "avx2", Available: true}, {Name: "generic", Available: true, Used: true}},
		GEMM:  []machine.GEMM{{DType: "float32", Rows: 512, Inputs: 8, Outputs: 9, Rate: machine.Rate{Median: 1234.4, Lowest: 99.96, Best: 5.004}}},
	}
	var out bytes.Buffer
	if err := writeBench(&out, r); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"machine Some CPU, os/arch, go1, 2 threads", "amx the processor lacks amx_tile", "avx2 available", "generic measured here",
		"none: this build has no loop for this machine", "float32 512 x 8x9 1,234 100.0 5.00 -",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}

func TestBenchErrors(t *testing.T) {
	t.Setenv("SOFTBENCH_ISA", "")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--dtype", "int8"}, `--dtype "int8"`},
		{[]string{"--model", "no/such-model"}, "no such directory"},
		{[]string{"--rounds", "0"}, "0 rounds"},
		{[]string{"--seconds", "-1"}, "-1 seconds"},
		{[]string{"--tokens", "0"}, "0 tokens"},
		{[]string{"extra"}, "unexpected argument"},
	} {
		_, err := bench(t, c.args...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
	t.Setenv("SOFTBENCH_ISA", "abacus")
	if _, err := bench(t); err == nil || !strings.Contains(err.Error(), "abacus") {
		t.Errorf("SOFTBENCH_ISA=abacus: %v", err)
	}
}
