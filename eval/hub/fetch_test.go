package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/softbench/softbench/eval/hub/hubtest"
)

var model = Repo{Model, "org/name"}

// big is a file that takes several reads.
func big(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

func files() map[string]hubtest.File {
	return map[string]hubtest.File{
		"config.json":               {Content: []byte(`{"a": 1}`)},
		"empty.txt":                 {Content: nil},
		"dir/a file.txt":            {Content: []byte("in a directory")},
		"copy.json":                 {Content: []byte(`{"a": 1}`)},
		"model.safetensors":         {Content: big(3 << 20), LFS: true},
		"model-00001-of-2.x":        {Content: big(1 << 19), LFS: true},
		"not asked for.safetensors": {Content: big(100), LFS: true},
	}
}

var asked = []string{"config.json", "empty.txt", "dir/a file.txt", "copy.json", "model.safetensors", "model-00001-of-2.x"}

// client is one of the test's environment that does not wait.
func client(t *testing.T) *Client {
	t.Helper()
	c, err := FromEnv()
	if err != nil {
		t.Fatal(err)
	}
	c.wait = func(ctx context.Context, d time.Duration) error { return ctx.Err() }
	return c
}

func get(c *Client, revision string, names ...string) (string, error) {
	l, err := c.List(context.Background(), model, revision)
	if err != nil {
		return "", err
	}
	return c.Fetch(context.Background(), l, names)
}

// whole checks that a snapshot has the files, as links to blobs.
func whole(t *testing.T, dir string, want map[string]hubtest.File, names []string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		b, err := os.ReadFile(path)
		if err != nil || string(b) != string(want[name].Content) {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
		if target, err := os.Readlink(path); err != nil || filepath.IsAbs(target) || !strings.Contains(filepath.ToSlash(target), "../blobs/") {
			t.Errorf("%s is a link to %q, %v", name, target, err)
		}
	}
}

// left are the files of a cache that are neither blobs, links, refs nor locks.
func left(t *testing.T, c Cache) (out []string) {
	t.Helper()
	_ = filepath.WalkDir(string(c), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		rel, _ := filepath.Rel(string(c), path)
		rel = filepath.ToSlash(rel)
		name := filepath.Base(rel)
		switch {
		case d.IsDir(), strings.HasPrefix(rel, ".locks/"), strings.Contains(rel, "/refs/"), strings.Contains(rel, "/snapshots/") && d.Type() == fs.ModeSymlink:
		case strings.Contains(rel, "/blobs/") && (len(name) == 40 || len(name) == 64):
		default:
			out = append(out, rel)
		}
		return nil
	})
	return out
}

// Downloaded once into huggingface_hub's layout, found again without a request, and
// the ref names the commit.
func TestFetch(t *testing.T) {
	h := hubtest.New(t)
	commit := h.Add("models/org/name", "main", files())
	c := client(t)
	var last, total int64
	c.Progress = func(d, n int64) { last, total = d, n }
	dir, err := get(c, Main, asked...)
	if err != nil {
		t.Fatal(err)
	}
	whole(t, dir, files(), asked)
	if want := filepath.Join(c.Cache.Repo(model), "snapshots", commit); dir != want {
		t.Errorf("in %s, want %s", dir, want)
	}
	if ref, err := os.ReadFile(filepath.Join(c.Cache.Repo(model), "refs", "main")); err != nil || string(ref) != commit {
		t.Errorf("refs/main is %q, %v", ref, err)
	}
	if last != total || total != 3<<20+1<<19+22 { // the copy's bytes are here once
		t.Errorf("%d of %d bytes told", last, total)
	}
	if l := left(t, c.Cache); len(l) > 0 {
		t.Errorf("left behind: %q", l)
	}
	if dirs, err := c.Cache.Snapshots(model, Main); err != nil || len(dirs) != 1 || dirs[0] != dir {
		t.Errorf("found %q, %v", dirs, err)
	}
	h.Requests()
	if _, err := get(c, commit, asked...); err != nil {
		t.Fatal(err)
	}
	for _, r := range h.Requests() {
		if strings.Contains(r.Path, "/resolve/") {
			t.Errorf("asked again for %s", r.Path)
		}
	}
}

