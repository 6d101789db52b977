package harness

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/harness/harnesstest"
)

// pythonJSON is json.dumps(values, ensure_ascii=False) of texts.
func pythonJSON(values []string) string {
	out := make([]string, len(values))
	for i, s := range values {
		var b strings.Builder
		b.WriteByte('"')
		for _, r := range s {
			switch {
			case r == '"' || r == '\\':
				b.WriteByte('\\')
				b.WriteRune(r)
			case r == '\n':
				b.WriteString(`\n`)
			case r == '\t':
				b.WriteString(`\t`)
			case r == '\r':
				b.WriteString(`\r`)
			case r == '\b':
				b.WriteString(`\b`)
			case r == '\f':
				b.WriteString(`\f`)
			case r < 0x20:
				fmt.Fprintf(&b, `\u%04x`, r)
			default:
				b.WriteRune(r)
			}
		}
		out[i] = b.String() + `"`
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// asked is a document's requests in the form that make_harness.py hashes.
func asked(d *tasks.Doc, task *Task) string {
	var lines []string
	for _, q := range d.Requests {
		switch q.Ask {
		case tasks.WholeText:
			lines = append(lines, pythonJSON([]string{q.Text}))
		case tasks.Generating:
			context := strings.TrimSuffix(pythonJSON([]string{q.Context}), "]")
			lines = append(lines, fmt.Sprintf("%s, %s, %d]", context, pythonJSON(q.Until), q.Tokens), pythonJSON(d.Targets))
		default:
			lines = append(lines, pythonJSON([]string{q.Context, q.Continuation}))
		}
	}
	if task.Kind == tasks.MultipleChoice {
		right := make([]string, len(d.Requests))
		for i := range right {
			right[i] = "0"
		}
		s, _ := task.Scorer.(*scorer)
		for _, g := range append([]int{d.Gold}, d.AlsoGold...) {
			if g >= 0 && (s == nil || s.process == nil) { // process_results says itself what is right
				right[g] = "1"
			}
		}
		lines = append(lines, "["+strings.Join(right, ", ")+"]")
	}
	return strings.Join(lines, "\n")
}

// write makes a task's documents below a directory, as --data has them.
func write(t *testing.T, dir string, task *Task, shape, name string, splits []string) data.Source {
	t.Helper()
	ds := task.Dataset
	at := filepath.Join(dir, filepath.FromSlash(ds.Path), filepath.FromSlash(ds.Config))
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, split := range splits {
		var b strings.Builder
		for i := range 6 {
			b.WriteString(harnesstest.JSON(harnesstest.Value(shape, fmt.Sprintf("%s/%s/%d", name, split, i))) + "\n")
		}
		file := filepath.Join(at, split+".jsonl")
		if named := ds.Files[split]; len(named) == 1 && strings.HasSuffix(named[0], ".*") { // rows in a table's place
			file = filepath.Join(at, filepath.FromSlash(strings.TrimSuffix(named[0], ".*")+".jsonl"))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return data.Source{Dir: dir}
}

// Every context with its examples, every continuation and every right answer of tasks of many families of the harness is
// the harness's own. The tasks were drawn with the seed that the file begins with; its hashes are of what the
// harness made of the same documents (testdata/golden/make_harness.py).
func TestRequestsEqualTheHarness(t *testing.T) {
	x, err := Open(golden.Harness(t))
	if err != nil {
		t.Fatal(err)
	}
	name := golden.Dir(t, "harness", "requests.txt")
	if other := os.Getenv("SOFTBENCH_HARNESS_REQUESTS"); other != "" {
		name = other // another list, made by the same script
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	families := map[string]bool{}
	n, wrong := 0, 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		part := strings.Split(lines.Text(), "\t")
		shots, _ := strconv.Atoi(part[1])
		n++
		if err := compareTask(t, x, part[0], shots, part[2], strings.Fields(part[3])); err != nil {
			wrong++
			t.Errorf("%s %s: %v", part[0], part[2], err)
		}
		e, _ := x.Find(part[0])
		rel, _ := filepath.Rel(x.roots[0], e.File)
		families[strings.Split(filepath.ToSlash(rel), "/")[0]] = true
	}
	t.Logf("%d tasks of %d families, %d wrong", n, len(families), wrong)
}

func compareTask(t *testing.T, x *Index, name string, shots int, shape string, want []string) error {
	task, docs, err := documents(t, x, name, shots, shape)
	if err != nil {
		return err
	}
	if len(docs) != len(want) {
		return fmt.Errorf("there are %d documents; the harness has %d", len(docs), len(want))
	}
	for i := range docs {
		if got := asked(&docs[i], task); hash(got, 16) != want[i] {
			return fmt.Errorf("document %d is asked otherwise:\n%.1500s", i, got)
		}
	}
	return nil
}

// documents are those of a task over made-up data of a shape.
func documents(t *testing.T, x *Index, name string, shots int, shape string) (*Task, []tasks.Doc, error) {
	t.Helper()
	s, err := x.Select(name)
	if err != nil {
		return nil, nil, err
	}
	task := s.Tasks[0]
	e, _ := x.Find(name)
	c, err := x.load(e.File)
	if err != nil {
		return nil, nil, err
	}
	var splits []string
	for _, k := range []string{"test_split", "validation_split", "training_split", "fewshot_split"} {
		if v := c.get(k); v != nil {
			splits = append(splits, v.py.(string))
		}
	}
	if v := c.get("fewshot_config"); v != nil {
		if w := v.get("split"); w != nil {
			splits = append(splits, w.py.(string))
		}
	}
	src := write(t, t.TempDir(), task, shape, name, splits)
	docs, _, err := task.Documents(context.Background(), src, tasks.Options{FewShot: shots, FewShotSeed: tasks.DefaultFewShotSeed})
	return task, docs, err
}

// What starting costs before documents are read: the index of the harness's task files and the 57 tasks of mmlu.
func BenchmarkGroup(b *testing.B) {
	dir := os.Getenv(golden.HarnessEnv)
	if dir == "" {
		b.Skipf("%s is not set", golden.HarnessEnv)
	}
	for b.Loop() {
		x, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		s, err := x.Select("mmlu")
		if err != nil || len(s.Tasks) != 57 {
			b.Fatalf("%v, %d tasks", err, len(s.Tasks))
		}
	}
}
