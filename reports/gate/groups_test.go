package gate

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
)

// subjects are tasks of one metric each, of so many documents.
func subjects(n ...int) (out []madeTask) {
	for i, k := range n {
		out = append(out, madeTask{name: "subject_" + string(rune('a'+i)), n: k, metrics: []compare.MetricInfo{{Name: "acc", Formula: compare.Mean, HigherIsBetter: true}}})
	}
	return out
}

func groupedSide(seed uint64, skill float64, weighted bool, n ...int) *compare.Side {
	s := madeSide(seed, skill, subjects(n...)...)
	g := compare.Group{Name: "subjects", Metrics: []compare.GroupMetric{{Name: "acc", HigherIsBetter: true, Weighted: weighted}}}
	for _, t := range s.Tasks {
		g.Tasks = append(g.Tasks, t.Name)
	}
	s.Groups = []compare.Group{g}
	return s
}

// A group's decision is that of one task with all its documents; of one that counts tasks the same, of
// the mean of their means.
func TestGroupsAreJudged(t *testing.T) {
	for _, weighted := range []bool{true, false} {
		before, after := groupedSide(1, .8, weighted, 30, 50, 70), groupedSide(2, .5, weighted, 30, 50, 70)
		r, err := Check(after, baselineOf(t, before, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		m := r.find(t, "subjects", "acc")
		if m.Tasks != 3 || m.N != 150 || m.Decision != "regressed" || !m.Fails {
			t.Errorf("weighted %v: %+v", weighted, m)
		}
		mean := func(s *compare.Side) float64 {
			sum, of := 0.0, 0.0
			for i := range s.Tasks {
				n := 1.0
				if weighted {
					n = float64(len(s.Tasks[i].Documents))
				}
				sum, of = sum+n*s.Tasks[i].Aggregate(0), of+n
			}
			return sum / of
		}
		if a, b := mean(before), mean(after); math.Abs(float64(m.Baseline)-a) > 1e-12 || math.Abs(float64(m.Run)-b) > 1e-12 {
			t.Errorf("weighted %v: %v and %v, want %v and %v", weighted, m.Baseline, m.Run, a, b)
		}
		if !weighted {
			continue
		}
		one := madeSide(1, .8, subjects(0)...)
		two := madeSide(2, .5, subjects(0)...)
		for i := range before.Tasks {
			one.Tasks[0].Documents = append(one.Tasks[0].Documents, before.Tasks[i].Documents...)
			two.Tasks[0].Documents = append(two.Tasks[0].Documents, after.Tasks[i].Documents...)
		}
		whole, err := Check(two, baselineOf(t, one, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		w := whole.find(t, "subject_a", "acc")
		if w.Low != m.Low || w.High != m.High || w.Decision != m.Decision {
			t.Errorf("the group has [%v, %v], one task of the same documents [%v, %v]", m.Low, m.High, w.Low, w.High)
		}
	}
}

// The group alone can be required, and be the one that decides.
func TestPolicyOfGroups(t *testing.T) {
	before, after := groupedSide(1, .8, true, 40, 40, 40), groupedSide(2, .5, true, 40, 40, 40)
	p := policyOf(t, "metrics:", "  - {metric: 'subject_*/*', required: false}", "  - {metric: subjects/acc, allowed_drop: 0.5}")
	b := baselineOf(t, before, p)
	r, err := Check(after, b, p)
	if err != nil {
		t.Fatal(err)
	}
	if m := r.find(t, "subjects", "acc"); m.AllowedDrop != .5 || r.Counts != (Counts{Pass: 1}) {
		t.Errorf("%+v of %+v", r.Counts, m)
	}
	// A task that is not the baseline's makes the group unfit, though it is not required by itself.
	after.Tasks = after.Tasks[:2]
	var unfit *Unfit
	if _, err := Check(after, b, p); !errors.As(err, &unfit) || !slices.Contains(unfit.Reasons, "group subjects: metric acc: task subject_c is missing in the run") {
		t.Errorf("a group without one of its tasks: %v", err)
	}
	// Where all share the chance of a false alarm, the group is among them.
	all := policyOf(t, "error_rate: all")
	r, err = Check(groupedSide(2, .5, true, 40, 40, 40), baselineOf(t, before, nil), all)
	if err != nil || r.Joint.Metrics != 4 || !slices.Contains(r.Joint.Regressed, "subjects acc") {
		t.Errorf("jointly: %+v, %v", r.Joint, err)
	}
}

// Documents in quarantine leave their task's part in the group to its others.
func TestQuarantineInGroups(t *testing.T) {
	before, after := groupedSide(1, .8, false, 4, 40), groupedSide(1, .8, false, 4, 40)
	r, err := Check(after, baselineOf(t, before, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	m := r.find(t, "subjects", "acc")
	out := quarantined{hashes: map[string]bool{before.Tasks[0].Documents[0].Keys[0]: true}}
	b := baselineOf(t, before, nil)
	q, why, err := b.judgeGroup(after, &b.Groups[0], 0, nil, false, out, 1)
	if err != nil || why != "" {
		t.Fatal(why, err)
	}
	want := 0.0
	for _, d := range before.Tasks[0].Documents[1:] {
		want += d.Values[0].Value / 3 / 2
	}
	want += before.Tasks[1].Aggregate(0) / 2
	if q.N != m.N-1 || math.Abs(float64(q.Baseline)-want) > 1e-12 {
		t.Errorf("%d documents and %v, want %d and %v", q.N, q.Baseline, m.N-1, want)
	}
}

// A baseline's groups are read back as they were, and refused where they were edited.
func TestBaselineGroupsOnDisk(t *testing.T) {
	b := baselineOf(t, groupedSide(1, .8, false, 30, 50), nil)
	if len(b.Groups) != 1 || b.Groups[0].Metrics[0].AllowedDrop != .01 {
		t.Fatalf("groups %+v", b.Groups)
	}
	text, err := b.encode()
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"weighted": false`:                     `"weighted": true`,
		`"name": "subjects"`:                    `"name": "subject_a"`,
		"    \"subject_a\",\n    \"subject_b\"": "    \"subject_a\",\n    \"subject_a\"",
	} {
		edited := strings.Replace(string(text), from, to, 1)
		if edited == string(text) {
			t.Fatalf("%s is not in the file", from)
		}
		if _, err := Parse([]byte(edited)); err == nil {
			t.Errorf("%s for %s is read", to, from)
		}
	}
	at := strings.LastIndex(string(text), `"allowed_drop": 0.01`)
	edited := string(text[:at]) + `"allowed_drop": 0.02` + string(text[at+len(`"allowed_drop": 0.01`):])
	if e, err := Parse([]byte(edited)); err != nil || e.Groups[0].Metrics[0].AllowedDrop != .02 {
		t.Errorf("the allowed drop of a group cannot be edited: %v", err)
	}
}
