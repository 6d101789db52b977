package main

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/softbench/softbench/lab/session"
	"github.com/softbench/softbench/lab/twins"
)

// TestPreset: the command line wins over the preset, and the preset over the
// usual numbers.
func TestPreset(t *testing.T) {
	usual := session.Default()
	given := pflag.NewFlagSet("", pflag.ContinueOnError)
	addTrainFlags(given, &usual)
	if err := given.Parse([]string{"--attention", "rectified", "--tie=false", "--steps", "7"}); err != nil {
		t.Fatal(err)
	}
	s := twins.Training
	if err := over(given, func(f *pflag.FlagSet) { addTrainFlags(f, &s) }); err != nil {
		t.Fatal(err)
	}
	want := twins.Training
	want.Attention, want.Tie, want.Steps = "rectified", false, 7
	if s != want {
		t.Errorf("settings %+v, want %+v", s, want)
	}
}

// TestLogLine: every number of a line is printed, the measures where there are any.
func TestLogLine(t *testing.T) {
	var b strings.Builder
	logLine(&b, session.Line{Step: 20, Tokens: 4000, Loss: 2.5, Norm: 0.25, Rate: 1e-3, Seconds: time.Second.Seconds()}, 1234)
	logLine(&b, session.Line{Step: 21, Measure: &session.Measure{Loss: 2.25, SinkRate: 0.125, Kurtosis: 9.5}}, 1)
	want := "step 20  4000 tokens  loss 2.5000  norm 0.25  rate 1.00e-03  1234 tokens/s\n"
	got := b.String()
	if !strings.HasPrefix(got, want) || strings.Contains(strings.SplitN(got, "\n", 2)[0], "sinks") ||
		!strings.Contains(got, "measured loss 2.2500  sinks 0.125") || !strings.Contains(got, "kurtosis 9.5") {
		t.Errorf("printed %q", got)
	}
}
