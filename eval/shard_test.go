package eval

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/reports/rundir"
)

// runShard computes a shard of goldenRun into a new directory.
func runShard(t *testing.T, o RunOptions, part Shard) (dir string, r *ShardResult) {
	t.Helper()
	o.Out = filepath.Join(t.TempDir(), fmt.Sprintf("shard%d", part.Number))
	r, err := RunShard(context.Background(), o, part)
	if err != nil {
		t.Fatal(err)
	}
	return o.Out, r
}

// TestShards: one, three and seven processes that know nothing of each other,
// one of them killed and resumed, give together the bytes that one gives alone,
// whatever order they are named in.
func TestShards(t *testing.T) {
	suites := goldenSuites(t)
	o := goldenRun(t, suites...)
	o.Out = filepath.Join(t.TempDir(), "want")
	mustRun(t, o)
	samples, manifest, files := outcome(t, o.Out)
	all := countRows(t, o.Out)

	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 3, 7} {
		var dirs []string
		sum, killed := 0, 0
		for i := range n {
			part := Shard{i + 1, n}
			if i == n/2 {
				dir := filepath.Join(t.TempDir(), "killed")
				killed = killShard(t, dir, part, o, suites)
				s := o
				s.Out, s.Resume = dir, true
				r, err := RunShard(context.Background(), s, part)
				if err != nil {
					t.Fatal(err)
				}
				if r.Resumed != killed {
					t.Errorf("%v: %d results of the killed process were used, it left %d", part, r.Resumed, killed)
				}
				sum += r.Requests
				dirs = append(dirs, dir)
				continue
			}
			s := o
			s.BatchTokens, s.Model.Threads = 1+rng.IntN(600), 1+rng.IntN(3)
			dir, r := runShard(t, s, part)
			sum += r.Requests
			if r.Of != all {
				t.Errorf("%v: %d requests in all, want %d", part, r.Of, all)
			}
			dirs = append(dirs, dir)
		}
		if sum != all {
			t.Errorf("%d shards have %d requests, want %d", n, sum, all)
		}
		evenly(t, o, dirs)
		rng.Shuffle(n, func(i, j int) { dirs[i], dirs[j] = dirs[j], dirs[i] })
		m := o
		m.Out, m.Merge = filepath.Join(t.TempDir(), "merged"), dirs
		r := mustRun(t, m)
		if r.Process.Computed != 0 {
			t.Errorf("%d shards: the merge computed %d tokens anew", n, r.Process.Computed)
		}
		gotSamples, gotManifest, gotFiles := outcome(t, m.Out)
		if !bytes.Equal(gotSamples, samples) || gotManifest != manifest || gotFiles != files {
			t.Errorf("%d shards, one of them killed after %d results, differ from a run by one process", n, killed)
		}
	}
}

// evenly holds the parts against each other: each has diagnostics and requests, or as good as.
func evenly(t *testing.T, o RunOptions, dirs []string) {
	t.Helper()
	with := 0
	for _, dir := range dirs {
		text, err := os.ReadFile(filepath.Join(dir, "journal"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(`"observed":`)) {
			with++
		}
	}
	if want := min(2, len(dirs)); with < want {
		t.Errorf("of %d shards %d have samples of diagnostics, want %d", len(dirs), with, want)
	}
}

// TestEvenShards: the parts of a run whose first documents are long and share little are as
// even as a document allows, and few tokens are computed twice; by turns they were not.
func TestEvenShards(t *testing.T) {
	o := goldenRun(t, goldenSuites(t)...)
	m, w, err := prepare(t.Context(), &o)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	tokens := func(part dealt) (n int64) {
		p, err := w.prepare(t.Context(), m, newJournal(), part)
		if err != nil {
			t.Fatal(err)
		}
		for i := range w.Diagnostics.units {
			if part.has(w.Diagnostics.name(), i) {
				n += int64(w.Diagnostics.tokensOf(i))
			}
		}
		return n + p.Tokens()
	}
	all := tokens(nil)
	var longest int64
	for _, p := range w.parts() {
		for _, d := range p.documents() {
			longest = max(longest, tokens(dealt{{p.name(), d.ID}: true}))
		}
	}
	for _, n := range []int{2, 3, 7, 16} {
		var most, sum, turns int64
		for i := range n {
			part, err := w.deal(t.Context(), m, Shard{i + 1, n})
			if err != nil {
				t.Fatal(err)
			}
			mine := tokens(part)
			most, sum = max(most, mine), sum+mine
			byTurns := dealt{}
			for k := range w.requests {
				if k.doc%n == i {
					byTurns[docKey{k.task, k.doc}] = true
				}
			}
			turns = max(turns, tokens(byTurns))
		}
		t.Logf("%d parts of %d tokens: at most %d (%d by turns; even: %d), %.3f of them computed in all; the longest document has %d", n, all, most, turns, all/int64(n), float64(sum)/float64(all), longest)
		if most > sum/int64(n)+longest || most > turns || float64(sum) > 1.25*float64(all) {
			t.Errorf("%d parts: the largest has %d of %d tokens, by turns %d", n, most, sum, turns)
		}
	}
}

// killShard kills a process that computes a shard after its first results, and
// returns how many it left.
func killShard(t *testing.T, dir string, part Shard, o RunOptions, suites []string) int {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), crashChild+"="+dir, "SOFTBENCH_TEST_SHARD="+part.String(),
		"SOFTBENCH_TEST_SUITES="+strings.Join(suites, ","), "SOFTBENCH_TEST_MODEL="+o.Model.Model, "SOFTBENCH_TEST_DATA="+o.Data)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); journalRecords(t, dir) < 1 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	_ = c.Process.Kill()
	if err := c.Wait(); err == nil {
		t.Fatalf("%v was done before it could be killed: the test proves nothing", part)
	}
	n := journalRecords(t, dir)
	if n < 1 {
		t.Fatalf("%v was killed before its first result: the test proves nothing", part)
	}
	return n
}

