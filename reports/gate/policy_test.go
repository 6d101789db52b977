package gate

import (
	"strings"
	"testing"

	"github.com/softbench/softbench/stats"
)

// Rules add up, the later one first; what no rule says is the baseline's or the
// default.
func TestPolicyRules(t *testing.T) {
	p := policyOf(t, "inconclusive: fail", "metrics:",
		"- {metric: '*/*', allowed_drop: 5%, level: 0.9}",
		"- {metric: 'quiz/*', allowed_drop: 0.02, inconclusive: pass}",
		"- {metric: quiz/acc_norm, required: false}",
		"- {metric: 'arc_*/acc', direction: lower, level: 0.99}")
	for _, c := range []struct {
		task, metric string
		allowed      float64 // of a value of 20
		confidence   float64
		required     bool
		fails        bool // inconclusive fails
	}{
		{"wikitext", "word_perplexity", 1, 0.9, true, true},
		{"quiz", "acc", 0.02, 0.9, true, false},
		{"quiz", "acc_norm", 0.02, 0.9, false, false},
		{"arc_easy", "acc", 1, 0.99, true, true},
	} {
		r := p.rule(c.task, c.metric)
		if got := p.allowed(c.task, c.metric, 20, 7); got != c.allowed || r.Confidence != c.confidence || p.required(c.task, c.metric) != c.required || p.failsInconclusive(r) != c.fails {
			t.Errorf("%s/%s: allowed %v, %+v", c.task, c.metric, got, r)
		}
	}
	if r := p.rule("arc_easy", "acc"); r.HigherIsBetter == nil || *r.HigherIsBetter {
		t.Errorf("direction: %+v", r)
	}
	if got := p.allowed("x", "y", -20, 7); got != 1 {
		t.Errorf("5%% of -20: %v", got)
	}
	var none *Policy
	if none.allowed("x", "y", 20, 7) != 7 || !none.required("x", "y") || none.failsInconclusive(none.rule("x", "y")) {
		t.Error("no policy says something")
	}
}

