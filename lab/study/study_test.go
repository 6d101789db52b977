package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/softbench/softbench/lab/session"
	"github.com/softbench/softbench/lab/twins"
	"github.com/softbench/softbench/reports/rundir"
)

var presets = Presets{
	Settings: map[string]session.Settings{"toy": twins.Toy, "twin": twins.Training, "varied": twins.Varied},
	Worlds:   map[string]session.WorldOptions{"toy": twins.ToyWorld, "twin": twins.World, "varied": twins.VariedWorld},
}

const tiny = `name: tiny
question: Does it run?
preset: toy
world: {own_words: 30}
settings: {hidden: 16, intermediate: 24, heads: 2, head_dim: 8, context: 32, batch: 2, steps: 12, warmup: 2, mix: "chain=1,repeat=1"}
grid:
  attention: [softmax, softpick]
  rate: [1e-2, 0.001]
seeds: [3, 4]
diagnostics: {every: 4, samples: 4}
show: [loss, copying, sink_rate, first_weight, loss.chain, step_of_copying]
claims:
  - {claim: Few sinks, measure: sink_rate, where: {attention: softpick}, at_most: 0.5}
  - {claim: As good, measure: loss, where: {attention: softpick, rate: 0.01}, against: {attention: softmax}, ratio_at_most: 1.01}
`

