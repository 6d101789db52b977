package gate

import (
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/stats"
)

// An unchanged run passes with a difference and interval of exactly 0, whatever is
// allowed and however sure to be.
func TestUnchangedPasses(t *testing.T) {
	for _, policy := range []*Policy{nil,
		policyOf(t, "metrics:", "- {metric: '*/*', allowed_drop: 0, level: 0.9999}"),
		policyOf(t, "inconclusive: fail", "metrics:", "- {metric: '*/*', allowed_drop: 0%, level: 0.5}"),
	} {
		for seed := range uint64(5) {
			run := madeSide(seed, 0.6)
			b := baselineOf(t, run, nil)
			r, err := Check(run, b, policy)
			if err != nil {
				t.Fatal(err)
			}
			if r.Decision != stats.Pass || r.Fails || r.Counts != (Counts{Pass: 7}) || len(r.Warnings) > 0 {
				t.Errorf("unchanged: %+v", r)
			}
			for _, m := range r.Metrics {
				if m.Decision != stats.Pass || m.Difference != 0 || m.Low != 0 || m.High != 0 || m.Drop != 0 || m.Fails {
					t.Errorf("unchanged: %+v", m)
				}
			}
		}
	}
}

// The decision on each metric is DESIGN's rule over the numbers that the result
// shows, in the metric's direction; the whole is the worst of the required ones;
// and more allowance never makes a decision worse.
func TestDecisionsFollowTheRule(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	worse := map[stats.Decision]int{stats.Pass: 0, stats.Inconclusive: 1, stats.Regressed: 2}
	seen := map[stats.Decision]int{}
	rounds, least := 20, 15
	if testing.Short() {
		rounds, least = 5, 4
	}
	for range rounds {
		base := madeSide(rng.Uint64(), 0.3+0.5*rng.Float64())
		run := madeSide(rng.Uint64(), 0.3+0.5*rng.Float64())
		before := map[string]int{}
		for k, allowed := range []string{"0", "0.02", "0.3"} {
			fail := []string{"pass", "fail"}[rng.IntN(2)]
			p := policyOf(t, "inconclusive: "+fail, "metrics:", "- {metric: '*/*', allowed_drop: "+allowed+"}", "- {metric: 'quiz/acc_norm', required: false}")
			r, err := Check(run, baselineOf(t, base, nil), p)
			if err != nil {
				t.Fatal(err)
			}
			overall, fails := 0, false
			for _, m := range r.Metrics {
				d, low, high := float64(m.AllowedDrop), float64(m.Low), float64(m.High)
				if !m.HigherIsBetter {
					low, high = -high, -low
				}
				want := stats.Inconclusive
				switch {
				case low > -d:
					want = stats.Pass
				case high < -d:
					want = stats.Regressed
				}
				if m.Decision != want {
					t.Errorf("%+v: want %s", m, want)
				}
				sign := 1.0
				if m.HigherIsBetter {
					sign = -1
				}
				if got := sign * float64(m.Run-m.Baseline); math.Abs(got-float64(m.Drop)) > 1e-9*math.Abs(float64(m.Run)) {
					t.Errorf("%+v: the drop is %v", m, got)
				}
				if m.Needed > 0 && m.Decision != stats.Inconclusive {
					t.Errorf("%+v: documents needed for what is decided", m)
				}
				if m.Required {
					overall = max(overall, worse[m.Decision])
					fails = fails || m.Decision == stats.Regressed || m.Decision == stats.Inconclusive && fail == "fail"
				}
				seen[m.Decision]++
				name := m.Task + "/" + m.Metric
				if was, ok := before[name]; k > 0 && ok && worse[m.Decision] > was {
					t.Errorf("%s: %s with %s allowed, but better with less", name, m.Decision, allowed)
				}
				before[name] = worse[m.Decision]
			}
			if worse[r.Decision] != overall || r.Fails != fails {
				t.Errorf("in all %s, fails %v; want number %d, %v", r.Decision, r.Fails, overall, fails)
			}
		}
	}
	for d := range worse {
		if seen[d] < least {
			t.Errorf("only %d metrics are %s: this test shows little", seen[d], d)
		}
	}
}

