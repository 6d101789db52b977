package main

import (
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/eval"
)

// TestLogProgress: a line every half minute, with the speed of what was computed here and
// the time that the rest takes at that speed; nothing of a run that is over before.
func TestLogProgress(t *testing.T) {
	var out strings.Builder
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now := func() time.Time { return at }
	show := steady(logged(&out, "scoring", "tokens", now), now)
	for i := range int64(101) { // 100,000 tokens of which half are there, 500 a second
		show(50_000+500*i, 100_000)
		at = at.Add(time.Second)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []string{
		"scoring: 65,000 of 100,000 tokens (65.0%), 500 tokens/s, 70 s left",
		"scoring: 80,000 of 100,000 tokens (80.0%), 500 tokens/s, 40 s left",
		"scoring: 95,000 of 100,000 tokens (95.0%), 500 tokens/s, 10 s left",
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", lines)
	}

	out.Reset()
	show = steady(logged(&out, "scoring", "tokens", now), now)
	show(0, 10)
	at = at.Add(time.Hour)
	show(10, 10)
	if out.Len() > 0 {
		t.Errorf("a line when all is done: %q", out.String())
	}
	show(0, 10)
	if strings.Contains(out.String(), "left") {
		t.Errorf("a time left when nothing was done: %q", out.String())
	}
}

// TestLogNamesTaskAndPhase: each line says what is done of which task at the time.
func TestLogNamesTaskAndPhase(t *testing.T) {
	var out strings.Builder
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	show := logged(&out, "scoring", "tokens", func() time.Time { return at })
	for _, p := range []eval.Progress{
		{Phase: eval.Scoring, Task: "arc_easy", Tokens: 10, Of: 400},
		{Phase: eval.Scoring, Task: "arc_easy", Tokens: 100, Of: 400, Speed: 3, Left: 100 * time.Second},
		{Phase: eval.Generating, Task: "gsm8k", Tokens: 200, Of: 400, Speed: 3, Left: 67 * time.Second},
		{Phase: eval.Observing, Tokens: 300, Of: 400, Speed: 3, Left: 33 * time.Second},
		{Phase: eval.Scoring, Task: "a\x1b[2J", Tokens: 399, Of: 400},
	} {
		show(asFar(p))
		at = at.Add(logEvery)
	}
	want := "scoring arc_easy: 100 of 400 tokens (25.0%), 3 tokens/s, 2 min left\n" +
		"generating gsm8k: 200 of 400 tokens (50.0%), 3 tokens/s, 67 s left\n" +
		"diagnostics: 300 of 400 tokens (75.0%), 3 tokens/s, 33 s left\n" +
		"scoring a\uFFFD[2J: 399 of 400 tokens (99.8%)\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "1 s", 89 * time.Second: "89 s", 100 * time.Second: "2 min", 89 * time.Minute: "89 min", 100 * time.Minute: "1.7 h"} {
		if got := roughly(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