// A download that was cut off goes on where it stopped, whoever began it; bytes that
// were spoiled meanwhile are fetched again.
func TestResume(t *testing.T) {
	content := files()["model.safetensors"].Content
	for name, c := range map[string]struct {
		left  []byte
		first string // Range of the first request of the file
		all   int    // requests of the file's bytes
	}{
		"nothing":      {nil, "", 1},
		"half":         {content[:1<<20], "bytes=1048576-", 1},
		"all":          {content, "", 0},
		"too long":     {append(slices.Clone(content), 1), "", 1},
		"spoiled":      {make([]byte, 1<<20), "bytes=1048576-", 2},
		"spoiled, all": {make([]byte, len(content)), "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := hubtest.New(t)
			h.Add("models/org/name", "main", files())
			cl := client(t)
			l, err := cl.List(context.Background(), model, Main)
			if err != nil {
				t.Fatal(err)
			}
			path := cl.incomplete(model, l.find("model.safetensors"))
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if c.left != nil {
				if err := os.WriteFile(path, c.left, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			h.Requests()
			dir, err := cl.Fetch(context.Background(), l, []string{"model.safetensors"})
			if err != nil {
				t.Fatal(err)
			}
			whole(t, dir, files(), []string{"model.safetensors"})
			var ranges []string
			for _, r := range h.Requests() {
				if r.CDN {
					ranges = append(ranges, r.Range)
				}
			}
			if len(ranges) != c.all || c.all > 0 && ranges[0] != c.first {
				t.Errorf("asked for %q", ranges)
			}
			if l := left(t, cl.Cache); len(l) > 0 {
				t.Errorf("left behind: %q", l)
			}
		})
	}
}

// cut answers with the first n bytes of a file and closes the connection.
func cut(w http.ResponseWriter, content []byte, n int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	_, _ = w.Write(content[:n])
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

// What goes wrong for a while is tried again, and the file comes out right.
func TestPassingTroubles(t *testing.T) {
	content := files()["model.safetensors"].Content
	for name, trouble := range map[string]func(n int64, w http.ResponseWriter, r *http.Request) bool{
		"429": status(3, 429), "500": status(3, 500), "502": status(3, 502), "503": status(3, 503), "504": status(3, 504),
		"cut off": func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				cut(w, content, 1<<19)
			}
			return false
		},
		"cut for ever": func(n int64, w http.ResponseWriter, r *http.Request) bool { // each answer brings a megabyte
			if r.Header.Get("Range") == "" {
				cut(w, content, 1<<20)
			}
			return false
		},
		"range ignored": func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				cut(w, content, 1<<19)
			}
			_, _ = w.Write(content)
			return true
		},
		"another range": func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				cut(w, content, 1<<19)
			}
			if n == 2 {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(content)-1, len(content)))
				w.WriteHeader(http.StatusPartialContent)
				_, _ = w.Write(content)
				return true
			}
			return false
		},
		"416": func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				cut(w, content, 1<<19)
			}
			if n == 2 {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return true
			}
			return false
		},
		"stalled": func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				_, _ = w.Write(content[:1<<19])
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				return true
			}
			return false
		},
		"no answer": func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				<-r.Context().Done()
				return true
			}
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := hubtest.New(t)
			h.Add("models/org/name", "main", files())
			var n atomic.Int64
			h.Misbehave = func(w http.ResponseWriter, r *http.Request, cdn bool) bool { return cdn && trouble(n.Add(1), w, r) }
			c := client(t)
			if name == "stalled" || name == "no answer" {
				c.Stall = time.Second
			}
			dir, err := get(c, Main, "model.safetensors")
			if err != nil {
				t.Fatal(err)
			}
			whole(t, dir, files(), []string{"model.safetensors"})
			if n.Load() < 2 {
				t.Errorf("%d requests", n.Load())
			}
		})
	}
}

