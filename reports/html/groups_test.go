package html

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/lmeval"
	"github.com/softbench/softbench/reports/rundir"
)

// addAnswers gives a run generated answers to sums, of which those of documents that wrong holds are wrong.
func addAnswers(r *Run, docs int, wrong map[int]bool) {
	right := 0
	for d := range docs {
		sum := fmt.Sprint(2 * d)
		said := "Think <b>hard</b>: #### " + sum
		if wrong[d] {
			said = "I do not know."
		}
		score, taken := 0.0, "[invalid]"
		if !wrong[d] {
			score, taken, right = 1, sum, right+1
		}
		r.Samples = append(r.Samples, rundir.Sample{Task: "sums", Kind: "generate_until", DocID: int32(d), DocHash: hash("sums", d), Context: p(fmt.Sprintf("What is %d and %d?", d, d)),
			Generated: p(said), Ended: p("stop"), Targets: []string{sum}, Filters: []string{"strict-match"}, Filtered: []string{taken}, Metrics: []string{"exact_match,strict-match"}, Scores: []float64{score}})
	}
	r.Manifest.Tasks = append(r.Manifest.Tasks, rundir.TaskResult{Name: "sums", Kind: "generate_until", Documents: docs, Metrics: []rundir.Metric{proportion("exact_match,strict-match", right, docs)}})
}

// groupedRuns are two runs with a group of two tasks within another, and answers that flip.
func groupedRuns(t testing.TB) Page {
	a, b := madeRun("old", 1, 60, 0), madeRun("new", 2, 60, 0.06)
	addAnswers(&a, 12, map[int]bool{3: true, 4: true})
	addAnswers(&b, 12, map[int]bool{4: true, 7: true})
	for _, r := range []*Run{&a, &b} {
		of := func(name string, weighted bool, tasks ...string) rundir.GroupResult {
			sum, n := 0.0, 0
			for _, task := range r.Manifest.Tasks {
				for _, name := range tasks {
					if task.Name == name {
						sum, n = sum+float64(task.Metrics[0].Value)*float64(task.Metrics[0].N), n+task.Metrics[0].N
					}
				}
			}
			m := proportion("acc", int(sum+.5), n)
			return rundir.GroupResult{Name: name, Members: tasks, Tasks: tasks, Metrics: []rundir.GroupMetric{{Metric: m, Weighted: weighted, Tasks: len(tasks)}}}
		}
		r.Manifest.Groups = []rundir.GroupResult{of("all <i>three</i>", true, "arc_easy", "hellaswag", "piqa"), of("two", true, "arc_easy", "hellaswag")}
	}
	return Page{Runs: []Run{a, b}, Comparison: compared(t, a, b), Softbench: "test"}
}

// TestGroupsAreFolded: a group has a row with its aggregate and interval, its tasks are folded below the innermost group that has
// them and stand nowhere else, and its difference is above the tasks'; every number is in the page's JSON.
func TestGroupsAreFolded(t *testing.T) {
	two := groupedRuns(t)
	for name, p := range map[string]Page{"one": {Runs: two.Runs[:1], Softbench: "test"}, "two": two} {
		page := write(t, p)
		if _, faults := checkNumbers(page); len(faults) > 0 {
			t.Errorf("%s: %s", name, faults[0])
		}
		_, scores, _ := strings.Cut(page, `<section id="scores"`)
		scores, _, _ = strings.Cut(scores, "</section>")
		if strings.Contains(scores, "<i>three") {
			t.Errorf("%s: a group's name is markup", name)
		}
		folds := strings.Split(scores, "<details>")
		if len(folds) != 3 {
			t.Fatalf("%s: %d folds in the scores", name, len(folds)-1)
		}
		for task, fold := range map[string]int{"piqa": 1, "arc_easy": 2, "hellaswag": 2, "lambada_openai": 2} {
			body, rest, _ := strings.Cut(folds[fold], "</details>")
			if task == "lambada_openai" { // in no group
				body = rest
			}
			row := `<th scope="row" class="roomy"><span>` + task + "</span>"
			if n := strings.Count(scores, row); n != 1 || !strings.Contains(body, row) {
				t.Errorf("%s: %s has %d rows, or stands elsewhere", name, task, n)
			}
		}
		if !strings.Contains(folds[0], "all &lt;i&gt;three&lt;/i&gt;") || !strings.Contains(folds[0], `<span>two</span>`) {
			t.Errorf("%s: the groups have no rows", name)
		}
		if name == "two" {
			_, differences, _ := strings.Cut(page, `<section id="differences"`)
			at, fold := strings.Index(differences, "group-differences-c"), strings.Index(differences, "<details><summary>Tasks</summary>")
			if at < 0 || fold < at {
				t.Error("the groups' differences do not stand above the folded tasks")
			}
		}
	}
}

// TestAnswersFlip: generated answers that one run got right and the other wrong are among the flips, with what was written, what
// the filter took and what is right.
func TestAnswersFlip(t *testing.T) {
	two := groupedRuns(t)
	var mine []Flip
	flips := findFlips(two.Runs[0].Samples, two.Runs[1].Samples, roomForFlips(2))
	for _, f := range flips.Shown {
		if f.Task == "sums" {
			mine = append(mine, f)
		}
	}
	const name = "exact_match,strict-match"
	if len(mine) != 2 || mine[0].DocID != 3 || mine[0].Changes[name] != "better" || mine[1].DocID != 7 || mine[1].Changes[name] != "worse" {
		t.Fatalf("flips %+v", mine)
	}
	o := mine[0].Options[0]
	if o.A.Generated != "I do not know." || o.B.Generated != "Think <b>hard</b>: #### 6" || o.A.Taken[0] != (Taken{"strict-match", "[invalid]"}) || o.B.Taken[0].Text != "6" || mine[0].Targets[0] != "6" {
		t.Errorf("%+v", mine[0])
	}
	if flips.Metrics[len(flips.Metrics)-1] != name {
		t.Errorf("metrics %q", flips.Metrics)
	}
}