// TestShardRefusals: what does not make a run together is refused before the
// directory is touched.
func TestShardRefusals(t *testing.T) {
	o := goldenRun(t, "arc_easy", "piqa")
	one, _ := runShard(t, o, Shard{1, 3})
	two, _ := runShard(t, o, Shard{2, 3})
	three, _ := runShard(t, o, Shard{3, 3})
	half, _ := runShard(t, o, Shard{2, 2})
	other := o
	other.Limit = 3
	limited, _ := runShard(t, other, Shard{3, 3})
	whole := o
	whole.Out = filepath.Join(t.TempDir(), "whole")
	mustRun(t, whole)
	changed := filepath.Join(t.TempDir(), "changed")
	damaged := filepath.Join(t.TempDir(), "damaged")
	text, err := os.ReadFile(filepath.Join(two, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	for dir, b := range map[string][]byte{changed: bytes.Replace(text, []byte(`"request":0,`), []byte(`"request":9,`), 1), damaged: text[:len(text)-20]} {
		if bytes.Equal(b, text) {
			t.Fatal("nothing was changed")
		}
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "journal"), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		dirs []string
		want []string
	}{
		"a gap":              {[]string{one, three}, []string{"the shards lack", "arc_easy document 3 request 0", "--resume"}},
		"a torn result":      {[]string{one, damaged, three}, []string{"the shards lack 1 of"}},
		"other settings":     {[]string{one, two, limited}, []string{limited, "other settings", "limit"}},
		"a complete run":     {[]string{one, two, whole.Out}, []string{whole.Out, "complete run"}},
		"no run":             {[]string{one, two, t.TempDir()}, []string{"holds no shard"}},
		"a changed journal":  {[]string{one, changed, three}, []string{changed, "line 2 is damaged"}},
		"none of these gaps": {[]string{one, two, three, half}, nil},
	} {
		m := o
		m.Out, m.Merge = filepath.Join(t.TempDir(), "merged"), c.dirs
		_, err := Run(context.Background(), m)
		if len(c.want) == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || strings.Contains(err.Error(), "\n") || slices.ContainsFunc(c.want, func(w string) bool { return !strings.Contains(err.Error(), w) }) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if _, err := os.Stat(m.Out); err == nil {
			t.Errorf("%s: a run was begun", name)
		}
	}
}

// TestOverlapThatDiffers: two shards with the same document and another result.
func TestOverlapThatDiffers(t *testing.T) {
	o := goldenRun(t, "arc_easy")
	one, _ := runShard(t, o, Shard{1, 1})
	w, settings := gathered(t, o)
	records, err := readShards(context.Background(), []string{one, one}, settings, w)
	if err != nil || len(records) == 0 {
		t.Fatal(records, err)
	}
	two := filepath.Join(t.TempDir(), "two")
	j := newJournal()
	if err := j.open(context.Background(), RunOptions{Out: two}, settings, nil); err != nil {
		t.Fatal(err)
	}
	r := records[recordKey{"arc_easy", 0, 1}]
	r.LogLikelihood -= 1e-12
	if err := j.add(r); err != nil {
		t.Fatal(err)
	}
	if err := j.sync(); err != nil {
		t.Fatal(err)
	}
	j.close()
	if _, err := readShards(context.Background(), []string{one, two}, settings, w); err == nil || !strings.Contains(err.Error(), "different results of arc_easy document 0 request 1") {
		t.Errorf("error %v", err)
	}
}

// gathered is what a run would compute, and its settings.
func gathered(t *testing.T, o RunOptions) (*Work, rundir.Settings) {
	t.Helper()
	m, w, err := prepare(context.Background(), &o)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, err := settingsOf(t.Context(), m, w, o)
	if err != nil {
		t.Fatal(err)
	}
	return w, s
}

func TestParseShard(t *testing.T) {
	for text, want := range map[string]Shard{"1/1": {1, 1}, "7/7": {7, 7}, "0/3": {}, "4/3": {}, "3": {}, "a/b": {}, "1/2/3": {}, "-1/2": {}, "": {}} {
		got, err := ParseShard(text)
		if got != want || (err == nil) != (want.Of > 0) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
