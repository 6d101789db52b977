package html

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

func TestCourse(t *testing.T) {
	for _, c := range []struct {
		paths string
		want  string // series and steps; "" where the runs are not a course
	}{
		{"step-50 step-200 step-1000", "step-*:50 step-*:200 step-*:1000"},
		{"a/step_10 a/step_20 a/step_30 b/step_10 b/step_20/", "a/step_*:10 a/step_*:20 a/step_*:30 b/step_*:10 b/step_*:20"},
		{"m2-global_step100-hf m2-global_step200-hf m2-global_step300-hf", "m2-global_step*-hf:100 m2-global_step*-hf:200 m2-global_step*-hf:300"},
		{"./1 2 3", "*:1 *:2 *:3"},
		{"step-0 step-1 step-1", ""},          // the same twice
		{"step-1 step-2 final", ""},           // one without a step
		{"llama-7b qwen2-72b gemma-9b", ""},   // three models
		{"step-1 step-2", ""},                 // two are compared
		{"v1/best v2/best v3/best", ""},       // the number is not in the name
		{"step-12345678901234567890 a b", ""}, // not a number that counts anything
	} {
		paths := strings.Fields(c.paths)
		places, ok := Course(paths, make([]*rundir.Run, len(paths)))
		var got []string
		for _, p := range places {
			got = append(got, fmt.Sprintf("%s:%v", p.Series, p.Step))
		}
		if ok != (c.want != "") || ok && strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, %q; want %q", c.paths, ok, got, c.want)
		}
	}
}

// Where the runs' paths say no step, their models' revisions do, or the models' directories; a
// number of which nothing says that it is a step makes no course.
func TestCourseOfModels(t *testing.T) {
	run := func(model, revision, directory string) *rundir.Run {
		return &rundir.Run{Process: rundir.Process{Arguments: map[string]string{"model": model, "revision": revision}, Directory: directory}}
	}
	paths := []string{"late", "early", "middle"}
	for name, c := range map[string]struct {
		runs []*rundir.Run
		want string
	}{
		"revisions behind @": {[]*rundir.Run{run("org/x@step1000", "", "s/9"), run("org/x@step1", "", "s/8"), run("org/x@step10", "", "s/7")}, "org/x@step*:1000:revision org/x@step*:1:revision org/x@step*:10:revision"},
		"the flag":           {[]*rundir.Run{run("org/x", "step_300", ""), run("org/x", "step_100", ""), run("org/x", "step_200", "")}, "org/x@step_*:300:revision org/x@step_*:100:revision org/x@step_*:200:revision"},
		"directories":        {[]*rundir.Run{run("c", "", "c/checkpoint-30"), run("c", "", "c/checkpoint-10"), run("c", "", "c/checkpoint-20")}, "c/checkpoint-*:30:model_directory c/checkpoint-*:10:model_directory c/checkpoint-*:20:model_directory"},
		"three models":       {[]*rundir.Run{run("a", "", "m/pythia-70m"), run("b", "", "m/pythia-160m"), run("c", "", "m/pythia-410m")}, ""},
		"one model, thrice":  {[]*rundir.Run{run("a", "", "m/step-5"), run("a", "", "m/step-5"), run("a", "", "m/step-5")}, ""},
		"one of another":     {[]*rundir.Run{run("c", "", "c/step-30"), nil, run("c", "", "c/step-20")}, ""},
	} {
		places, ok := Course(paths, c.runs)
		var got []string
		for _, p := range places {
			got = append(got, fmt.Sprintf("%s:%v:%s", p.Series, p.Step, p.From))
		}
		if ok != (c.want != "") || ok && strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, %q; want %q", name, ok, got, c.want)
		}
	}
	p := courseOfRuns(paths...)
	for i, place := range []Place{{"org/x@step*", 1000, "revision"}, {"org/x@step*", 1, "revision"}, {"org/x@step*", 10, "revision"}} {
		p.Runs[i].Place = &place
	}
	if page := write(t, p); !strings.Contains(page, "by its step: the last number in its model&#39;s revision.") {
		t.Error("the page does not say where the steps stand")
	}
}

// courseOfRuns is a page about two trainings of four checkpoints each.
func courseOfRuns(paths ...string) Page {
	var p Page
	places, _ := Course(paths, make([]*rundir.Run, len(paths)))
	for i, path := range paths {
		r := madeRun(path, uint64(i+1), 60, 0.02*float64(i%4))
		addDiagnostics(&r, 3, i > 3)
		if places != nil {
			r.Place = &places[i]
		}
		p.Runs = append(p.Runs, r)
	}
	p.NotCompared = "eight runs"
	return p
}

// TestScoresOverTheSteps: a line for each training with its band, at the steps' places,
// of scores and diagnostics; runs that are not a course are dots that nothing joins.
func TestScoresOverTheSteps(t *testing.T) {
	page := write(t, courseOfRuns("a/step-10", "a/step-100", "a/step-1000", "a/step-10000", "b/step-10", "b/step-100", "b/step-1000", "b/step-10000"))
	_, faults := checkNumbers(page)
	for _, f := range faults {
		if !strings.Contains(f, "/step-1") { // the runs' own names
			t.Error(f)
		}
	}
	figures := regexp.MustCompile(`(?s)<figure id="(course|steps)-[^"]*".*?</figure>`).FindAllString(page, -1)
	if len(figures) < 12 {
		t.Fatalf("%d figures over the steps", len(figures))
	}
	names := regexp.MustCompile(`(?s)<figcaption[^>]*>(.*?)</figcaption>`)
	var captions []string
	for _, f := range figures {
		captions = append(captions, names.FindStringSubmatch(f)[1])
		for _, want := range []string{">10</text>", ">" + text.Count(10000) + "</text>", ">step, log axis</text>", "a/step-*", "b/step-*"} {
			if !strings.Contains(f, want) {
				t.Errorf("a figure lacks %s: %.300s", want, f)
			}
		}
		for _, run := range []string{"stroke-run0", "stroke-run1"} {
			line := regexp.MustCompile(`<path d="([^"]*)" class="` + run + `"`).FindStringSubmatch(f)
			if line == nil || strings.Count(line[1], "L")+strings.Count(line[1], "H") != 3 || strings.Count(line[1], "M") != 1 {
				t.Errorf("not one line through four points: %v", line)
			}
		}
	}
	if !slices.ContainsFunc(captions, func(s string) bool { return strings.Contains(s, "Sink rate") }) || !strings.Contains(page, "Scores over the steps") {
		t.Errorf("the captions are %q", captions)
	}

	page = write(t, courseOfRuns("llama-7b", "qwen2-72b", "gemma-9b"))
	figures = regexp.MustCompile(`(?s)<figure id="course-[^"]*".*?</figure>`).FindAllString(page, -1)
	if len(figures) == 0 {
		t.Fatal("no figures over the runs")
	}
	for _, f := range figures {
		if line := regexp.MustCompile(`<path d="[^"]*L[^"]*" class="stroke-run0" fill="none" stroke-width="1.75"`).FindString(f); line != "" {
			t.Errorf("a line joins models: %s", line)
		}
	}
}
