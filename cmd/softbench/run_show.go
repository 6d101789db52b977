package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/softbench/softbench/eval"
)

// ofComputing are the flags about what a run computes and where it goes, which --show comes before.
var ofComputing = []string{
	"out", "resume", "shard", "merge", "batch-tokens", "memory", "attention", "device", "dtype", "adapter",
	"quantize", "quantize-include", "calibrate", "strip-prefix",
}

// shows prints what the model would be asked, and ends.
func (o *runOptions) shows(ctx context.Context) error {
	shown, err := eval.Show(ctx, o.run, o.show)
	if err != nil {
		return o.interrupted(err)
	}
	for _, flag := range o.run.Given {
		if slices.Contains(ofComputing, flag) {
			o.run.Note("--" + flag + " is about computing, and --show ends before anything is computed")
		}
	}
	if o.json {
		return writeJSON(o.io.out, shown)
	}
	for _, note := range shown.Notes {
		o.run.Note(note)
	}
	return writeShown(o.io.out, shown)
}

// shownText writes what is shown, and keeps the first error of writing.
type shownText struct {
	w   io.Writer
	err error
}

func (t *shownText) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", args...)
	}
}

// writeShown prints what is asked for people: --json has every text to the character.
func writeShown(w io.Writer, s *eval.Shown) error {
	t := &shownText{w: w}
	for i, p := range s.Parts {
		if i > 0 {
			t.line("")
		}
		about := fmt.Sprintf("%s (%s): %d of %d", oneLine(p.Name), p.Kind, len(p.Documents), p.Of)
		switch {
		case p.FewShot == 1:
			about += ", each after 1 worked example"
		case p.FewShot > 1:
			about += fmt.Sprintf(", each after %d worked examples", p.FewShot)
		}
		t.line("%s", about)
		for i := range p.Documents {
			t.document(&p.Documents[i])
		}
	}
	return t.err
}

func (t *shownText) document(d *eval.ShownDoc) {
	t.line("\ndocument %d (%.12s)", d.ID, d.Hash)
	for k := range d.Requests {
		r := &d.Requests[k]
		shared := k > 0 && r.Context == d.Requests[0].Context && sameContext(r, &d.Requests[0])
		if !shared {
			t.context(r)
		}
		mark := ""
		if slices.Contains(d.Gold, k) {
			mark = "  (right)"
		}
		if r.Unscored != "" {
			mark += "  (cannot be scored: " + string(r.Unscored) + ")"
		}
		if r.Continuation != "" {
			t.line("  -> %s%s", quoted(r.Continuation), mark)
		}
		if len(r.Windows) == 1 && len(r.Windows[0].Scored) > 0 {
			t.line("     ids %s", joined(r.Windows[0].Scored))
		}
		if r.MaxTokens > 0 {
			t.line("  -> at most %d tokens%s", r.MaxTokens, until(r.Until))
		}
	}
	for _, target := range d.Targets {
		t.line("  right: %s", quoted(target))
	}
}

// context prints what stands before what is asked, line by line.
func (t *shownText) context(r *eval.ShownRequest) {
	for line := range strings.SplitSeq(r.Context, "\n") {
		t.line("  | %s", oneLine(line))
	}
	if r.Truncated > 0 {
		t.line("  the first %d tokens are cut off", r.Truncated)
	}
	for i, w := range r.Windows {
		if len(r.Windows) == 1 {
			t.line("  ids %s", joined(w.Context))
			break
		}
		t.line("  window %d of %d: after ids %s\n     ids %s", i+1, len(r.Windows), joined(w.Context), joined(w.Scored))
	}
}

// sameContext says whether two requests go on from the same ids.
func sameContext(a, b *eval.ShownRequest) bool {
	return a.Truncated == b.Truncated && len(a.Windows) == len(b.Windows) &&
		(len(a.Windows) == 0 || slices.Equal(a.Windows[0].Context, b.Windows[0].Context))
}

func until(stops []string) string {
	if len(stops) == 0 {
		return ""
	}
	all := make([]string, len(stops))
	for i, s := range stops {
		all[i] = quoted(s)
	}
	return ", until " + strings.Join(all, " or ")
}

// quoted is a text as JSON has it, so that white space at its ends is seen.
func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return fmt.Sprintf("%q", s)
	}
	return oneLine(strings.TrimSuffix(b.String(), "\n"))
}

func joined(ids []int32) string {
	return strings.Trim(fmt.Sprint(ids), "[]")
}