// A policy changes decisions: what is allowed, how sure to be, which way is better,
// and whether a metric counts.
func TestPolicyChangesDecisions(t *testing.T) {
	base, worse := madeSide(1, 0.9), madeSide(2, 0.4)
	b := baselineOf(t, base, nil)
	check := func(lines ...string) *Result {
		t.Helper()
		r, err := Check(worse, b, policyOf(t, lines...))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := check()
	if m := r.find(t, "quiz", "acc"); m.Decision != stats.Regressed || !m.Fails || r.Decision != stats.Regressed || !r.Fails {
		t.Fatalf("much worse: %+v", r)
	}
	if m := check("metrics: [{metric: quiz/acc, allowed_drop: 0.9}]").find(t, "quiz", "acc"); m.Decision != stats.Pass {
		t.Errorf("with 0.9 allowed: %+v", m)
	}
	if m := check("metrics: [{metric: quiz/acc, direction: lower}]").find(t, "quiz", "acc"); m.Decision != stats.Pass || m.Drop >= 0 || *m.Better <= *m.Worse {
		t.Errorf("where lower is better: %+v", m)
	}
	wide, narrow := check("metrics: [{metric: quiz/acc, level: 0.999}]").find(t, "quiz", "acc"), check("metrics: [{metric: quiz/acc, level: 0.8}]").find(t, "quiz", "acc")
	if !(wide.High-wide.Low > narrow.High-narrow.Low) || wide.Confidence != 99.9 || narrow.Confidence != 80 {
		t.Errorf("levels 0.999 and 0.8: %+v, %+v", wide, narrow)
	}
	r = check("metrics: [{metric: '*/*', required: false}, {metric: passkey/acc, required: true, allowed_drop: 1}]")
	if r.Fails || r.Decision != stats.Pass || r.Counts != (Counts{Pass: 1}) || r.find(t, "quiz", "acc").Decision != stats.Regressed {
		t.Errorf("only one required: %+v", r)
	}
	// With nothing required, nothing could fail.
	if _, err := Check(worse, b, policyOf(t, "metrics: [{metric: '*/*', required: false}]")); err == nil || !strings.Contains(err.Error(), "could not fail") {
		t.Errorf("nothing required: error %v", err)
	}
	// A task of which nothing is required may be missing, or have changed.
	less := madeSide(2, 0.4)
	less.Tasks = less.Tasks[1:]
	less.Tasks[0].MustMatch["fewshot"] = "5"
	optional := []string{"metrics:", "- {metric: quiz/*, required: false}", "- {metric: last/*, required: false}"}
	r, err := Check(less, b, policyOf(t, optional...))
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, "task quiz is missing") || !strings.Contains(notes, "task last: fewshot was 0 and is 5 now; not judged") {
		t.Errorf("notes %q", notes)
	}
	if _, err := Check(less, b, policyOf(t, optional[:2]...)); err == nil || strings.Contains(err.Error(), "quiz") {
		t.Errorf("a required task that changed: error %v", err)
	}
	// A setting that may differ.
	other := madeSide(1, 0.9)
	other.MayDiffer["dtype"] = "bfloat16"
	if r, err := Check(other, b, policyOf(t, "may_differ: [dtype]")); err != nil || r.Decision != stats.Pass {
		t.Errorf("another dtype, released: %+v, %v", r, err)
	}
	// Inconclusive fails where the policy says so, in all or for one metric.
	quiz := madeTask{name: "quiz", n: 60, metrics: madeTasks[0].metrics[:1]}
	b = baselineOf(t, madeSide(1, 0.9, quiz), nil)
	near := madeSide(3, 0.9, quiz)
	for _, c := range []struct {
		lines []string
		fails bool
	}{
		{nil, false}, {[]string{"inconclusive: pass"}, false}, {[]string{"inconclusive: fail"}, true},
		{[]string{"metrics: [{metric: quiz/acc, inconclusive: fail}]"}, true},
		{[]string{"inconclusive: fail", "metrics: [{metric: '*/*', inconclusive: pass}]"}, false},
	} {
		r, err := Check(near, b, policyOf(t, c.lines...))
		if err != nil {
			t.Fatal(err)
		}
		if m := r.find(t, "quiz", "acc"); m.Decision != stats.Inconclusive || m.Needed <= m.N || r.Decision != stats.Inconclusive || r.Fails != c.fails {
			t.Errorf("%v: %s, fails %v, %+v", c.lines, r.Decision, r.Fails, m)
		}
	}
}

