package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/lab/train"
	"github.com/softbench/softbench/lab/world"
	"github.com/softbench/softbench/reports/rundir"
)

// small is a training of a second on a text of the world.
func small(t *testing.T, dir, out string) Options {
	t.Helper()
	path := filepath.Join(dir, "text.txt")
	if _, err := os.Stat(path); err != nil {
		var b bytes.Buffer
		if err := world.Plain.Text(3, &b, 4000); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return Options{
		Settings: Settings{
			Attention: "softpick", Hidden: 16, Intermediate: 24, Layers: 2, Heads: 2, Context: 32, Theta: 10000, Tie: true, Vocab: 300,
			Batch: 2, Accumulate: 1, Steps: 12, Rate: 1e-2, Warmup: 2, Decay: 0.1, Clip: 1, Seed: 5, DType: "float32",
			Init: 0.02, QKGain: 1, Beta1: 0.9, Beta2: 0.95, AdamEps: 1e-8,
		},
		Files: []string{path}, Out: filepath.Join(dir, out), Threads: 2, SaveEvery: 5, LogEvery: 3, DiagnosticsEvery: 4, DiagnosticsSamples: 2,
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// history is a training's lines without the clock's.
func historyOf(t *testing.T, out string) []Line {
	t.Helper()
	lines, err := ReadHistory(HistoryPath(out))
	if err != nil {
		t.Fatal(err)
	}
	for i := range lines {
		lines[i].Seconds = 0
	}
	return lines
}

func sameHistory(t *testing.T, got, want []Line) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
	for i := range got {
		a, b := got[i], want[i]
		if (a.Measure == nil) != (b.Measure == nil) || !reflect.DeepEqual(a.Measure, b.Measure) {
			t.Fatalf("line %d measures %+v, want %+v", i+1, a.Measure, b.Measure)
		}
		a.Measure, b.Measure = nil, nil
		if a != b {
			t.Fatalf("line %d is %+v, want %+v", i+1, a, b)
		}
	}
}

// TestStopAnywhere: a training that is stopped after any step, by an interrupt
// or by a kill between saves, and resumed has the checkpoint of one that was not,
// byte for byte, and its history but for the clock.
func TestStopAnywhere(t *testing.T) {
	dir := t.TempDir()
	whole := small(t, dir, "whole")
	result, err := Run(context.Background(), whole)
	if err != nil {
		t.Fatal(err)
	}
	want := historyOf(t, whole.Out)
	var steps []int
	for _, l := range want {
		steps = append(steps, l.Step)
		if (l.Measure != nil) != (l.Step%4 == 0) {
			t.Errorf("step %d: measure %v", l.Step, l.Measure)
		}
	}
	if len(steps) != 6 || steps[0] != 3 || steps[1] != 4 || steps[5] != 12 || len(result.Lines) != 6 {
		t.Errorf("lines of steps %v; want 3 4 6 8 9 12", steps)
	}
	first, last := want[0], want[5]
	if !(last.Loss < first.Loss-0.3) || math.Abs(first.Loss-math.Log(300)) > 0.5 {
		t.Errorf("loss went from %v to %v", first.Loss, last.Loss)
	}
	for stop := 1; stop <= 12; stop++ {
		o := small(t, dir, "stopped")
		o.Resume = true // where nothing is, it begins
		ctx, cancel := context.WithCancel(context.Background())
		o.Step = func(r train.Report) {
			if r.Step == stop {
				cancel()
			}
		}
		_, err := Run(ctx, o)
		cancel()
		// The measure of a step that was due is cut short by the interrupt too.
		if stop < 12 && !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after step %d: %v", stop, err)
		}
		o.Step = nil
		if stop%2 == 0 { // a kill: a line more than the state knows, and half a line
			f, err := os.OpenFile(HistoryPath(o.Out), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(`{"step":11,"loss":1}` + "\n" + `{"step":12,"lo`); err != nil && stop < 11 {
				t.Fatal(err)
			}
			f.Close()
			if stop > 10 {
				if err := os.RemoveAll(o.Out); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := Run(context.Background(), o); err != nil {
			t.Fatalf("resumed after step %d: %v", stop, err)
		}
		for _, name := range []string{"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} {
			if !bytes.Equal(read(t, filepath.Join(o.Out, name)), read(t, filepath.Join(whole.Out, name))) {
				t.Fatalf("stopped after step %d: %s differs", stop, name)
			}
		}
		sameHistory(t, historyOf(t, o.Out), want)
		if err := os.RemoveAll(o.Out); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCheckpointLoads: every kind's checkpoint opens with its tokenizer and says
// its kind; nothing temporary is left behind.
func TestCheckpointLoads(t *testing.T) {
	dir := t.TempDir()
	var kinds []string
	for _, k := range attention.Kinds() {
		kinds = append(kinds, k.String(), attention.Spec{Kind: k, Scaled: true}.String(), attention.Spec{Kind: k, Gated: true}.String())
	}
	kinds = append(kinds, "softcap-30", "softcap-0.5-softpick", "gated-softcap-2-scaled-sink")
	for _, kind := range kinds {
		o := small(t, dir, kind)
		o.Settings.Attention, o.Settings.Steps, o.Settings.DType = kind, 2, "bfloat16"
		if _, err := Run(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		ck, err := checkpoint.Open(o.Out, checkpoint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if ck.Config.Attention.String() != kind || ck.DType != "BF16" {
			t.Errorf("%s: opened as %s, %s", kind, ck.Config.Attention, ck.DType)
		}
		ck.Close()
		if _, err := tokenizer.Load(o.Out); err != nil {
			t.Error(err)
		}
		entries, err := os.ReadDir(filepath.Join(o.Out, trainingDir))
		if err != nil || len(entries) != 3 {
			t.Errorf("%s: %v in the training's directory, %v", kind, entries, err)
		}
	}
}

// TestDivergence: a loss that is not a number stops the training and names the
// step; the checkpoint and the state on disk are of a save whose weights give a
// loss, though a later save was due; the page says what happened.
func TestDivergence(t *testing.T) {
	for name, c := range map[string]struct {
		spoil int // step after which the weights are spoiled
		want  string
		kept  string
	}{
		"between saves": {7, "step 8: the loss or its gradient is not a number", "holds the checkpoint of the last save"},
		"at a save":     {10, "after step 10: the loss or its gradient is not a number", "holds the checkpoint of the last save"},
		"at the end":    {12, "after step 12: the loss or its gradient is not a number", "holds the checkpoint of the last save"},
		"at the first":  {5, "after step 5: the loss or its gradient is not a number", "there is no checkpoint of a step before"},
	} {
		t.Run(name, func(t *testing.T) {
			o := small(t, t.TempDir(), "out")
			o.DiagnosticsEvery = 6
			o.Page = textPage
			r := &run{Options: o}
			var weights, state []byte
			r.Step = func(s train.Report) {
				if s.Step == c.spoil {
					r.trainer.Model.Params.All[0] = float32(math.Inf(1))
				}
				if s.Step > 5 && s.Step <= c.spoil {
					weights, state = read(t, filepath.Join(o.Out, "model.safetensors")), read(t, r.path(stateFile))
				}
			}
			defer func() { _ = os.RemoveAll(r.made) }()
			if err := r.prepare(context.Background()); err != nil {
				t.Fatal(err)
			}
			_, err := r.train(context.Background())
			if !errors.Is(err, train.ErrDiverged) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.kept) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %v, want %q and %q", err, c.want, c.kept)
			}
			if page := string(read(t, ReportPath(o.Out))); !strings.Contains(page, "stopped: "+c.want) {
				t.Errorf("the page says %q", page)
			}
			if weights == nil {
				return
			}
			if !bytes.Equal(weights, read(t, filepath.Join(o.Out, "model.safetensors"))) || !bytes.Equal(state, read(t, r.path(stateFile))) {
				t.Error("checkpoint or state are not those of the last good save")
			}
			ck, err := checkpoint.Open(o.Out, checkpoint.Options{})
			if err != nil {
				t.Fatal(err)
			}
			ck.Close()
		})
	}
}

// textPage stands for a page.
func textPage(w io.Writer, c Course) error {
	last := 0
	if n := len(c.Lines); n > 0 {
		last = c.Lines[n-1].Step
	}
	_, err := fmt.Fprintf(w, "%s of %d parameters at line of step %d of %d; stopped: %s", c.Settings.Attention, c.Parameters, last, c.Settings.Steps, c.Stopped)
	return err
}

// TestPageAtEverySave: the page is of the last save while the training goes on,
// of the end when it ends, of the stop when it is stopped; one that cannot be
// written is an error, and the page before stays.
func TestPageAtEverySave(t *testing.T) {
	o := small(t, t.TempDir(), "out")
	o.Page = textPage
	pages := map[int]string{}
	o.Step = func(r train.Report) {
		text, err := os.ReadFile(ReportPath(o.Out))
		if err == nil {
			pages[r.Step] = string(text)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.Line = func(l Line) {
		if l.Step == 8 {
			cancel()
		}
	}
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	at := func(step string) string { return "at line of step " + step + " of 12; stopped: " }
	if got := pages[5]; got != "" {
		t.Errorf("a page before the first save: %q", got)
	}
	if got := pages[6]; !strings.Contains(got, at("4")) { // the save at 5
		t.Errorf("after the save at step 5: %q", got)
	}
	stopped := string(read(t, ReportPath(o.Out)))
	if !strings.Contains(stopped, at("8")) {
		t.Errorf("after the stop: %q", stopped)
	}
	o.Line, o.Resume = nil, true
	o.Page = func(w io.Writer, _ Course) error {
		_, _ = io.WriteString(w, "half a p")
		return errors.New("no page today")
	}
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "report.html: no page today") {
		t.Errorf("error %v", err)
	}
	if got := string(read(t, ReportPath(o.Out))); got != stopped {
		t.Errorf("a page that failed left %q", got)
	}
	o.Page = textPage
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if got := string(read(t, ReportPath(o.Out))); !strings.Contains(got, at("12")) {
		t.Errorf("at the end: %q", got)
	}
	c, err := ReadCourse(o.Out)
	if err != nil || c.Settings != o.Settings || len(c.Lines) != 6 || c.Parameters < 1000 || len(c.Files) != 1 {
		t.Errorf("read back %+v, %v", c, err)
	}
	if _, err := ReadCourse(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no training in it") {
		t.Errorf("of an empty directory: %v", err)
	}
}

// TestHistoryKeepsWhatIsNotANumber: a measure that is not a number is a null in the file,
// and read back as none; it does not stop a training.
func TestHistoryKeepsWhatIsNotANumber(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	h, err := openHistory(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer h.file.Close()
	inf := rundir.Number(math.Inf(1))
	if err := h.add(Line{Step: 1, Loss: 2, Measure: &Measure{Loss: rundir.Number(math.NaN()), Kurtosis: inf, Mass: 1}}); err != nil {
		t.Fatal(err)
	}
	lines, err := ReadHistory(path)
	if err != nil || len(lines) != 1 {
		t.Fatal(lines, err)
	}
	if m := lines[0].Measure; !math.IsNaN(float64(m.Loss)) || !math.IsNaN(float64(m.Kurtosis)) || m.Mass != 1 || lines[0].Loss != 2 {
		t.Errorf("read back %+v", m)
	}
}

// TestRefusals: what cannot be trained is one line, and nothing is written.
func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.txt")
	short := filepath.Join(dir, "short.txt")
	full := filepath.Join(dir, "full")
	if err := errors.Join(os.WriteFile(empty, []byte(" \n\n"), 0o666), os.WriteFile(short, []byte("Too short."), 0o666),
		os.Mkdir(full, 0o777), os.WriteFile(filepath.Join(full, "mine"), nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"kind":       {func(o *Options) { o.Settings.Attention = "softpik" }, `"softpik"`},
		"scaled":     {func(o *Options) { o.Settings.Attention = "scaled-softpik" }, `"scaled-softpik"`},
		"dtype":      {func(o *Options) { o.Settings.DType = "float16" }, "float16"},
		"empty":      {func(o *Options) { o.Files = []string{empty} }, "empty.txt: no text"},
		"short":      {func(o *Options) { o.Files = append([]string(nil), short) }, "fewer than one window"},
		"short held": {func(o *Options) { o.Valid = []string{short} }, "fewer than one sample"},
		"no file":    {func(o *Options) { o.Files = []string{filepath.Join(dir, "none.txt")} }, "none.txt"},
		"no files":   {func(o *Options) { o.Files = nil }, "no text"},
		"no out":     {func(o *Options) { o.Out = "" }, "--out"},
		"others":     {func(o *Options) { o.Out = full }, "holds files"},
		"heads":      {func(o *Options) { o.Settings.Heads = 3 }, "heads"},
		"steps":      {func(o *Options) { o.Settings.Steps = 0 }, "steps"},
		"saves":      {func(o *Options) { o.SaveEvery = 0 }, "saves"},
		"wide":       {func(o *Options) { o.Settings.Hidden, o.Settings.Intermediate = 1<<30, 1<<31 }, "parameters"},
		"many":       {func(o *Options) { o.Settings.Batch = math.MaxInt / 2 }, "batch"},
		"rate":       {func(o *Options) { o.Settings.Rate = math.Inf(1) }, "numbers"},
		"clip":       {func(o *Options) { o.Settings.Clip = math.NaN() }, "numbers"},
		"decay":      {func(o *Options) { o.Settings.Decay = math.NaN() }, "numbers"},
		"theta":      {func(o *Options) { o.Settings.Theta = math.Inf(1) }, "theta"},
		"vocabulary": {func(o *Options) { o.Settings.Vocab = 5 }, "vocabulary"},
		"tokenizer":  {func(o *Options) { o.Tokenizer = filepath.Join(dir, "none") }, "none"},
	} {
		o := small(t, dir, "refused")
		c.change(&o)
		_, err := Run(context.Background(), o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if _, err := os.Stat(filepath.Join(dir, "refused")); err == nil {
			t.Fatalf("%s: a directory was made", name)
		}
	}
}

// TestAnotherTraining: a directory with a training is not overwritten, and not
// resumed with other numbers or another text; the error says which.
func TestAnotherTraining(t *testing.T) {
	dir := t.TempDir()
	o := small(t, dir, "out")
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	before := read(t, filepath.Join(o.Out, "model.safetensors"))
	other := filepath.Join(dir, "other.txt")
	if err := os.WriteFile(other, append(read(t, o.Files[0]), "And more."...), 0o666); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Options){
		"--resume":                           func(o *Options) {},
		"rate was 0.01":                      func(o *Options) { o.Resume, o.Settings.Rate = true, 0.02 },
		"attention was softpick, is softmax": func(o *Options) { o.Resume, o.Settings.Attention = true, "softmax" },
		"other text":                         func(o *Options) { o.Resume, o.Files = true, []string{other} },
	} {
		o := small(t, dir, "out")
		change(&o)
		_, err := Run(context.Background(), o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if !bytes.Equal(before, read(t, filepath.Join(o.Out, "model.safetensors"))) {
		t.Error("a refused training changed the checkpoint")
	}
}

// TestWorld: the same numbers give the same bytes, everything a training and the
// suite want is there, and no directory with files is taken.
func TestWorld(t *testing.T) {
	dir := t.TempDir()
	o := WorldOptions{Seed: 2, Words: 12000, Questions: 5, Vocab: 400}
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, d := range []string{a, b} {
		if err := World(d, o); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	err := filepath.WalkDir(a, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		rel, _ := filepath.Rel(a, path)
		if !bytes.Equal(read(t, path), read(t, filepath.Join(b, rel))) {
			t.Errorf("%s differs", rel)
		}
		return nil
	})
	if err != nil || n != 9 {
		t.Errorf("%d files, %v", n, err)
	}
	tok, err := tokenizer.Load(a)
	if err != nil || tok.VocabSize() != 400 {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(read(t, filepath.Join(a, "text", "valid.jsonl")))), "\n") {
		if words := len(strings.Fields(line)); words < 480 {
			t.Errorf("page %d has %d words only", i, words)
		}
	}
	if err := World(a, o); err == nil || !strings.Contains(err.Error(), "holds files") {
		t.Errorf("a second world in a directory: %v", err)
	}
	o.Vocab = 10
	if err := World(filepath.Join(dir, "c"), o); err == nil || !strings.Contains(err.Error(), "vocabulary") {
		t.Errorf("a vocabulary of 10: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

// TestWindowStarts: short documents are begun at their beginnings, long ones
// anywhere; a text's tokens are those of the whole text.
func TestWindowStarts(t *testing.T) {
	dir := t.TempDir()
	text := "One cat sat.\n\nTwo dogs ran away.\r\n\r\nThree.\n\n"
	if err := trainTokenizer(dir, []byte(text), 270); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tokenize(context.Background(), tok, text)
	if err != nil {
		t.Fatal(err)
	}
	if got := tok.Decode(c.tokens, false); got != "One cat sat.\n\nTwo dogs ran away.\n\nThree." {
		t.Errorf("the tokens say %q", got)
	}
	for i, want := range []string{"One", "Two", "Three"} {
		if got := tok.Decode(c.tokens[c.starts[i]:], false); !strings.HasPrefix(got, want) {
			t.Errorf("document %d begins with %q", i, got)
		}
	}
	if got := c.windowStarts(len(c.tokens)); len(got) != 3 {
		t.Errorf("short documents: starts %v", got)
	}
	if got := c.windowStarts(3); got != nil {
		t.Errorf("long documents: starts %v", got)
	}
}

// FuzzHistory: no file makes the reader panic; what it takes goes up.
func FuzzHistory(f *testing.F) {
	f.Add([]byte(`{"step":1,"loss":2}` + "\n" + `{"step":2,"measure":{"loss":1}}` + "\n"))
	f.Add([]byte("{\"step\":2}\n{\"step\":2}\n"))
	f.Add([]byte("null\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		lines, err := parseHistory(bytes.NewReader(b))
		if err != nil && (lines != nil || strings.Contains(err.Error(), "\n")) {
			t.Fatalf("lines beside an error, or one of several lines: %q", err)
		}
		for i := 1; i < len(lines); i++ {
			if lines[i].Step <= lines[i-1].Step {
				t.Fatal("steps do not go up")
			}
		}
	})
}
