package harness

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/tasks/harness/harnesstest"
	"github.com/softbench/softbench/tasks/jinja"
	"github.com/softbench/softbench/tasks/py"
)

// templates are all distinct templates of the harness's tasks.
func templates(t *testing.T, dir string) map[string]string {
	x, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range x.Names() {
		e, _ := x.Find(name)
		if e.Kind != Leaf {
			continue
		}
		c, err := x.load(e.File)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, from := range []*value{c, c.get("fewshot_config")} {
			if from == nil || !from.isMapping() {
				continue
			}
			for _, key := range []string{"doc_to_text", "doc_to_target", "doc_to_choice", "description", "gen_prefix", "doc_to_decontamination_query"} {
				if v := from.get(key); v != nil {
					if s, ok := v.text(); ok {
						out[hash(s, 16)] = s
					}
				}
			}
		}
	}
	return out
}

func hash(s string, digits int) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:digits]
}

// Every template of lm-evaluation-harness renders made-up documents as Python does, and is an error where it
// is one there. The hashes are Python's, from testdata/golden/make_jinja.py.
func TestEveryTemplateEqualsPython(t *testing.T) {
	all := templates(t, golden.Harness(t))
	f, err := os.Open(golden.Dir(t, "jinja", "harness.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, lines := 0, bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		words := strings.SplitN(lines.Text(), " ", 5)
		source, ok := all[words[0]]
		if !ok {
			t.Errorf("template %s of the harness is not found", words[0])
			continue
		}
		n++
		tm, err := jinja.Parse(source, jinja.Harness)
		if err != nil {
			t.Errorf("template %s does not parse: %v", words[0], err)
			continue
		}
		for k := range 3 {
			doc := harnesstest.Value(words[4], words[0]+"/"+string(rune('0'+k))).(*py.Dict)
			got, err := render(tm, doc)
			switch want := words[1+k]; {
			case err != nil && want != "-":
				t.Errorf("template %s: %v; Python renders it\n%.300s", words[0], err, source)
			case err == nil && want == "-":
				t.Errorf("template %s: Python gives an error, here it is %.200q\n%.300s", words[0], got, source)
			case err == nil && hash(got, 12) != want:
				t.Errorf("template %s renders otherwise than Python: %.300q\n%.300s", words[0], got, source)
			}
		}
	}
	if n < 1800 {
		t.Errorf("only %d templates were compared", n)
	}
	t.Logf("%d templates", n)
}

// The names of the index are those that the harness finds, of the kinds it gives them. The hash is Python's,
// from testdata/golden/make_jinja.py too.
func TestIndexHasTheHarnessNames(t *testing.T) {
	x, err := Open(golden.Harness(t))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, name := range x.Names() {
		e, _ := x.Find(name)
		tags := slices.Clone(e.Tags)
		slices.Sort(tags)
		lines = append(lines, name+"\t"+string(e.Kind)+"\t"+strings.Join(tags, " "))
	}
	want, err := os.ReadFile(golden.Dir(t, "jinja", "names.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if got := hash(strings.Join(lines, "\n"), 64); got != strings.TrimSpace(string(want)) {
		t.Errorf("the hash of %d names with kinds and tags is %s; the harness's is %s", len(lines), got, want)
	}
}