// A policy with a mistake is refused, in one line that names the file and the
// mistake.
func TestBadPolicies(t *testing.T) {
	for text, says := range map[string]string{
		"":                                    "p.yaml: the file is empty",
		"metrics: []":                         "version 0: want version: 1",
		"version: 2":                          "version 2: want version: 1",
		"version: 1.5":                        "p.yaml:1:10: 1.5 stands where a whole number",
		"version: 1\nmetric: []":              `unknown field "metric"`,
		"version: 1\nversion: 1":              "p.yaml:2:1",
		"version: 1\n---\nversion: 1":         "second YAML document",
		"version: 1\ninconclusive: maybe":     `inconclusive: "maybe": want pass or fail`,
		"version: 1\nmay_differ: [tokenizer]": `may_differ: "tokenizer": want one of dtype`,
		"version: 1\nmetrics: [{allowed_drop: 1}]":                        "entry 1: no metric: want metric: task/metric",
		"version: 1\nmetrics: [{metric: acc}]":                            `metric: "acc": want task/metric`,
		"version: 1\nmetrics: [{metric: /acc}]":                           `metric: "/acc": want task/metric`,
		"version: 1\nmetrics: [{metric: 'a/['}]":                          `metric: "a/[": want task/metric`,
		"version: 1\nmetrics: [{metric: a/b, allowed_drop: -1}]":          `allowed_drop: "-1": want a number of at least 0`,
		"version: 1\nmetrics: [{metric: a/b, allowed_drop: .nan}]":        `allowed_drop: "NaN"`,
		"version: 1\nmetrics: [{metric: a/b, allowed_drop: .inf}]":        `allowed_drop: "+Inf"`,
		"version: 1\nmetrics: [{metric: a/b, allowed_drop: true}]":        `allowed_drop: "true"`,
		"version: 1\nmetrics: [{metric: a/b, allowed_drop: '1'}]":         `allowed_drop: "1"`,
		"version: 1\nmetrics: [{metric: a/b, allowed_drop: x%}]":          `allowed_drop: "x%"`,
		"version: 1\nmetrics: [{metric: a/b, allowed_drop: nan%}]":        `allowed_drop: "nan%"`,
		"version: 1\nmetrics: [{metric: a/b, allowed_drop: -1%}]":         `allowed_drop: "-1%"`,
		"version: 1\nmetrics: [{metric: a/b, allowed_drop: [1]}]":         `allowed_drop: "[1]"`,
		"version: 1\nmetrics: [{metric: a/b, allowed_drop: {a: 1}}]":      `allowed_drop: "map[a:1]"`,
		"version: 1\nmetrics: [{metric: a/b, direction: up}]":             `direction: "up": want higher or lower`,
		"version: 1\nmetrics: [{metric: a/b, level: 0.05}]":               "level: 0.05: want the confidence of the interval",
		"version: 1\nmetrics: [{metric: a/b, level: .nan}]":               "level: NaN",
		"version: 1\nmetrics: [{metric: a/b, level: 95}]":                 "level: 95",
		"version: 1\nmetrics: [{metric: a/b, required: 3}]":               "p.yaml:2:",
		"version: 1\nmetrics: [{metric: a/b, inconclusive: no}]":          `want pass or fail`,
		"version: 1\nmetrics: [{metric: a/b}, {metric: c/d, alowed: 1}]":  `unknown field "alowed"`,
		"version: 1\nmetrics: [{metric: a/b}, {metric: c/d, level: 0.1}]": "entry 2: level",
		"version: 1\nmetrics: 3":                                          "p.yaml:2:",
	} {
		p, err := ParsePolicy([]byte(text), "p.yaml")
		if err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), "p.yaml") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %+v, error %v; want one that says %q", text, p, err, says)
		}
	}
}

// A rule that matches nothing is refused: it may be a misspelt one.
func TestUnusedRule(t *testing.T) {
	run := madeSide(1, 0.6)
	_, err := Check(run, baselineOf(t, run, nil), policyOf(t, "metrics: [{metric: quiz/acc_nrom, allowed_drop: 0.1}]"))
	if err == nil || !strings.Contains(err.Error(), `the policy's rule for "quiz/acc_nrom" matches no metric of the baseline, did you mean quiz/acc or quiz/acc_norm?`) {
		t.Errorf("error %v", err)
	}
}

// FuzzPolicy: no text makes the reader fail otherwise than by an error of one line,
// and what it accepts has sound numbers.
func FuzzPolicy(f *testing.F) {
	f.Add([]byte("version: 1\ninconclusive: fail\nmay_differ: [dtype]\nmetrics:\n- {metric: '*/*', allowed_drop: 5%, level: 0.9}\n- metric: quiz/acc\n  required: false\n  direction: lower\n  allowed_drop: 0.02\n  inconclusive: pass\n"))
	f.Add([]byte("version: 1\nmetrics: [{metric: a/b, allowed_drop: &x [*x]}]"))
	f.Add([]byte("version: 1\nmetrics: [{metric: '[/]', allowed_drop: 0x1p-2%}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePolicy(text, "p.yaml")
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("an error of several lines: %q", err)
			}
			return
		}
		for _, r := range p.Rules {
			if r.Drop != nil && !(*r.Drop >= 0 && finite(*r.Drop)) || r.Confidence != 0 && !(r.Confidence >= 0.5 && r.Confidence < 1) {
				t.Fatalf("%+v", r)
			}
		}
		if d := p.allowed("quiz", "acc", 0.5, 0.01); !(d >= 0 && finite(d)) {
			t.Fatalf("%v allowed", d)
		}
	})
}
