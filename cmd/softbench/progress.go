package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/softbench/softbench/reports/text"
)

// logEvery is how often a log, where no bar can be drawn, is told how far the work is.
const logEvery = 30 * time.Second

// progress shows how many tokens of a run are done: a bar on a terminal, a line now and
// then elsewhere.
func progress(io streams) func(done, total int64) {
	return bar(io, "scoring", "tokens")
}

// downloading is progress for the bytes of a model.
func downloading(io streams) func(done, total int64) {
	return bar(io, "downloading", "bytes")
}

// bar shows how much of something that is counted in a unit is done.
func bar(io streams, what, unit string) func(done, total int64) {
	f, ok := io.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return logged(io.err, what, unit, time.Now)
	}
	options := []progressbar.Option{progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit)}
	if unit == "bytes" {
		options = []progressbar.Option{progressbar.OptionShowBytes(true)}
	}
	var bar *progressbar.ProgressBar
	return func(done, total int64) {
		if bar == nil {
			bar = progressbar.NewOptions64(total, append(options,
				progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what),
				progressbar.OptionShowCount(),
				progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
				progressbar.OptionClearOnFinish(), progressbar.OptionUseANSICodes(true))...)
		}
		_ = bar.Set64(min(done, total)) // a bar that cannot be drawn is not a reason to stop
	}
}

// logged writes a line every logEvery: how much is done, how fast that went, and how long
// the rest takes at that speed. What was done before the first call, by a run that goes
// on, counts as done and not as fast.
func logged(w io.Writer, what, unit string, now func() time.Time) func(done, total int64) {
	var began, last time.Time
	var before int64
	return func(done, total int64) {
		t := now()
		if began.IsZero() {
			began, last, before = t, t, done
			return
		}
		if t.Sub(last) < logEvery || done >= total {
			return
		}
		last = t
		line := fmt.Sprintf("%s: %s of %s %s (%s)", what, commas(done), commas(total), unit, text.Percent(float64(done)/float64(total)))
		if speed := float64(done-before) / t.Sub(began).Seconds(); speed > 0 {
			left := time.Duration(float64(total-done) / speed * float64(time.Second))
			line += fmt.Sprintf(", %s a second, %s left", commas(int64(speed)), roughly(left))
		}
		_, _ = fmt.Fprintln(w, line) // a log that cannot be written is not a reason to stop
	}
}

// roughly is a time to wait, in the unit that people would use.
func roughly(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", max(1, int(d.Round(time.Second).Seconds())))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}
