package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/reports/text"
)

// forecast prints what the run will take, and ends.
func (o *runOptions) forecast(ctx context.Context) error {
	f, err := eval.DryRun(ctx, o.run, o.piece)
	if err != nil {
		return o.interrupted(err)
	}
	if o.json {
		return writeJSON(o.io.out, f)
	}
	return writeForecast(o.io.out, f)
}

func writeForecast(w io.Writer, f *eval.Forecast) error {
	t := &shownText{w: w}
	for _, p := range f.Parts {
		t.line("%s (%s): %s documents, %s requests", oneLine(p.Name), p.Kind, commas(int64(p.Documents)), commas(int64(p.Requests)))
	}
	t.line("")
	done := ""
	if f.Done > 0 {
		done = fmt.Sprintf(", of which %s are done", commas(int64(f.Done)))
	}
	t.line("requests  %s%s", commas(int64(f.Requests)), done)
	line := fmt.Sprintf("tokens    %s asked one by one, %s computed (the distinct ones), %s scored", commas(f.Requested), commas(f.Distinct), commas(f.Scored))
	if f.Decoded > 0 {
		line += fmt.Sprintf(", at most %s decoded", commas(f.Decoded))
	}
	if f.Observed > 0 {
		line += fmt.Sprintf(", %s observed", commas(f.Observed))
	}
	t.line("%s", line)
	bound := "no bound"
	if f.Bound > 0 {
		bound = "bound " + size(f.Bound)
	}
	t.line("memory    about %s: %s now, weights (%s) and requests read, and keys and values of at most %s (%s)", size(f.Process+f.KV), size(f.Process), size(f.Weights), size(f.KV), bound)
	seconds := func(s float64) string {
		if s < 1 {
			return "less than 1 s"
		}
		return roughly(time.Duration(s * float64(time.Second)))
	}
	about := "about "
	if f.Loading+f.Computing < 1 {
		about = ""
	}
	longest := ""
	if f.Decoded > 0 {
		longest = " if every text gets as long as it may"
	}
	t.line("time      %s%s%s: %s to load, as now, and %s for %s batches, by batches of this model timed here for %s",
		about, seconds(f.Loading+f.Computing), longest, seconds(f.Loading), seconds(f.Computing), commas(f.Batches), seconds(f.Measuring))
	return t.err
}

// size is a number of bytes in the unit that people would use.
func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%s KiB", text.Decimals(float64(bytes)/(1<<10), 0))
	}
	if bytes < 1<<30 {
		return fmt.Sprintf("%s MiB", text.Decimals(float64(bytes)/(1<<20), 0))
	}
	return fmt.Sprintf("%s GiB", text.Decimals(float64(bytes)/(1<<30), 1))
}