func status(times int64, code int) func(int64, http.ResponseWriter, *http.Request) bool {
	return func(n int64, w http.ResponseWriter, r *http.Request) bool {
		if n <= times {
			hubtest.Refuse(w, code, "")
		}
		return n <= times
	}
}

// Troubles of the listing pass too.
func TestListingIsRetried(t *testing.T) {
	h := hubtest.New(t)
	h.Add("models/org/name", "main", files())
	var n atomic.Int64
	h.Misbehave = func(w http.ResponseWriter, r *http.Request, cdn bool) bool {
		switch k := n.Add(1); {
		case k%3 == 1:
			hubtest.Refuse(w, 503, "")
			return true
		case k%3 == 2:
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`[{"type":"file","path":"config.json",`))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		return false
	}
	l, err := client(t).List(context.Background(), model, Main)
	if err != nil || len(l.Files) != len(files()) {
		t.Fatal(l, err)
	}
}

// How long to wait is what the hub says, but no longer than people would.
func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		header string
		want   time.Duration // 0: the client's own
		err    string
	}{
		{"7", 7 * time.Second, ""}, {"0", 0, ""}, {"-3", 0, ""}, {"soon", 0, ""},
		{time.Now().Add(30 * time.Second).UTC().Format(http.TimeFormat), 30 * time.Second, ""},
		{"3600", 0, "asks to wait for 1h0m0s"}, {"99999999999999999999", 0, ""}, {"9999999999999", 0, "asks to wait"},
	} {
		t.Run(c.header, func(t *testing.T) {
			h := hubtest.New(t)
			h.Add("models/org/name", "main", files())
			var n atomic.Int64
			h.Misbehave = func(w http.ResponseWriter, r *http.Request, cdn bool) bool {
				if n.Add(1) == 1 {
					w.Header().Set("Retry-After", c.header)
					hubtest.Refuse(w, 429, "")
					return true
				}
				return false
			}
			cl := client(t)
			var waited []time.Duration
			cl.wait = func(ctx context.Context, d time.Duration) error { waited = append(waited, d); return nil }
			_, err := cl.List(context.Background(), model, Main)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || len(waited) > 0 {
					t.Errorf("%v after %v", err, waited)
				}
				return
			}
			if err != nil || len(waited) != 1 {
				t.Fatal(err, waited)
			}
			if c.want == 0 && (waited[0] < time.Second || waited[0] > 2*time.Second) || c.want > 0 && (waited[0] > c.want || waited[0] < c.want-2*time.Second) {
				t.Errorf("waited %v, want %v", waited[0], c.want)
			}
		})
	}
}

// Ctrl-C is heard while the hub is silent, and what is here stays for the next time.
func TestFetchIsCancelled(t *testing.T) {
	h := hubtest.New(t)
	h.Add("models/org/name", "main", files())
	content := files()["model.safetensors"].Content
	ctx, cancel := context.WithCancel(context.Background())
	h.Misbehave = func(w http.ResponseWriter, r *http.Request, cdn bool) bool {
		if !cdn {
			return false
		}
		_, _ = w.Write(content[:1<<20])
		w.(http.Flusher).Flush()
		time.AfterFunc(100*time.Millisecond, cancel)
		<-r.Context().Done()
		return true
	}
	c := client(t)
	l, err := c.List(ctx, model, Main)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err = c.Fetch(ctx, l, []string{"model.safetensors"}); !errors.Is(err, context.Canceled) || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	if info, err := os.Stat(c.incomplete(model, l.find("model.safetensors"))); err != nil || info.Size() == 0 {
		t.Errorf("nothing is kept: %v", err)
	}
	if _, err := os.Stat(filepath.Join(c.Cache.Repo(model), "refs", "main")); err == nil {
		t.Error("the ref names what is not here")
	}
}

