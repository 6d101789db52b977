package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/reports/text"
)

// logEvery is how often a log, where no bar can be drawn, is told how far the work is.
const logEvery = 30 * time.Second

// far is how far something is that is counted in a unit.
type far struct {
	what     string // is done; "": as was said
	done, of int64
	speed    float64       // a second, of what was done here; 0: not known yet
	left     time.Duration // of the rest; 0: not known yet
}

// progress shows how far a run is, and in which phase and task: a bar on a terminal, a line now
// and then elsewhere. The time left is the run's own, by what the rest consists of.
func progress(io streams) func(eval.Progress) {
	show := shower(io, string(eval.Scoring), "tokens", time.Now)
	return func(p eval.Progress) { show(asFar(p)) }
}

func asFar(p eval.Progress) far {
	what := string(p.Phase)
	if p.Task != "" {
		what += " " + oneLine(p.Task)
	}
	return far{what, p.Tokens, p.Of, p.Speed, p.Left}
}

// downloading is progress for the bytes of a model.
func downloading(io streams) func(done, total int64) {
	return bar(io, "downloading", "bytes")
}

// bar shows how much of something is done whose rest goes on at the speed so far.
func bar(io streams, what, unit string) func(done, total int64) {
	return steady(shower(io, what, unit, time.Now), time.Now)
}

// steady adds the speed so far, and the time that the rest takes at it. What was done before the
// first call, by a process before this one, counts as done and not as fast.
func steady(show func(far), now func() time.Time) func(done, total int64) {
	var began time.Time
	var before int64
	return func(done, total int64) {
		f := far{done: done, of: total}
		if began.IsZero() {
			began, before = now(), done
		} else if f.speed = float64(done-before) / now().Sub(began).Seconds(); f.speed > 0 {
			f.left = time.Duration(float64(total-done) / f.speed * float64(time.Second))
		}
		show(f)
	}
}

// shower shows how far something is.
func shower(io streams, what, unit string, now func() time.Time) func(far) {
	f, ok := io.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return logged(io.err, what, unit, now)
	}
	options := []progressbar.Option{progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit)}
	if unit == "bytes" {
		options = []progressbar.Option{progressbar.OptionShowBytes(true)}
	}
	var bar *progressbar.ProgressBar
	return func(at far) {
		if bar == nil {
			bar = progressbar.NewOptions64(at.of, append(options,
				progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what),
				progressbar.OptionShowCount(), progressbar.OptionSetElapsedTime(false),
				progressbar.OptionSetPredictTime(false), progressbar.OptionThrottle(100*time.Millisecond),
				progressbar.OptionClearOnFinish(), progressbar.OptionUseANSICodes(true))...)
		}
		doing := cmp.Or(at.what, what)
		if at.left > 0 {
			doing += ", " + roughly(at.left) + " left"
		}
		bar.Describe(doing)
		bar.ChangeMax64(max(at.of, at.done))
		_ = bar.Set64(at.done) // a bar that cannot be drawn is not a reason to stop
	}
}

// logged writes a line every logEvery: how much is done, how fast that goes, and how long the rest
// takes.
func logged(w io.Writer, what, unit string, now func() time.Time) func(far) {
	var last time.Time
	return func(at far) {
		t := now()
		if last.IsZero() {
			last = t
			return
		}
		if t.Sub(last) < logEvery || at.done >= at.of {
			return
		}
		last = t
		line := fmt.Sprintf("%s: %s of %s %s (%s)", cmp.Or(at.what, what), commas(at.done), commas(at.of), unit, text.Percent(float64(at.done)/float64(at.of)))
		if at.speed > 0 && at.left > 0 {
			line += fmt.Sprintf(", %s %s/s, %s left", commas(int64(at.speed)), unit, roughly(at.left))
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