func parse(t *testing.T, text string) *Study {
	t.Helper()
	s, err := Parse([]byte(text), "study.yaml", presets)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestGrid: cells are the grid's values multiplied out in the file's order, over
// the file's settings, over the preset's.
func TestGrid(t *testing.T) {
	s := parse(t, tiny)
	var names []string
	for _, c := range s.Cells {
		names = append(names, c.Name)
	}
	want := "attention=softmax rate=0.01|attention=softmax rate=0.001|attention=softpick rate=0.01|attention=softpick rate=0.001"
	if got := strings.Join(names, "|"); got != want {
		t.Errorf("cells %s, want %s", got, want)
	}
	c := s.Cells[2].Settings
	if c.Attention != "softpick" || c.Rate != 0.01 || c.Hidden != 16 || c.Layers != twins.Toy.Layers || c.Init != twins.Toy.Init || c.Seed != 3 {
		t.Errorf("settings %+v", c)
	}
	all := s.Trainings("out")
	if len(all) != 8 || all[3].Seed != 3 || all[4].Seed != 4 || all[4].Cell != 0 || all[4].Dir != filepath.Join("out", "trainings", "attention=softmax,rate=0.01", "seed-4") {
		t.Errorf("trainings %+v", all)
	}
}

// TestProbeIsDiagnostics: a file from when diagnostics were called probe is the same study.
func TestProbeIsDiagnostics(t *testing.T) {
	now, err := Parse([]byte(tiny), "tiny.yaml", presets)
	if err != nil {
		t.Fatal(err)
	}
	older, err := Parse([]byte(strings.Replace(tiny, "\ndiagnostics:", "\nprobe:", 1)), "tiny.yaml", presets)
	if err != nil || !reflect.DeepEqual(now, older) {
		t.Errorf("%+v, %v; want %+v", older, err, now)
	}
}

// TestRefusals: what a file says wrong is refused with where and what, before
// anything is trained.
func TestRefusals(t *testing.T) {
	for _, c := range [][3]string{
		{"name: tiny\n", "", "a study needs a name"},
		{"seeds: [3, 4]", "seeds: []", "no seeds"},
		{"seeds: [3, 4]", "seeds: [3, 3]", "seed 3 comes twice"},
		{"seeds: [3, 4]", "seeds: [-3]", "-3 stands where a whole number from 0 belongs"},
		{"every: 4", "every: 0", "diagnostics: every"},
		{"\ndiagnostics:", "\nprobe: {every: 1, samples: 1}\ndiagnostics:", "probe is an older word for diagnostics"},
		{"preset: toy\nworld", "preset: tox\nworld", `preset "tox": not known`},
		{"world: {own_words: 30}", "world: {text: wild}", `world: no text called "wild"`},
		{"world: {own_words: 30}", "world: {preset: none}", `world: preset "none": not known`},
		{"hidden: 16", "hiden: 16", `unknown field "hiden"`},
		{"hidden: 16", "hidden: wide", "hidden is a JSON string, which it cannot be"},
		{"hidden: 16", "seed: 16", "the seed is not a setting"},
		{"rate: [1e-2, 0.001]", "rate: 0.1", "grid: rate: want a list"},
		{"rate: [1e-2, 0.001]", "rate: [0.01, 1e-2]", "comes twice"},
		{"rate: [1e-2, 0.001]", "seed: [1, 2]", "the seed is not a setting"},
		{"[loss,", "[los,", `show: no measure "los"`},
		{"loss.chain", "mass.chain", `show: no measure "mass.chain"`},
		{"measure: sink_rate", "measure: sinks", `claim 1: no measure "sinks"`},
		{"{attention: softpick}, at_most: 0.5", "{attention: gated}, at_most: 0.5", "where: the grid has no attention=gated"},
		{"at_most: 0.5", "at_most: 0.5, at_least: 0.1", "exactly one of"},
		{"at_most: 0.5", "ratio_at_most: 0.5", "want against"},
		{"ratio_at_most: 1.01", "at_most: 1.01", "want against"},
		{"ratio_at_most: 1.01", "ratio_at_most: 0", "ratio's not above zero"},
		{"against: {attention: softmax}", "against: {attention: softpick}", "no cell to set against"},
		{"claims:", "claim:", "claim"},
		{"show: [loss", "show: [kurtosis.-1", `no measure "kurtosis.-1"`},
		{"show: [loss", "show: [exam.score", `no measure "exam.score": the study has no exam`},
		{"show: [loss", "exam: {tasks: [a.yaml], quantise: ['rtn:2']}\nshow: [exam.kept.rtn:3", "as in exam.kept.rtn:2"},
		{"show: [loss", "exam: {tasks: [a.yaml], quantise: ['rtn:2']}\nshow: [exam.b", `no measure "exam.b"`},
		{"show:", "exam: {tasks: [a.yaml]}\nshow:", "exam: want tasks"},
		{"show:", "exam: {quantise: ['rtn:2']}\nshow:", "exam: want tasks"},
		{"show:", "exam: {tasks: [../a.yaml], quantise: ['rtn:2']}\nshow:", `exam: task "../a.yaml"`},
		{"show:", "exam: {tasks: [a.yaml, b/a.yaml], quantise: ['rtn:2']}\nshow:", `exam: task "b/a.yaml"`},
		{"show:", "exam: {tasks: [a], quantise: ['rtn:2']}\nshow:", `exam: task "a"`},
		{"show:", "exam: {tasks: [a.yaml], quantise: ['rtn:5']}\nshow:", "exam: "},
		{"show:", "exam: {tasks: [a.yaml], quantise: ['rtn:4', 'rtn:4:64']}\nshow:", "rtn:4:64: want each once"},
		{"show:", "exam: {tasks: [a.yaml], quantise: ['gptq:4']}\nshow:", "none that is shown text"},
	} {
		text := strings.Replace(tiny, c[0], c[1], 1)
		if text == tiny {
			t.Fatalf("%q is not in the file", c[0])
		}
		_, err := Parse([]byte(text), "study.yaml", presets)
		if err == nil || !strings.Contains(err.Error(), c[2]) || !strings.HasPrefix(err.Error(), "study.yaml") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s -> %s: %v, want an error with %q", c[0], c[1], err, c[2])
		}
	}
}