// An interruption while what is here is hashed keeps it.
func TestCancelledResumeKeeps(t *testing.T) {
	h := hubtest.New(t)
	h.Add("models/org/name", "main", files())
	c := client(t)
	l, err := c.List(context.Background(), model, Main)
	if err != nil {
		t.Fatal(err)
	}
	f := l.find("model.safetensors")
	put(t, c.incomplete(model, f), string(files()["model.safetensors"].Content[:1<<20]))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = c.download(ctx, l, f, filepath.Join(c.blobs(model), f.blob()), &progress{})
	if info, e := os.Stat(c.incomplete(model, f)); !errors.Is(err, context.Canceled) || e != nil || info.Size() != 1<<20 {
		t.Errorf("%v, %v", err, e)
	}
}

// Two processes, or two fetches of one, share a download: each file is asked for once.
func TestTogether(t *testing.T) {
	h := hubtest.New(t)
	h.Add("models/org/name", "main", files())
	errs := make(chan error)
	for range 4 {
		go func() {
			c, err := FromEnv()
			if err == nil {
				_, err = get(c, Main, asked...)
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	seen := map[string]int{}
	for _, r := range h.Requests() {
		if r.CDN {
			seen[r.Path]++
		}
	}
	for path, n := range seen {
		if n != 1 {
			t.Errorf("%s was asked for %d times", path, n)
		}
	}
}

// What killed processes left is swept when it is old and of no use; what is another's
// work is left alone.
func TestSweep(t *testing.T) {
	h := hubtest.New(t)
	h.Add("models/org/name", "main", files())
	c := client(t)
	l, err := c.List(context.Background(), model, Main)
	if err != nil {
		t.Fatal(err)
	}
	repo := c.Cache.Repo(model)
	wanted := filepath.Base(c.incomplete(model, l.find("not asked for.safetensors")))
	for _, f := range []struct {
		name       string
		old, stays bool
	}{
		{"blobs/" + strings.Repeat("e", 64) + ".incomplete", true, false},
		{"blobs/" + strings.Repeat("d", 64) + ".incomplete", false, true},
		{"blobs/" + wanted, true, true},
		{"blobs/" + strings.Replace(wanted, ".", ".0123abcd.", 1), true, false},
		{"blobs/" + strings.Repeat("c", 64), true, true},
		{"blobs/" + strings.Repeat("c", 64) + linkTemp, true, false},
		{".ref-123.tmp", true, false},
		{"snapshots/" + strings.Repeat("a", 40) + "/data/.download-77", true, false},
		{"snapshots/" + strings.Repeat("a", 40) + "/data/.download-78", false, true},
		{"snapshots/" + strings.Repeat("a", 40) + "/data/file", true, true},
	} {
		path := filepath.Join(repo, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if f.old {
			then := time.Now().Add(-2 * stale)
			if err := os.Chtimes(path, then, then); err != nil {
				t.Fatal(err)
			}
		}
		defer func() {
			if _, err := os.Lstat(path); (err == nil) != f.stays {
				t.Errorf("%s: %v", f.name, err)
			}
		}()
	}
	if _, err := c.Fetch(context.Background(), l, []string{"config.json"}); err != nil {
		t.Fatal(err)
	}
}

// A disk that has no room is found before the first byte.
func TestRoom(t *testing.T) {
	h := hubtest.New(t)
	h.Add("models/org/name", "main", files())
	h.Entry = func(e map[string]any) {
		if e["path"] == "model.safetensors" {
			e["lfs"].(map[string]any)["size"] = int64(1) << 60
		}
	}
	h.Requests()
	_, err := get(client(t), Main, "model.safetensors")
	if err == nil || !strings.Contains(err.Error(), "1.15 EB are needed but only") || !strings.Contains(err.Error(), "HF_HOME") {
		t.Error(err)
	}
	for _, r := range h.Requests() {
		if strings.Contains(r.Path, "/resolve/") {
			t.Errorf("asked for %s", r.Path)
		}
	}
}

// Where there are no links a file stands in the snapshot itself.
func TestWithoutLinks(t *testing.T) {
	h := hubtest.New(t)
	h.Add("models/org/name", "main", files())
	linkFile = func(string, string) error { return errors.New("no links here") }
	defer func() { linkFile = os.Symlink }()
	c := client(t)
	for range 2 {
		dir, err := get(c, Main, asked...)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range asked {
			b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil || string(b) != string(files()[name].Content) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
