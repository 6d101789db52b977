package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"

	"github.com/softbench/softbench/lab/session"
	"github.com/softbench/softbench/lab/train"
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

// TestBar: the bar shows step, loss, tokens/s and the time left.
func TestBar(t *testing.T) {
	var b bytes.Buffer
	s := session.Default()
	s.Steps = 100
	step := drawBar(&b, s, "model")
	for k := range 4 {
		step(train.Report{Step: k + 1, Loss: 2.5 - 0.125*float64(k), Tokens: int64(k+1) * s.TokensPerStep()})
		time.Sleep(150 * time.Millisecond) // it is drawn ten times a second
	}
	if got := b.String(); !regexp.MustCompile(`model step 4/100 loss 2\.1250 +4% .*\([0-9.]+k? tokens/s\) \[[0-9]+s:[0-9ms]+\]`).MatchString(got) {
		t.Errorf("drawn: %q", got)
	}
}

func init() {
	// page FILE: the file is one whole page of HTML whose numbers are JSON.
	scriptCommands["page"] = func(ts *testscript.TestScript, _ bool, args []string) {
		if err := checkPage(ts.ReadFile(args[0])); err != nil {
			ts.Fatalf("%s: %v", args[0], err)
		}
	}
}

// checkPage wants every element closed where it was opened, and JSON in the
// element "report".
func checkPage(page string) error {
	if !strings.HasPrefix(page, "<!doctype html>") || !strings.HasSuffix(strings.TrimSpace(page), "</html>") {
		return errors.New("not a whole page")
	}
	_, data, ok := strings.Cut(page, `<script type="application/json" id="report">`)
	data, _, _ = strings.Cut(data, "</script>")
	if !ok || !json.Valid([]byte(data)) {
		return errors.New("no JSON in its element report")
	}
	code := regexp.MustCompile(`(?s)<(script|style)[ >].*?</(script|style)>|<!doctype html>`)
	d := xml.NewDecoder(strings.NewReader(code.ReplaceAllString(page, "")))
	d.Strict, d.Entity = false, xml.HTMLEntity
	var open []string
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			if !slices.Contains([]string{"meta", "link", "br", "hr", "img", "input"}, e.Name.Local) {
				open = append(open, e.Name.Local)
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != e.Name.Local {
				return fmt.Errorf("</%s> closes %v", e.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("left open: %v", open)
	}
	return nil
}
