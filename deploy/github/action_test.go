//go:build unix

// Package github holds the action to what a runner makes of it: its steps' shell is run
// here, with the variables and files that a runner gives.
package github

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

type step struct {
	Name, ID, If, Uses, Shell, Run string
	Env, With                      map[string]string
}

type action struct {
	Name, Description string
	Inputs            map[string]struct {
		Description, Default string
		Required             bool
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

func read(t *testing.T) action {
	b, err := os.ReadFile("action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.UnmarshalWithOptions(b, &a, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return a
}

var expression = regexp.MustCompile(`\$\{\{ *([a-z_.-]+) *\}\}`)

// TestInputs: every input is used, every expression names something that there is, and
// none stands within a shell's text, where its value would be read as commands.
func TestInputs(t *testing.T) {
	a := read(t)
	known := []string{"github.token", "github.event.pull_request.number", "runner.os", "runner.arch"}
	for name := range a.Inputs {
		known = append(known, "inputs."+name)
	}
	all, err := os.ReadFile("action.yml")
	if err != nil {
		t.Fatal(err)
	}
	for name := range a.Inputs {
		if !bytes.Contains(all, []byte("inputs."+name)) {
			t.Errorf("the input %s is not used", name)
		}
	}
	for _, s := range a.Runs.Steps {
		if s.Run != "" && (s.Shell != "bash" || strings.Contains(s.Run, "${{")) {
			t.Errorf("step %q: shell %q, or an expression within its text", s.Name, s.Shell)
		}
		if s.ID != "" {
			for _, output := range []string{"out", "key", "hub", "code", "cache-hit"} {
				known = append(known, "steps."+s.ID+".outputs."+output)
			}
		}
	}
	for _, m := range expression.FindAllSubmatch(all, -1) {
		if !slices.Contains(known, string(m[1])) {
			t.Errorf("nothing gives ${{ %s }} a value", m[1])
		}
	}
}

// TestDocumented: docs/ci.md gives the action what it takes, and all that it needs.
func TestDocumented(t *testing.T) {
	a := read(t)
	docs, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	uses := 0
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)\n```").FindAllSubmatch(docs, -1) {
		var workflow struct {
			Jobs map[string]struct{ Steps []step }
		}
		if yaml.Unmarshal(block[1], &workflow) != nil {
			continue // a suite, a policy, another's pipeline
		}
		for _, job := range workflow.Jobs {
			for _, s := range job.Steps {
				if !strings.HasPrefix(s.Uses, "softbench/softbench/deploy/github@") {
					continue
				}
				uses++
				for name := range s.With {
					if _, ok := a.Inputs[name]; !ok {
						t.Errorf("docs/ci.md gives %s, which the action does not take", name)
					}
				}
				for name, input := range a.Inputs {
					if input.Required && s.With[name] == "" {
						t.Errorf("docs/ci.md does not give %s, which the action needs", name)
					}
				}
			}
		}
	}
	if uses != 1 {
		t.Errorf("docs/ci.md uses the action %d times", uses)
	}
}

// runner does what a runner does with the action's own steps.
type runner struct {
	t    *testing.T
	dir  string
	path string
	vars map[string]string // what expressions name
}

func (r *runner) expand(s string) string {
	return expression.ReplaceAllStringFunc(s, func(e string) string { return r.vars[expression.FindStringSubmatch(e)[1]] })
}

// holds evaluates the conditions that the action has: comparisons joined by &&.
func (r *runner) holds(condition string) bool {
	for term := range strings.SplitSeq(condition, "&&") {
		if term = strings.TrimSpace(term); term == "" {
			continue
		}
		operator := " == "
		if strings.Contains(term, " != ") {
			operator = " != "
		}
		name, value, found := strings.Cut(term, operator)
		if !found {
			r.t.Fatalf("condition %q is not understood", condition)
		}
		if (r.vars[name] == strings.Trim(value, "'")) != (operator == " == ") {
			return false
		}
	}
	return true
}

// run does the steps up to the first that fails, whose exit code and name it returns.
func (r *runner) run(a action) (code int, at, log string) {
	var all bytes.Buffer
	for i, s := range a.Runs.Steps {
		if s.Run == "" || !r.holds(s.If) {
			continue
		}
		output := filepath.Join(r.dir, fmt.Sprintf("output-%d", i))
		c := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
		c.Dir = r.dir
		c.Stdout, c.Stderr = &all, &all
		c.Env = []string{"PATH=" + r.path, "HOME=" + r.dir, "RUNNER_TEMP=" + r.dir, "GITHUB_OUTPUT=" + output, "GITHUB_ACTIONS=true",
			"GITHUB_STEP_SUMMARY=" + filepath.Join(r.dir, "summary.md"), "GITHUB_SERVER_URL=https://git.example", "GITHUB_REPOSITORY=org/repository", "GITHUB_RUN_ID=17"}
		for name, value := range s.Env {
			c.Env = append(c.Env, name+"="+r.expand(value))
		}
		if err := c.Run(); err != nil {
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				r.t.Fatal(err)
			}
			return exit.ExitCode(), s.Name, all.String()
		}
		b, _ := os.ReadFile(output)
		for line := range strings.Lines(string(b)) {
			if name, value, found := strings.Cut(strings.TrimSpace(line), "="); found {
				r.vars["steps."+s.ID+".outputs."+name] = value
			}
		}
	}
	return 0, "", all.String()
}

// TestSteps: a pull request whose checkpoint is the baseline's passes and gets a comment;
// another checkpoint fails at the last step, when the comment, page and table are there,
// and its comment takes the place of the first; a fork that may not comment passes all
// the same.
func TestSteps(t *testing.T) {
	a := read(t)
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(bin, "softbench"), "./cmd/softbench")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// The hub's command line, of which the action needs three requests: comments are files.
	gh := `#!/bin/bash
case "$*" in
  *--paginate*) [ "$(cat comment 2>/dev/null | head -n 1)" != "$MARK" ] || echo 5 ;;
  *"--method POST repos/org/repository/issues/12/comments"*) [ ! -e denied ] || exit 1; echo POST >>requests; cp "$(sed 's/.*@//' <<<"${@: -1:1}")" comment ;;
  *"--method PATCH repos/org/repository/issues/comments/5"*) echo PATCH >>requests; cp "$(sed 's/.*@//' <<<"${@: -1:1}")" comment ;;
  *) echo "unexpected: $*" >&2; exit 1 ;;