// TestAnswersInTheBrowser: the page lists them as text.
func TestAnswersInTheBrowser(t *testing.T) {
	b := open(t, openBrowser(t), write(t, groupedRuns(t)), 1200, "light")
	b.choose("f-task", "sums")
	said := eval[string](b, `document.getElementById("flip-list").innerText`)
	for _, want := range []string{"Think <b>hard</b>: #### 6", "I do not know.", "strict-match took", "[invalid]", "What is 3 and 3?"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not among %q", want, said)
		}
	}
	b.quiet()
}

// importedGrouped is a run of groupedRuns as results of lm-evaluation-harness have it, read again.
func importedGrouped(t testing.TB, r Run) Run {
	dir, err := lmeval.Write(t.TempDir(), "m", r.Manifest, r.Samples, nil)
	if err != nil {
		t.Fatal(err)
	}
	side, err := compare.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return Run{Name: "imported", Samples: side.Answers, Stated: &Stated{Format: side.Format, Path: side.Path, Tasks: side.Results(), Groups: side.GroupResults()}}
}

// TestImportedGroupsAreFolded: groups of the harness's results have the rows that the run's own have, and answers that one got right
// and the other wrong are among the flips, whichever of the two is imported.
func TestImportedGroupsAreFolded(t *testing.T) {
	two := groupedRuns(t)
	imported := importedGrouped(t, two.Runs[1])
	rows := func(p Page) (out []string) {
		page := write(t, p)
		if _, faults := checkNumbers(page); len(faults) > 0 {
			t.Error(faults[0])
		}
		_, scores, _ := strings.Cut(page, `aria-labelledby="groups-c"`)
		scores, _, _ = strings.Cut(scores, "</table>")
		for _, m := range regexp.MustCompile(`<data[^>]*>([^<]*)</data>`).FindAllStringSubmatch(scores, -1) {
			out = append(out, m[1])
		}
		if strings.Count(page, "<details>") < 3 {
			t.Error("the tasks are not folded")
		}
		return out
	}
	mine, theirs := rows(Page{Runs: two.Runs[1:], Softbench: "test"}), rows(Page{Runs: []Run{imported}, Softbench: "test"})
	if len(mine) != 2*7 || !slices.Equal(mine, theirs) {
		t.Errorf("the run's groups %q, the imported ones %q", mine, theirs)
	}
	want := findFlips(two.Runs[0].Samples, two.Runs[1].Samples, roomForFlips(2))
	got := findFlips(two.Runs[0].Samples, imported.Samples, roomForFlips(2))
	if got == nil || got.Total != 2 {
		t.Fatalf("flips %+v", got)
	}
	for i, f := range got.Shown {
		k := slices.IndexFunc(want.Shown, func(w Flip) bool { return w.Task == "sums" && w.DocID == f.DocID })
		if k < 0 || !maps.Equal(want.Shown[k].Changes, f.Changes) || !slices.Equal(want.Shown[k].Options[0].B.Taken, f.Options[0].B.Taken) || want.Shown[k].Options[0].B.Generated != f.Options[0].B.Generated {
			t.Errorf("flip %d: %+v", i, f)
		}
	}
}

// TestAnswersAreShown: a page of one run, its own or imported, shows the first generated answers of each task, with what every filter took.
func TestAnswersAreShown(t *testing.T) {
	run := groupedRuns(t).Runs[0]
	imported := importedGrouped(t, run)
	for name, p := range map[string]Page{"own": {Runs: []Run{run}, Softbench: "test"}, "imported": {Runs: []Run{imported}, Softbench: "test"}} {
		page := write(t, p)
		if _, faults := checkNumbers(page); len(faults) > 0 {
			t.Errorf("%s: %s", name, faults[0])
		}
		_, answers, _ := strings.Cut(page, `<section id="answers"`)
		answers, _, _ = strings.Cut(answers, "</section>")
		for _, want := range []string{"What is 2 and 2?", "Think &lt;b&gt;hard&lt;/b&gt;: #### 4", `Taken by <span class="name">strict-match</span></th><td class="l wrap name">4</td>`, "exact_match,strict-match"} {
			if strings.Count(answers, want) < 1 {
				t.Errorf("%s: the answers do not say %q", name, want)
			}
		}
		if n := strings.Count(answers, "<h3>"); n != answersOfTask {
			t.Errorf("%s: %d answers", name, n)
		}
	}
	if page := write(t, groupedRuns(t)); strings.Contains(page, `<section id="answers"`) {
		t.Error("a page of two runs shows answers beside its flips")
	}
	long := []rundir.Sample{{Task: "long", Kind: "generate_until", Generated: p(strings.Repeat("é", maxText)), Context: p("q")}}
	if a := firstAnswers(long); len(a) != 1 || !a[0].Cut || len(a[0].Text) > maxText+len("…") {
		t.Errorf("a long answer is not cut: %d bytes", len(a[0].Text))
	}
}
