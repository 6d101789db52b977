package session

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/lab/world"
)

// drilled is a training of a second on a mix.
func drilled(t *testing.T, dir, out, mix string) Options {
	t.Helper()
	o := small(t, dir, out)
	w := filepath.Join(dir, "world")
	if err := World(w, WorldOptions{Seed: 1, OwnWords: 20}); err != nil && !strings.Contains(err.Error(), "holds files already") {
		t.Fatal(err)
	}
	files, valid, tok, err := WorldFiles(w)
	if err != nil {
		t.Fatal(err)
	}
	o.Files, o.Valid, o.Tokenizer = files, []string{valid}, tok
	o.Settings.Mix, o.Settings.HeadDim, o.DiagnosticsSamples = mix, 12, 12
	return o
}

// TestMixStopsAnywhere: a training of a mix that is interrupted has the state of
// one that is not, whatever the threads and wherever its phases change; another mix
// is another training.
func TestMixStopsAnywhere(t *testing.T) {
	const mix = "text=1,again=1,chain=1,span=1,repeat=2,pairs=1"
	seen := map[string]string{}
	for _, mix := range []string{mix, "until 3: chain=1; " + mix, "until 9: chain=1; " + mix, "until 3: text=1; until 7: chain=1; " + mix} {
		whole := stopsAnywhere(t, mix)
		if other, ok := seen[whole]; ok {
			t.Errorf("%q and %q give the same weights", mix, other)
		}
		seen[whole] = mix
	}
}

// stopsAnywhere trains in one go and in two, which give the same weights, and returns them.
func stopsAnywhere(t *testing.T, mix string) string {
	t.Helper()
	dir := t.TempDir()
	whole := drilled(t, dir, "whole", mix)
	if _, err := Run(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	cut := drilled(t, dir, "cut", mix)
	cut.Threads = 1
	ctx, stop := context.WithCancel(context.Background())
	cut.Line = func(l Line) {
		if l.Step >= 6 {
			stop()
		}
	}
	if _, err := Run(ctx, cut); err == nil {
		t.Fatal("not stopped")
	}
	cut.Resume, cut.Line = true, nil
	for want, change := range map[string]func(*Settings){
		"mix was":                 func(s *Settings) { s.Mix = "until 2: text=1; " + s.Mix[strings.LastIndex(s.Mix, ";")+1:] },
		"eps was 1e-08, is 0.001": func(s *Settings) { s.AdamEps = 1e-3 },
	} {
		other := cut
		change(&other.Settings)
		if _, err := Run(context.Background(), other); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("another training: %v, want an error with %q", err, want)
		}
	}
	if _, err := Run(context.Background(), cut); err != nil {
		t.Fatal(err)
	}
	weights := read(t, filepath.Join(whole.Out, "model.safetensors"))
	if !bytes.Equal(weights, read(t, filepath.Join(cut.Out, "model.safetensors"))) {
		t.Error("the weights differ")
	}
	sameHistory(t, historyOf(t, cut.Out), historyOf(t, whole.Out))
	return string(weights)
}