// The gate finds an injected regression as often as was predicted, and raises
// hardly a false alarm where answers change without getting worse.
func TestInjectedRegressionIsFound(t *testing.T) {
	const n, discordance, allowed, power = 300, 0.2, 0.01, stats.Power
	runs := 500
	if testing.Short() {
		runs = 60
	}
	drop := stats.DetectableAccuracyDrop(n, discordance, allowed, 0.05, stats.BeyondAllowed)
	base := madeSide(3, 0.6, madeTask{name: "quiz", n: n, metrics: madeTasks[0].metrics[:1]})
	b := baselineOf(t, base, nil)
	rng := rand.New(rand.NewPCG(9, 9))
	found := func(drop float64) (share float64) {
		for range runs {
			run := madeSide(3, 0.6, madeTask{name: "quiz", n: n, metrics: madeTasks[0].metrics[:1]})
			right := b.Tasks[0].Metrics[0].Value
			for i := range run.Tasks[0].Documents {
				v := &run.Tasks[0].Documents[i].Values[0]
				// Right answers are lost with one chance, wrong ones won with another,
				// so that the discordance and the drop come out in the mean.
				lose, win := (discordance+drop)/2/right, (discordance-drop)/2/(1-right)
				switch u := rng.Float64(); {
				case v.Value == 1 && u < lose:
					v.Value = 0
				case v.Value == 0 && u < win:
					v.Value = 1
				}
			}
			r, err := Check(run, b, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.Decision == stats.Regressed {
				share++
			}
		}
		return share / float64(runs)
	}
	bound := 4*math.Sqrt(stats.Power*(1-stats.Power)/float64(runs)) + 0.04
	if got := found(drop); math.Abs(got-power) > bound {
		t.Errorf("a drop of %v was found in %v of the runs, %v predicted", drop, got, power)
	} else {
		t.Logf("a drop of %v found in %.3f of %d runs, %.3f predicted", drop, got, runs, power)
	}
	if got := found(0); got > 0.025+4*math.Sqrt(0.025*0.975/float64(runs)) {
		t.Errorf("%v of the runs without a drop were called regressed", got)
	}
}

// The rule of thumb of docs/ci.md: with 3·√(c/n) allowed, an equally good checkpoint
// passes in four cases out of five.
func TestEquallyGoodPasses(t *testing.T) {
	const n, c = 1000, 0.1
	runs := 150
	if testing.Short() {
		runs = 40
	}
	one := madeTask{name: "quiz", n: n, metrics: madeTasks[0].metrics[:1]}
	b := baselineOf(t, madeSide(3, 0.5, one), policyOf(t, "metrics: [{metric: quiz/acc, allowed_drop: 0.03}]")) // 3·√(0.1/1000)
	rng := rand.New(rand.NewPCG(4, 4))
	passed := 0
	for range runs {
		run := madeSide(3, 0.5, one)
		right := b.Tasks[0].Metrics[0].Value
		for i := range run.Tasks[0].Documents {
			v := &run.Tasks[0].Documents[i].Values[0].Value
			if turn := c / 2 / (*v*right + (1-*v)*(1-right)); rng.Float64() < turn { // as many either way
				*v = 1 - *v
			}
		}
		r, err := Check(run, b, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Decision == stats.Pass {
			passed++
		}
	}
	if share := float64(passed) / float64(runs); share < 0.8-3*math.Sqrt(0.8*0.2/float64(runs)) {
		t.Errorf("only %.2f passed", share)
	} else {
		t.Logf("%.2f passed", share)
	}
}

// What makes a run unfit is refused, all of it in one line that says what.
func TestUnfitRunIsRefused(t *testing.T) {
	quiz := func(s *compare.Side) *compare.Task { return s.Task("quiz") }
	for _, c := range []struct {
		name  string
		spoil func(s *compare.Side)
		says  []string
	}{
		{"missing task", func(s *compare.Side) { s.Tasks = s.Tasks[1:] }, []string{"task quiz is missing in the run"}},
		{"no tasks", func(s *compare.Side) { s.Tasks = nil }, []string{"quiz", "last", "pages", "passkey"}},
		{"other tokenizer", func(s *compare.Side) { s.MustMatch["tokenizer_sha256"] = strings.Repeat("cd", 32) }, []string{"tokenizer_sha256 was abababababab and is cdcdcdcdcdcd"}},
		{"other context", func(s *compare.Side) { s.MustMatch["max_length"] = "512" }, []string{"max_length was 256 and is 512"}},
		{"other dtype", func(s *compare.Side) { s.MayDiffer["dtype"] = "bfloat16" }, []string{"dtype was float32 and is bfloat16"}},
		{"unknown dtype", func(s *compare.Side) { delete(s.MayDiffer, "dtype") }, []string{"dtype was float32 and is not recorded"}},
		{"a setting more", func(s *compare.Side) { s.MustMatch["temperature"] = "1" }, []string{"temperature was not recorded and is 1"}},
		{"few-shot", func(s *compare.Side) { quiz(s).MustMatch["fewshot"] = "5" }, []string{"task quiz: fewshot was 0 and is 5"}},
		{"other definition", func(s *compare.Side) { quiz(s).MustMatch["digest"] = "other" }, []string{"task quiz: digest was quiz and is other"}},
		{"fewer documents", func(s *compare.Side) { quiz(s).Documents = quiz(s).Documents[:59] }, []string{"task quiz: 60 documents in the baseline, 59 in the run"}},
		{"another document", func(s *compare.Side) { quiz(s).Documents[3].Keys[0] = "new" }, []string{"task quiz: the documents changed"}},
		{"another prompt", func(s *compare.Side) { quiz(s).Documents[3].Keys[len(quiz(s).Documents[3].Keys)-1] = "new" }, []string{"task quiz: the prompts changed"}},
		{"metric missing", func(s *compare.Side) { quiz(s).Metrics[1].Name = "f1" }, []string{"task quiz: metric acc_norm is missing"}},
		{"other direction", func(s *compare.Side) { quiz(s).Metrics[1].HigherIsBetter = false }, []string{"task quiz: metric acc_norm has another direction"}},
		{"other formula", func(s *compare.Side) { quiz(s).Metrics[1].Formula = compare.Bits }, []string{"acc_norm is a mean in the baseline and a bits"}},
		{"fewer scored", func(s *compare.Side) { quiz(s).Documents[3].Values[0] = compare.Value{} }, []string{"acc has no result in the run for 1 documents"}},
		{"other word count", func(s *compare.Side) { s.Task("pages").Documents[3].Values[0].Weight++ }, []string{"task pages: metric word_perplexity counts another number of words"}},
		{"results of another program", func(s *compare.Side) { s.Format = compare.Harness }, []string{"format was softbench and is lm-eval"}},
	} {
		base := madeSide(1, 0.6)
		b := baselineOf(t, base, nil)
		run := madeSide(2, 0.6)
		for i := range run.Tasks { // madeSide shares what it is given
			run.Tasks[i].Metrics = append([]compare.MetricInfo(nil), run.Tasks[i].Metrics...)
		}
		c.spoil(run)
		r, err := Check(run, b, nil)
		var unfit *Unfit
		if !errors.As(err, &unfit) {
			t.Errorf("%s: %+v, error %v", c.name, r, err)
			continue
		}
		for _, s := range append(c.says, "--update") {
			if !strings.Contains(err.Error(), s) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: the error does not say %q on its line: %v", c.name, s, err)
			}
		}
	}
}

// Documents that change together count as one: the interval is of their clusters.
func TestClustersWidenTheInterval(t *testing.T) {
	task := madeTask{name: "passkey", n: 120, cluster: 10, metrics: madeTasks[0].metrics[:1]}
	interval := func(cluster int) float64 {
		task.cluster = cluster
		base, run := madeSide(1, 0.5, task), madeSide(1, 0.5, task)
		for i := range run.Tasks[0].Documents { // cells that are all right, then all wrong, and the other way
			v, w := &base.Tasks[0].Documents[i].Values[0].Value, &run.Tasks[0].Documents[i].Values[0].Value
			*v, *w = float64(i/10%2), 1-float64(i/10%2)
		}
		r, err := Check(run, baselineOf(t, base, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		return float64(r.Metrics[0].High - r.Metrics[0].Low)
	}
	if with, without := interval(10), interval(0); !(with > 2*without) {
		t.Errorf("interval %v wide with clusters, %v without", with, without)
	}
}

// Numbers that are none, in the run, are an error and no decision.
func TestWhatIsNotANumber(t *testing.T) {
	b := baselineOf(t, madeSide(1, 0.6), nil)
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		run := madeSide(2, 0.6)
		run.Task("last").Documents[5].Values[0].Value = bad
		if r, err := Check(run, b, nil); err == nil {
			t.Errorf("%v: %+v", bad, r)
		}
		if _, err := Make(run, nil, nil); err == nil || !strings.Contains(err.Error(), "task last: metric perplexity") {
			t.Errorf("%v: a baseline with it: error %v", bad, err)
		}
	}
	if _, err := Make(&compare.Side{}, nil, nil); err == nil {
		t.Error("a baseline without tasks")
	}
}

// What may differ is told, not refused: another machine as a warning, a new task or
// metric as a note. The same checkpoint with other results is a warning too.
func TestRemarks(t *testing.T) {
	b := baselineOf(t, madeSide(1, 0.6), nil)
	check := func(run *compare.Side) (warnings, notes string) {
		t.Helper()
		r, err := Check(run, b, nil)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(r.Warnings, "\n"), strings.Join(r.Notes, "\n")
	}
	run := madeSide(1, 0.6)
	run.MayDiffer["isa"], run.MayDiffer["device"] = "avx512", "cuda"
	warnings, notes := check(run)
	for _, s := range []string{"isa was avx2 and is avx512 now", "device was cpu and is cuda now"} {
		if !strings.Contains(warnings, s) {
			t.Errorf("no warning %q in %q", s, warnings)
		}
	}
	if notes != "" {
		t.Errorf("notes %q", notes)
	}

	run = madeSide(2, 0.6)
	run.MayDiffer["attention"] = "softpick"
	run.Tasks = append(run.Tasks, madeSide(2, 0.6, madeTask{name: "fresh", n: 3, metrics: madeTasks[0].metrics[:1]}).Tasks...)
	warnings, notes = check(run)
	if warnings != "" || !strings.Contains(notes, "attention was softmax and is softpick now") || !strings.Contains(notes, "task fresh: metric acc is not in the baseline") {
		t.Errorf("warnings %q, notes %q", warnings, notes)
	}

	run = madeSide(1, 0.6)
	run.Task("quiz").Documents[0].Values[0].Value = 1 - run.Task("quiz").Documents[0].Values[0].Value
	if warnings, _ = check(run); !strings.Contains(warnings, "that should not be") {
		t.Errorf("the same checkpoint with other results: warnings %q", warnings)
	}
}

// A share at its floor, or over too few documents, is named: it could not fail.
func TestBlindMetricIsNamed(t *testing.T) {
	for _, c := range []struct {
		n     int
		skill float64
		says  string
	}{{200, 0, "cannot regress"}, {5, 0.999, "can hardly regress"}, {400, 0.5, ""}} {
		run := madeSide(1, c.skill, madeTask{name: "quiz", n: c.n, metrics: madeTasks[0].metrics[:1]})
		r, err := Check(run, baselineOf(t, run, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, c.says) || c.says == "" && notes != "" {
			t.Errorf("%d documents, skill %v: notes %q", c.n, c.skill, notes)
		}
	}
}

// A setting that one side has empty and the other does not record is not a change, and
// no message says that something was what it is now.
func TestChangesDiffer(t *testing.T) {
	long := strings.Repeat("ab", 32)
	for _, c := range []struct {
		was, now map[string]string
		want     string
	}{
		{map[string]string{"chat_template": ""}, nil, ""},
		{nil, map[string]string{"chat_template": ""}, ""},
		{map[string]string{"chat_template": ""}, map[string]string{"chat_template": "empty"}, `chat_template was "" and is "empty" now`},
		{map[string]string{"version": "1"}, nil, "version was 1 and is not recorded now"},
		{map[string]string{"chat": long}, map[string]string{"chat": long[:62] + "cd"}, `chat was "` + long + `" and is "` + long[:62] + `cd" now`},
	} {
		if got := strings.Join(differing("", c.was, c.now), "; "); got != c.want {
			t.Errorf("%v, then %v: %q, want %q", c.was, c.now, got, c.want)
		}
	}
}

// The same right and wrong answers pass where they are known to be unchanged: by the
// hash of the answers, or of the baseline's checkpoint on another machine. Else so few
// documents do not show that nothing was lost, and a baseline without the hash is read.
func TestSameOutcomesPassOnlyUnchanged(t *testing.T) {
	one := madeTask{name: "quiz", n: 50, metrics: madeTasks[0].metrics[:1]}
	for _, c := range []struct {
		name       string
		answers    bool // equal to the bit
		checkpoint bool // the same
		hash       bool // in the baseline
		want       stats.Decision
	}{
		{"equal answers", true, false, true, stats.Pass},
		{"equal answers of a baseline before", true, false, false, stats.Inconclusive},
		{"another machine", false, true, true, stats.Pass},
		{"another machine, a baseline before", false, true, false, stats.Pass},
		{"another checkpoint", false, false, true, stats.Inconclusive},
	} {
		b := baselineOf(t, madeSide(1, 0.6, one), policyOf(t, "metrics: [{metric: quiz/acc, allowed_drop: 0.01}]"))
		if !c.hash {
			b.Tasks[0].Answers = ""
		}
		run := madeSide(1, 0.6, one)
		if !c.answers {
			for i := range run.Tasks[0].Documents {
				run.Tasks[0].Documents[i].Answer += " otherwise"
			}
		}
		if !c.checkpoint {
			run.MayDiffer["model_sha256"] = strings.Repeat("cd", 32)
		}
		r, err := Check(run, b, policyOf(t, "inconclusive: fail"))
		if err != nil {
			t.Fatal(err)
		}
		if m := r.Metrics[0]; r.Decision != c.want || r.Fails != (c.want != stats.Pass) || m.Unchanged != (c.want == stats.Pass) || m.Difference != 0 {
			t.Errorf("%s: %+v", c.name, m)
		}
	}
}

// A policy says which rule a regression has to meet, for all metrics or for one.
func TestRegressedPolicies(t *testing.T) {
	one := madeTask{name: "quiz", n: 1000, metrics: madeTasks[0].metrics[:1]}
	base := madeSide(1, 0.6, one)
	b := baselineOf(t, base, policyOf(t, "metrics: [{metric: quiz/acc, allowed_drop: 0.02}]"))
	run := madeSide(1, 0.6, one)
	run.MayDiffer["model_sha256"] = strings.Repeat("cd", 32)
	lost := 0
	for i := range run.Tasks[0].Documents { // a drop of .03, surely above 0 and not surely above .02
		d := &run.Tasks[0].Documents[i]
		if d.Answer += " otherwise"; d.Values[0].Value == 1 && lost < 30 {
			d.Values[0].Value = 0
			lost++
		}
	}
	for _, c := range []struct {
		lines []string
		want  stats.Decision
		word  string
	}{
		{nil, stats.Inconclusive, "inconclusive"},
		{[]string{"regressed: beyond-allowed"}, stats.Inconclusive, "inconclusive"},
		{[]string{"regressed: worse-at-all"}, stats.Regressed, "worse"},
		{[]string{"metrics: [{metric: 'quiz/*', regressed: worse-at-all}]"}, stats.Regressed, "worse"},
		{[]string{"regressed: worse-at-all", "metrics: [{metric: 'quiz/*', regressed: beyond-allowed}]"}, stats.Inconclusive, "inconclusive"},
	} {
		r, err := Check(run, b, policyOf(t, c.lines...))
		if err != nil {
			t.Fatal(err)
		}
		if m := r.Metrics[0]; r.Decision != c.want || m.Outcome() != c.word {
			t.Errorf("%q: %s, %+v", c.lines, m.Outcome(), m)
		}
	}
	for _, bad := range []string{"worse", "Beyond-Allowed", "yes"} {
		if _, err := ParsePolicy([]byte("version: 1\nregressed: "+bad+"\n"), "p.yaml"); err == nil || !strings.Contains(err.Error(), "want beyond-allowed") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// A run of which one perplexity is beyond a float64 is judged, and fails.
func TestOverflowRegresses(t *testing.T) {
	b := baselineOf(t, madeSide(1, 0.6), nil)
	run := madeSide(1, 0.6)
	for i := range run.Task("last").Documents {
		run.Task("last").Documents[i].Values[0].Value -= 2000
	}
	r, err := Check(run, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := r.find(t, "last", "perplexity"); m.Decision != stats.Regressed || !r.Fails {
		t.Errorf("%+v", m)
	}
	for _, write := range []func(io.Writer) error{r.WriteTable, r.WriteMarkdown, r.WriteJUnit, r.WriteAnnotations} {
		if text := render(t, write); strings.Contains(text, "Inf") || strings.Contains(text, "NaN") {
			t.Errorf("%s", text)
		}
	}
}