esac
`
	if err := os.WriteFile(filepath.Join(bin, "gh"), []byte(gh), 0o777); err != nil {
		t.Fatal(err)
	}
	path := bin + string(os.PathListSeparator) + os.Getenv("PATH")
	if err := os.WriteFile(filepath.Join(dir, "suite.yaml"), []byte("name: ci\ntasks: [{task: arc_easy, limit: 150}]\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"run suite.yaml --model twin/softmax --out trusted", "gate trusted --baseline baseline.json --update"} {
		c := exec.Command(filepath.Join(bin, "softbench"), strings.Fields(line)...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", line, err, out)
		}
	}
	try := func(inputs map[string]string) (int, string, string) {
		vars := map[string]string{"github.event_name": "pull_request", "github.event.pull_request.number": "12", "runner.os": "Linux", "runner.arch": "X64"}
		for name, input := range a.Inputs {
			vars["inputs."+name] = input.Default
		}
		for name, value := range inputs {
			vars["inputs."+name] = value
		}
		return (&runner{t, dir, path, vars}).run(a)
	}
	file := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	same := map[string]string{"suite": "suite.yaml", "model": "twin/softmax", "baseline": "baseline.json", "version": "installed", "data": "$(touch stolen)", "out": "same"}

	if code, at, log := try(same); code == 0 || at != "Run" || !strings.Contains(log, "$(touch stolen)") {
		t.Errorf("a directory that is not there: exit code %d at %q: %s", code, at, log)
	}
	if _, err := os.Stat(filepath.Join(dir, "stolen")); err == nil {
		t.Error("an input was read as a command")
	}
	data, err := filepath.Abs("../../lab/twins/data")
	if err != nil {
		t.Fatal(err)
	}
	same["data"] = data
	if code, at, log := try(same); code != 0 {
		t.Fatalf("the baseline's own checkpoint: exit code %d at %q: %s", code, at, log)
	}
	if c := file("comment"); !strings.HasPrefix(c, "<!-- softbench gate baseline.json -->\n") || !strings.Contains(c, `arc\_easy`) || !strings.Contains(c, "https://git.example/org/repository/actions/runs/17") {
		t.Errorf("the comment is %s", c)
	}
	for _, name := range []string{"same/report.html", "same/gate.xml", "same/gate.md", "same/run/samples.parquet", "summary.md"} {
		if file(name) == "" {
			t.Errorf("%s is empty", name)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte("version: 1\nmetrics: [{metric: \"*/*\", allowed_drop: 0.0001, inconclusive: fail}]\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	other := map[string]string{"suite": "suite.yaml", "model": "twin/softpick", "baseline": "baseline.json", "version": "installed", "data": data, "out": "other",
		"policy": "policy.yaml", "arguments": "--threads 1 --batch-tokens 64"}
	if code, at, log := try(other); code != 1 && code != 3 || at != "Verdict" {
		t.Errorf("another checkpoint: exit code %d at %q: %s", code, at, log)
	}
	if got := file("requests"); got != "POST\nPATCH\n" || strings.Contains(file("comment"), "pass: ") {
		t.Errorf("requests %q, and the comment is %s", got, file("comment"))
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, "comment")), os.WriteFile(filepath.Join(dir, "denied"), nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	if code, at, log := try(same); code != 0 || !strings.Contains(log, "::notice::The table could not be written") {
		t.Errorf("no permission to comment: exit code %d at %q: %s", code, at, log)
	}
}