// TestPhases: windows are those of the phase that a step is in, diagnostics of the
// last one throughout.
func TestPhases(t *testing.T) {
	o := drilled(t, t.TempDir(), "out", "until 4: chain=1; until 8: text=1; repeat=1")
	files, err := readTexts(context.Background(), o.Files)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(o.Tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tokenize(context.Background(), tok, files)
	if err != nil {
		t.Fatal(err)
	}
	m, err := newMixture(&o.Settings, tok, c)
	if err != nil || !m.Text() {
		t.Fatal(m, err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	window := make([]int32, 64)
	for done := range 12 {
		filled := m.Fill(done, r, window)
		repeats := filled && slices.Contains(m.known[:64], world.Copied)
		if filled != (done < 4 || done >= 8) || repeats != (done >= 8) {
			t.Errorf("after %d steps: filled %v, repeats %v", done, filled, repeats)
		}
	}
	d, err := m.newDiagnostics(c, 0, 8, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range d.samples {
		if s.source != "repeat" {
			t.Errorf("diagnostics of %s", s.source)
		}
	}
}

// TestMixMeasures: every source is measured, copying where it can be, and every
// layer; a softmax of two layers gives the first token something.
func TestMixMeasures(t *testing.T) {
	o := drilled(t, t.TempDir(), "out", "text=1,again=1,chain=1,span=1,repeat=2,pairs=1")
	o.Settings.Attention, o.DiagnosticsSamples = "softmax", 40
	result, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	m := result.Lines[len(result.Lines)-1].Measure
	for source, copies := range map[string]bool{"text": false, "again": true, "chain": false, "span": true, "repeat": true, "pairs": true} {
		s, ok := m.Sources[source]
		if !ok || !(s.Loss > 0) || (s.Copying != nil) != copies || !(s.SinkRate >= 0 && s.SinkRate <= 1) {
			t.Errorf("%s: %+v", source, s)
		}
	}
	if m.Copying == nil || !(*m.Copying >= 0 && *m.Copying <= 1) || len(m.Layers) != 2 {
		t.Fatalf("%+v", m)
	}
	for i, l := range m.Layers {
		if len(l.FirstWeight) != 2 || !(l.FirstWeight[0] > 0 && l.FirstWeight[0] < 1) || !(l.FirstNorm > 0) || !(l.Kurtosis > 1) || !(l.Largest > 0) {
			t.Errorf("layer %d: %+v", i, l)
		}
	}
	if m.InnerKurtosis() != m.Layers[0].Kurtosis || m.LargestFirstNorm() != m.Layers[0].FirstNorm {
		t.Error("the last layer counts among the inner ones")
	}
	if !math.IsNaN(float64((&Measure{Layers: m.Layers[:1]}).InnerKurtosis())) {
		t.Error("a model of one layer has inner layers")
	}
}

// TestAgain: a window of again is a passage of the text from a document's beginning
// on, which comes again and again to its end, and needs no invented words.
func TestAgain(t *testing.T) {
	c := corpus{starts: []int32{0, 40, 80, 120}}
	for i := range int32(160) {
		c.tokens = append(c.tokens, i)
	}
	m, err := newMixture(&Settings{Mix: "text=1,again=1", Context: 48}, nil, c)
	if err != nil || m.exercises != nil || !m.Text() {
		t.Fatalf("%+v, %v", m, err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	drawn, begun := 0, map[int32]bool{}
	for range 400 {
		window := make([]int32, 48)
		if !m.Fill(0, r, window) {
			continue
		}
		drawn++
		begun[window[0]] = true
		period := 1
		for window[period] == (window[0]+int32(period))%160 {
			period++
		}
		if !slices.Contains(c.starts, window[0]) || period < 8 || period > 24 {
			t.Fatalf("a passage of %d tokens from token %d", period, window[0])
		}
		for i, id := range window {
			want := world.Copied
			switch {
			case i < period:
				want = world.Likely
			case i == period:
				want = world.Unknown
			}
			if id != window[i%period] || m.known[i] != want {
				t.Fatalf("token %d of %d, known as %v", i, window, m.known)
			}
		}
	}
	if drawn < 150 || drawn > 250 || len(begun) != len(c.starts) {
		t.Errorf("%d of 400 windows, from %d beginnings", drawn, len(begun))
	}
}

// TestMixRefusals: a mix that cannot be is refused before anything is written.
func TestMixRefusals(t *testing.T) {
	dir := t.TempDir()
	for want, change := range map[string]func(*Options){
		"no source":                func(o *Options) { o.Settings.Mix = "nonsense=1" },
		"make a world with":        func(o *Options) { o.Files, o.Tokenizer = small(t, dir, "x").Files, "" },
		"too short for exercises":  func(o *Options) { o.Settings.Context, o.DiagnosticsLength = 16, 16 },
		"init 0: want":             func(o *Options) { o.Settings.Init = 0 },
		"epsilon -1: want":         func(o *Options) { o.Settings.AdamEps = -1 },
		"betas 1 and":              func(o *Options) { o.Settings.Beta1 = 1 },
		"head size 7":              func(o *Options) { o.Settings.HeadDim = 7 },
		"no place for a head size": func(o *Options) { o.Settings.Attention = "scaled-softpick" },
		"fewer than one window of": func(o *Options) { o.Settings.Mix, o.Settings.Context = "text=1,chain=1", 1<<20 },
		"want a number above zero": func(o *Options) { o.Settings.QKGain = math.NaN() },
		"want SOURCE=PART":         func(o *Options) { o.Settings.Mix = "chain" },
		"phase but the last":       func(o *Options) { o.Settings.Mix = "chain=1;repeat=1" },
		"would never begin":        func(o *Options) { o.Settings.Mix = fmt.Sprintf("until %d: chain=1;repeat=1", o.Settings.Steps) },
		"heads do not divide a":    func(o *Options) { o.Settings.HeadDim, o.Settings.Heads = 0, 3 },
		"weights that begin":       func(o *Options) { o.Settings.Init = math.Inf(1) },
	} {
		o := drilled(t, dir, "out", "chain=1")
		change(&o)
		_, err := Run(context.Background(), o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}

// TestWorldOfWords: a world without text has a tokenizer whose every invented
// word is a token, and text that shows the exercises.
func TestWorldOfWords(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "w")
	if err := World(dir, WorldOptions{Seed: 1, OwnWords: 122}); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(ownWords(tok)); n != 122 {
		t.Errorf("%d words", n)
	}
	c, err := tokenize(context.Background(), tok, string(read(t, filepath.Join(dir, "train.txt"))))
	if err != nil {
		t.Fatal(err)
	}
	// A document is 128 words, and behind all but the last two line ends.
	if len(c.starts) != 1000 || len(c.tokens) != 1000*130-1 {
		t.Errorf("%d documents, %d tokens", len(c.starts), len(c.tokens))
	}
	if err := World(filepath.Join(t.TempDir(), "w"), WorldOptions{Seed: 1, OwnWords: 5000}); err == nil || !strings.Contains(err.Error(), "want 0, or 14 to 600") {
		t.Errorf("%v", err)
	}
}

// TestNumbersBeforeText: numbers that cannot be are refused before the text is
// read, here one that is not there.
func TestNumbersBeforeText(t *testing.T) {
	for want, change := range map[string]func(*Settings){
		"betas 1 and":                func(s *Settings) { s.Beta1 = 1 },
		"epsilon +Inf":               func(s *Settings) { s.AdamEps = math.Inf(1) },
		"weights that begin":         func(s *Settings) { s.Init = math.Inf(1) },
		"head size 7":                func(s *Settings) { s.HeadDim = 7 },
		"no source":                  func(s *Settings) { s.Mix = "some=1" },
		"want a later step":          func(s *Settings) { s.Mix = "until 2: text=1; until 2: text=1; text=1" },
		"would never begin":          func(s *Settings) { s.Mix = "until 1000000: text=1; text=1" },
		"the learning rate must be":  func(s *Settings) { s.Rate = math.NaN() },
		"accumulate smaller ones":    func(s *Settings) { s.Batch = 1 << 40 },
		"layers size 0":              func(s *Settings) { s.Layers = 0 },
		"steps, batch, accumulation": func(s *Settings) { s.Steps = 0 },
		"unknown attention kind":     func(s *Settings) { s.Attention = "softpeck" },
		"number format \"float64\"":  func(s *Settings) { s.DType = "float64" },
		"this trainer takes":         func(s *Settings) { s.Intermediate = 1 << 40 },
	} {
		o := small(t, t.TempDir(), "out")
		o.Files = []string{"no such text"}
		change(&o.Settings)
		if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}