// TestStudiesOfTheRepository can be read.
func TestStudiesOfTheRepository(t *testing.T) {
	files, err := filepath.Glob("../studies/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d studies: %v", len(files), err)
	}
	for _, f := range files {
		s, err := Read(f, presets)
		if err != nil {
			t.Error(err)
			continue
		}
		if s.Name+".yaml" != filepath.Base(f) || len(s.Seeds) < 3 || len(s.Claims) == 0 {
			t.Errorf("%s: name %s, %d seeds, %d claims", f, s.Name, len(s.Seeds), len(s.Claims))
		}
	}
}

// TestRecordOfTheRepository: each of its trainings is one of a study's beside it.
func TestRecordOfTheRepository(t *testing.T) {
	record, err := ReadRecord(context.Background(), "../studies/record.jsonl")
	if err != nil || len(record) == 0 {
		t.Fatalf("%d trainings: %v", len(record), err)
	}
	files, err := filepath.Glob("../studies/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	of := map[int]bool{}
	for _, f := range files {
		s, err := Read(f, presets)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range s.Trainings("out") {
			for i := range record {
				one := a
				if s.known(&one, record[i:i+1]); one.Done || s.exam(&a, record[i:i+1], record[i].Kernels) == 0 {
					of[i] = true
				}
			}
		}
	}
	if len(of) != len(record) {
		t.Errorf("%d of %d trainings are a study's", len(of), len(record))
	}
}

// shown is a result without what differs between two runs: directories and the clock.
func shown(t *testing.T, s *Study, o Options) string {
	t.Helper()
	all, err := s.Progress(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Summarise(all)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal([]any{r.Cells, len(r.Verdicts)})
	if err != nil {
		t.Fatal(err)
	}
	b := string(text)
	for _, v := range r.Verdicts {
		b += fmt.Sprint("\n", v.Claim.Text, v.Cell, v.Estimate, v.Verdict)
	}
	return b
}

// TestStopAnywhere: a study that is stopped, at any line of any training, and
// called again has the result of one that was not, on any number of threads.
func TestStopAnywhere(t *testing.T) {
	s, dir := parse(t, tiny), t.TempDir()
	whole := filepath.Join(dir, "whole")
	all, err := s.Run(context.Background(), Options{Out: whole, Threads: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if !a.Done || a.Stopped != "" || len(a.Lines) == 0 {
			t.Errorf("%s: %+v", a.Name, a)
		}
	}
	cut := filepath.Join(dir, "cut")
	world := filepath.Join(whole, "world")
	stops := 0
	for after := 3; ; after += 5 {
		ctx, stop := context.WithCancel(context.Background())
		lines := 0
		_, err := s.Run(ctx, Options{Out: cut, World: world, Threads: 1 + stops%2, Line: func(Training, session.Line) {
			if lines++; lines == after {
				stop()
			}
		}})
		stop()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if stops++; stops == 1 && shown(t, s, Options{Out: cut}) == shown(t, s, Options{Out: whole}) {
			t.Error("a stopped study looks like a whole one")
		}
	}
	if stops < 2 {
		t.Errorf("stopped %d times", stops)
	}
	if got, want := shown(t, s, Options{Out: cut}), shown(t, s, Options{Out: whole}); got != want {
		t.Errorf("stopped and resumed:\n%s\nwhole:\n%s", got, want)
	}
	began := 0
	if _, err := s.Run(context.Background(), Options{Out: cut, World: world, Threads: 2, Began: func(Training) { began++ }}); err != nil || began != 0 {
		t.Errorf("a whole study trains %d anew: %v", began, err)
	}
	other := parse(t, strings.Replace(tiny, "batch: 2", "batch: 3", 1))
	if _, err := other.Run(context.Background(), Options{Out: cut, World: world, Threads: 1}); err == nil || !strings.Contains(err.Error(), "other settings than the study's") {
		t.Errorf("another study in the same directory: %v", err)
	}
}

// TestRecord: what a record holds is not trained again, by this study or one
// that has trainings in common with it, and gives the same result; what ends is
// added; a record that is not one is refused before anything is trained.
func TestRecord(t *testing.T) {
	dir := t.TempDir()
	record := filepath.Join(dir, "record.jsonl")
	first := parse(t, strings.Replace(tiny, "rate: [1e-2, 0.001]", "rate: [1e-2]", 1))
	whole := parse(t, strings.Replace(tiny, "rate: [1e-2, 0.001]", "rate: [1e-2, 1e+30]", 1))
	run := func(s *Study, o Options) (began int) {
		o.Threads = 2
		o.Began = func(Training) { began++ }
		if _, err := s.Run(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		return began
	}
	plain, shared := Options{Out: filepath.Join(dir, "plain")}, Options{Out: filepath.Join(dir, "shared"), Record: record}
	if n := run(whole, plain); n != 8 {
		t.Errorf("%d trainings began, want 8", n)
	}
	if n := run(first, Options{Out: filepath.Join(dir, "first"), Record: record}); n != 4 {
		t.Errorf("%d trainings began with an empty record, want 4", n)
	}
	if n := run(whole, shared); n != 4 {
		t.Errorf("%d trainings began beside a record of 4, want 4", n)
	}
	if got, want := shown(t, whole, shared), shown(t, whole, plain); got != want {
		t.Errorf("with a record:\n%s\nwithout:\n%s", got, want)
	}
	again := Options{Out: filepath.Join(dir, "again"), Record: record}
	if n := run(whole, again); n != 0 {
		t.Errorf("%d trainings began though all are in the record", n)
	}
	if got, want := shown(t, whole, again), shown(t, whole, plain); got != want {
		t.Errorf("all from the record:\n%s\nwithout:\n%s", got, want)
	}
	other := parse(t, strings.Replace(tiny, "samples: 4", "samples: 5", 1))
	if all, err := other.Progress(context.Background(), again); err != nil || all[0].Done {
		t.Errorf("a training that was measured otherwise is taken: %v %v", all[0], err)
	}

	text, err := os.ReadFile(record)
	if err != nil || strings.Count(string(text), "\n") != 8 {
		t.Fatalf("a record of %d lines: %v", strings.Count(string(text), "\n"), err)
	}
	for _, c := range [][3]string{
		{"\n", "", "line 1: more than one"},
		{"\"steps\":12", "\"steps\":13", "ends at step 12 of 13"},
		{"\"step\":8", "\"step\":4", "does not follow"},
		{"\"lines\":", "\"linse\":", "linse"},
		{"{", "", "line 1: "},
	} {
		damaged := filepath.Join(dir, "damaged.jsonl")
		if err := os.WriteFile(damaged, []byte(strings.Replace(string(text), c[0], c[1], 1)), 0o666); err != nil {
			t.Fatal(err)
		}
		nowhere := filepath.Join(dir, "nowhere")
		_, err := whole.Run(context.Background(), Options{Out: nowhere, Record: damaged, Threads: 1})
		if err == nil || !strings.Contains(err.Error(), c[2]) || !strings.HasPrefix(err.Error(), damaged) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q for %q: %v, want %q", c[1], c[0], err, c[2])
		}
		if _, err := os.Stat(nowhere); err == nil {
			t.Errorf("%q for %q: refused after something was made", c[1], c[0])
		}
	}
	if err := os.WriteFile(record, text[:len(text)-1], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := whole.Progress(context.Background(), again); err == nil || !strings.Contains(err.Error(), "line 8 is not whole") {
		t.Errorf("a record whose end is missing: %v", err)
	}
	again.World = "world"
	if _, err := whole.Run(context.Background(), again); err == nil || !strings.Contains(err.Error(), "leave out one of them") {
		t.Errorf("a record beside a world's directory: %v", err)
	}
}

// TestDivergedIsAResult: a training whose loss is not a number is reported, the
// others go on, and it is not trained again.
func TestDivergedIsAResult(t *testing.T) {
	s := parse(t, strings.Replace(strings.Replace(tiny, "rate: [1e-2, 0.001]", "rate: [1e-2, 1e+30]", 1), "seeds: [3, 4]", "seeds: [3]", 1))
	out := filepath.Join(t.TempDir(), "out")
	for range 2 {
		all, err := s.Run(context.Background(), Options{Out: out, Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if diverges := strings.Contains(a.Name, "e+30"); !a.Done || diverges != strings.Contains(a.Stopped, "not a number") {
				t.Errorf("%s: done %v, stopped %q", a.Name, a.Done, a.Stopped)
			}
		}
	}
}

// made are trainings whose last diagnostics have the given sink rates, by cell and seed.
func made(s *Study, rates [][]float64) []Training {
	all := s.Trainings("out")
	for i := range all {
		seed := 0
		for s.Seeds[seed] != all[i].Seed {
			seed++
		}
		all[i].Done = true
		all[i].Lines = []session.Line{
			{Step: 4, Loss: 1, Measure: &session.Measure{SinkRate: 0.9, Loss: 5}},
			{Step: 12, Loss: 1, Measure: &session.Measure{SinkRate: rundir.Number(rates[all[i].Cell][seed]), Loss: 5}},
			{Step: 13, Loss: 1},
		}
	}
	return all
}

// TestVerdicts: a claim holds or fails by its whole interval; pairs are by seed;
// what is not done is not counted.
func TestVerdicts(t *testing.T) {
	file := `name: v
question: q
preset: toy
grid: {attention: [softmax, softpick]}
seeds: [1, 2, 3]
diagnostics: {every: 4, samples: 1}
claims: [{claim: c, measure: sink_rate, where: {attention: softpick}, %s}]
`
	for _, c := range []struct {
		condition         string
		softmax, softpick []float64
		verdict           string
		mean, low, high   float64
	}{
		// scipy.stats.t.interval(0.95, 2, mean, sem)
		{"at_most: 0.3", nil, []float64{0.1, 0.2, 0.15}, Holds, 0.15, 0.025793136, 0.274206864},
		{"at_most: 0.2", nil, []float64{0.1, 0.2, 0.15}, Undecided, 0.15, 0.025793136, 0.274206864},
		{"at_least: 0.3", nil, []float64{0.1, 0.2, 0.15}, Fails, 0.15, 0.025793136, 0.274206864},
		{"at_most: 0", nil, []float64{0, 0, 0}, Holds, 0, 0, 0},
		{"at_most: 0.1", nil, []float64{0.2, math.NaN(), math.NaN()}, OneSeed, 0.2, math.NaN(), math.NaN()},
		{"at_most: 0.1", nil, []float64{math.NaN(), math.NaN(), math.NaN()}, Unknown, math.NaN(), math.NaN(), math.NaN()},
		{"against: {attention: softmax}, difference_at_most: -0.5", []float64{0.8, 0.6, 0.7}, []float64{0.2, 0, 0.1}, Holds, -0.6, -0.6, -0.6},
		{"against: {attention: softmax}, ratio_at_least: 2", []float64{0.1, 0.2, 0.4}, []float64{0.2, 0.4, 0.8}, Holds, 2, 2, 2},
	} {
		s := parse(t, fmt.Sprintf(file, c.condition))
		if c.softmax == nil {
			c.softmax = make([]float64, 3)
		}
		all := made(s, [][]float64{c.softmax, c.softpick})
		r, err := s.Summarise(all)
		if err != nil {
			t.Fatal(err)
		}
		v := r.Verdicts[0]
		near := func(got rundir.Number, want float64) bool {
			return math.IsNaN(want) && math.IsNaN(float64(got)) || math.Abs(float64(got)-want) < 1e-6
		}
		if v.Verdict != c.verdict || !near(v.Mean, c.mean) || !near(v.Low, c.low) || !near(v.High, c.high) {
			t.Errorf("%s of %v: %s %v, want %s %v [%v, %v]", c.condition, c.softpick, v.Verdict, v.Estimate, c.verdict, c.mean, c.low, c.high)
		}
		for i := range all {
			all[i].Done = false
		}
		if r, err = s.Summarise(all); err != nil || r.Verdicts[0].Verdict != Unknown {
			t.Errorf("%s: unfinished trainings count: %v %v", c.condition, r.Verdicts[0], err)
		}
		if points := r.Cells[0].Curves[2]; len(points) != 2 || points[1].Step != 12 {
			t.Errorf("curve %v", points)
		}
	}
}

// TestFinalMeasures: each measure is found by its name and read from a line.
func TestFinalMeasures(t *testing.T) {
	s := &Study{Exam: &Exam{[]string{"quiz.yaml"}, []string{"rtn:2"}}}
	examined := &Examined{s.Exam, map[string]rundir.Number{"quiz": 0.75, "kept.rtn:2": 0.5, "kl.rtn:2": 2}}
	low, high := rundir.Number(0.5), rundir.Number(0.95)
	lines := []session.Line{
		{Step: 10, Loss: 3, Measure: &session.Measure{Copying: &low}},
		{Step: 20, Loss: 2, Measure: &session.Measure{
			Loss: 1.5, Copying: &high, SinkRate: 0.25, SinkHalf: 0.5, Sparsity: 0.75, Mass: 0.875, Dead: 0.125, Kurtosis: 9, Largest: 11, Massive: 2,
			Layers: []session.LayerMeasure{
				{Kurtosis: 4, FirstNorm: 3, FirstWeight: []rundir.Number{0.1, 0.3}}, {Kurtosis: 40, FirstNorm: 30, FirstWeight: []rundir.Number{0.2}},
			},
			Sources: map[string]session.SourceMeasure{"repeat": {Loss: 0.25, SinkRate: 0.125, Copying: &low}},
		}},
		{Step: 30, Loss: 1},
	}
	for name, want := range map[string]float64{
		"loss": 1.5, "training_loss": 2, "copying": 0.95, "sink_rate": 0.25, "sink_half": 0.5, "sparsity": 0.75, "mass": 0.875, "dead_heads": 0.125, "kurtosis": 9,
		"largest": 11, "massive": 2, "inner_kurtosis": 4, "first_norm": 3, "first_weight": 0.3, "step_of_copying": 20,
		"kurtosis.0": 4, "kurtosis.1": 40, "kurtosis.2": math.NaN(), "exam.quiz": 0.75, "exam.score": math.NaN(), "exam.kept.rtn:2": 0.5, "exam.kl.rtn:2": 2,
		"loss.repeat": 0.25, "sink_rate.repeat": 0.125, "copying.repeat": 0.5, "copying.span": math.NaN(),
	} {
		m, err := s.findMeasure(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.final(&Training{Lines: lines, Examined: examined}); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if m, _ := s.findMeasure("step_of_copying"); !math.IsNaN(m.final(&Training{Lines: lines[:1]})) {
		t.Error("copying is there from a half on")
	}
	if m, _ := s.findMeasure("exam.quiz"); !math.IsNaN(m.final(&Training{Lines: lines})) {
		t.Error("a model that was not asked has an exam's number")
	}
}

// TestUnreadable: a directory that cannot be read is an error, not an empty training.
func TestUnreadable(t *testing.T) {
	s, out := parse(t, tiny), t.TempDir()
	if err := os.MkdirAll(filepath.Join(s.Trainings(out)[0].Dir, "training"), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Progress(context.Background(), Options{Out: out}); err != nil {
		t.Errorf("a training stopped before its first step: %v", err)
	}
	if err := os.WriteFile(filepath.Join(s.Trainings(out)[0].Dir, "training", "settings.json"), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Progress(context.Background(), Options{Out: out}); err == nil {
		t.Error("damaged settings are taken")
	}
}
