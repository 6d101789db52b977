// Package imports holds which package may import which (DESIGN §3): imports point one way.
package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/softbench/softbench/"

// layers in the order of what is looked for first: a folder with those below it, and the
// folders that it may import beside its own. internal/ is below all but engine.
var layers = []struct{ folder, may string }{
	{"cmd", "configs serve lab reports eval tasks passkey probe lm engine cuda stats"},
	{"bench", "configs tasks passkey probe lm engine stats"},

	{"serve", "lm engine"}, // requests over HTTP; knows no run and no task
	{"eval/hub", ""},       // a leaf: lists, fetches and verifies a repository's files
	{"eval", "configs reports/rundir tasks passkey probe lm engine cuda stats"},
	{"lab", "reports/rundir tasks/strictyaml passkey probe lm engine stats"},

	{"reports/text", ""},
	{"reports/chart", "reports/text"},
	{"reports/rundir", "reports/text tasks/metric lm/answer probe/observed"},
	{"reports", "tasks stats"},

	{"configs", "tasks passkey"},
	{"tasks/metric", "stats lm/answer"},
	{"tasks/strictyaml", ""},
	{"tasks/data", "eval/hub"},
	{"tasks", "stats lm/answer"},
	{"passkey", "stats tasks"}, // a kind of task: its trials are documents
	{"probe/observed", ""},     // what diagnostics keep of a sample, on its way to the journal and back
	{"probe", "engine"},
	{"lm/answer", ""}, // what a model says to a request, on its way from lm to a row of a page
	{"lm", "engine"},
	{"cuda", "engine"},
	{"engine", ""},
	{"stats", ""},

	// Helpers of tests and measurements that make models; the engine does not import them.
	{"internal/golden", "engine"},
	{"internal/randmodel", "engine"},
	{"internal/hashmodel", "engine"},
	{"internal/randforest", "engine"},
	{"internal/machine", "engine"},
	{"internal", ""},
}

// aboveEngine are the internal packages that import the engine.
var aboveEngine = []string{"internal/golden", "internal/randmodel", "internal/hashmodel", "internal/machine", "internal/randforest"}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// violation says why a package may not import another; "" where it may.
func violation(from, to string) string {
	for _, l := range layers {
		if !within(from, l.folder) {
			continue
		}
		if within(to, l.folder) {
			return ""
		}
		if within(to, "internal") {
			for _, above := range aboveEngine {
				if within(to, above) && (within(from, "engine") || within(from, "stats")) {
					return "it imports the engine"
				}
			}
			return ""
		}
		for _, folder := range strings.Fields(l.may) {
			if within(to, folder) {
				return ""
			}
		}
		return "of " + l.folder + " only " + l.may + " and internal/ are below"
	}
	return "the folder has no layer in DESIGN §3: give it one here"
}

// Imports point one way: cmd -> (lab, reports, eval) -> (tasks, passkey, probe) -> lm -> engine <- cuda;
// stats and engine know nothing above them.
func TestImportsPointOneWay(t *testing.T) {
	for _, tags := range []string{"", "cuda"} {
		list := exec.Command("go", "list", "-json=ImportPath,Imports", "-tags", tags, module+"...")
		out, err := list.Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		d := json.NewDecoder(strings.NewReader(string(out)))
		n := 0
		for {
			var p struct {
				ImportPath string
				Imports    []string
			}
			if err := d.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			n++
			from := strings.TrimPrefix(p.ImportPath, module)
			for _, i := range p.Imports {
				if to, ours := strings.CutPrefix(i, module); ours {
					if why := violation(from, to); why != "" {
						t.Errorf("%s imports %s: %s", from, to, why)
					}
				}
			}
		}
		if n < 40 {
			t.Errorf("only %d packages are listed", n)
		}
	}
}

// What the drawing forbids is seen.
func TestForbiddenImportsAreSeen(t *testing.T) {
	for _, c := range [][2]string{
		{"engine", "lm"}, {"engine/kernel", "cuda"}, {"stats", "tasks"}, {"lm", "tasks"}, {"tasks", "reports/compare"}, {"reports/html", "eval"},
		{"reports/chart", "reports/rundir"}, {"reports/text", "reports/rundir"}, {"eval", "reports/compare"}, {"eval/hub", "tasks/data"}, {"internal/memory", "engine"},
		{"engine", "internal/golden"}, {"somewhere", "engine"}, {"tasks/metric", "tasks"}, {"lab/train", "eval"}, {"tasks", "lm"}, {"reports/rundir", "lm"}, {"lm/answer", "lm"}, {"engines", "engine"},
	} {
		if violation(c[0], c[1]) == "" {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
	if why := violation("eval", "reports/rundir"); why != "" {
		t.Errorf("a run may not write its format: %s", why)
	}
}
