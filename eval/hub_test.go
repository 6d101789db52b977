package eval

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/eval/hub"
	"github.com/softbench/softbench/eval/hub/hubtest"
	"github.com/softbench/softbench/internal/golden"
)

// TestHubModels: a model is found by its name in the cache that the environment
// names, the same one in which documents are looked for.
func TestHubModels(t *testing.T) {
	for _, c := range []struct{ variable, below string }{
		{"HF_HUB_CACHE", ""}, {"HF_HOME", "hub"}, {"XDG_CACHE_HOME", "huggingface/hub"},
	} {
		t.Run(c.variable, func(t *testing.T) {
			for _, v := range []string{"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"} {
				t.Setenv(v, "")
			}
			home := t.TempDir()
			t.Setenv(c.variable, home)
			repo := filepath.Join(home, filepath.FromSlash(c.below), "models--an-org--a-model")
			snapshot := filepath.Join(repo, "snapshots", "0123456")
			for _, dir := range []string{snapshot, filepath.Join(repo, "refs")} {
				if err := os.MkdirAll(dir, 0o777); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(repo, "refs", "main"), []byte("0123456\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			if dir, err := FindModel("an-org/a-model"); err != nil || dir != snapshot {
				t.Errorf("found %q, %v; want %q", dir, err, snapshot)
			}
			if list := CachedModels(); len(list) != 1 || list[0].Name != "an-org/a-model" {
				t.Errorf("the listing has %v", list)
			}
			if _, err := FindModel("an-org/other"); err == nil {
				t.Error("a model that is not there was found")
			}
		})
	}
}

// repository is a checkpoint's directory as the hub would serve it, with more that a
// checkpoint does not need.
func repository(t *testing.T, dir string) map[string]hubtest.File {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]hubtest.File{"README.md": {Content: []byte("x")}, "pytorch_model.bin": {Content: make([]byte, 99), LFS: true}, "onnx/model.onnx": {Content: []byte("x"), LFS: true}}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = hubtest.File{Content: b, LFS: strings.HasSuffix(e.Name(), ".safetensors")}
	}
	return files
}

// A model is downloaded where that is asked for and not otherwise: what a checkpoint
// needs and no more, once, by its revision, and whole after a download that failed.
func TestDownloadModel(t *testing.T) {
	h := hubtest.New(t)
	files := repository(t, golden.TinyCheckpoint(t, "tiny"))
	commit := h.Add("models/org/tiny", "main", files)
	step := h.Add("models/org/tiny", "step1", files)
	ctx := context.Background()
	o := ModelOptions{Model: "org/tiny", Device: "cpu"}
	if _, err := Locate(ctx, o); err == nil || !strings.Contains(err.Error(), "--download") || len(h.Requests()) > 0 {
		t.Fatalf("without being asked: %v", err)
	}
	o.Download = true
	h.Misbehave = func(w http.ResponseWriter, _ *http.Request, cdn bool) bool { // the weights are not to be had
		if cdn {
			hubtest.Refuse(w, http.StatusForbidden, "")
		}
		return cdn
	}
	if _, err := Locate(ctx, o); err == nil || !strings.Contains(err.Error(), "downloading model org/tiny: model.safetensors: the hub answered 403") {
		t.Fatal(err)
	}
	h.Misbehave = nil
	var notes []string
	o.Note = func(s string) { notes = append(notes, s) }
	m, err := Load(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	if len(notes) != 1 || !strings.HasPrefix(notes[0], "downloading model org/tiny at main, commit "+commit+": 1 files, ") {
		t.Errorf("notes %q", notes)
	}
	if filepath.Base(m.Dir) != commit {
		t.Errorf("loaded from %s", m.Dir)
	}
	for _, r := range h.Requests() {
		for _, other := range []string{"README", "pytorch", "onnx"} {
			if strings.Contains(r.Path, other) {
				t.Errorf("asked for %s", r.Path)
			}
		}
	}
	if dir, err := Locate(ctx, o); err != nil || dir != m.Dir || len(h.Requests()) > 0 {
		t.Errorf("again: %s, %v", dir, err)
	}
	o.Revision = "step1"
	dir, err := Locate(ctx, o)
	if err != nil || filepath.Base(dir) != step {
		t.Fatal(dir, err)
	}
	for _, r := range h.Requests() {
		if r.CDN {
			t.Error("the same weights were downloaded twice")
		}
	}
	for name, revision := range map[string]string{"org/tiny@step1": step, "org/tiny": commit, "org/tiny@" + step: step} {
		if dir, err := FindModel(name); err != nil || filepath.Base(dir) != revision {
			t.Errorf("%s: %s, %v", name, dir, err)
		}
	}
	for name, want := range map[string]string{"org/tiny@../x": "not a revision", "org/tiny@v9": "at revision v9", "../x/y": "no such directory", "/org/tiny": "no such directory"} {
		if _, err := FindModel(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Locate(ctx, ModelOptions{Model: m.Dir, Revision: "x"}); err == nil || !strings.Contains(err.Error(), "--revision") {
		t.Errorf("a revision of a directory: %v", err)
	}
}

// Shards are those that the index names; an index that names what is elsewhere is refused.
func TestDownloadShards(t *testing.T) {
	for _, c := range []struct{ index, err string }{
		{`{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}`, ""},
		{`{"weight_map": {"a": "../../../etc/passwd"}}`, "names \"../../../etc/passwd\", which is not there"},
		{`{"weight_map": {}}`, "names no weights"}, {`[]`, "not an index"},
	} {
		h := hubtest.New(t)
		h.Add("models/org/big", "main", map[string]hubtest.File{
			"config.json": {Content: []byte("{}")}, "tokenizer.json": {Content: []byte("{}")}, "model.safetensors.index.json": {Content: []byte(c.index)},
			"model-00001-of-00002.safetensors": {Content: []byte("one"), LFS: true}, "model-00002-of-00002.safetensors": {Content: []byte("two"), LFS: true},
			"model-00003-of-00003.safetensors": {Content: []byte("other"), LFS: true},
		})
		dir, err := Locate(context.Background(), ModelOptions{Model: "org/big", Download: true})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v, want %q", err, c.err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
		if err != nil || len(names) != 2 {
			t.Errorf("%q, %v", names, err)
		}
	}
}

// A ref that would lead out of the cache is refused, not followed.
func TestHubModelRefs(t *testing.T) {
	hubtest.New(t)
	repo := hub.DefaultCache().Repo(hub.Repo{Kind: hub.Model, Name: "an-org/a-model"})
	for _, ref := range []string{"../../..", "/etc", "a/b", ""} {
		if err := os.MkdirAll(filepath.Join(repo, "refs"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(repo, "refs", "main"), []byte(ref), 0o666); err != nil {
			t.Fatal(err)
		}
		if dir, err := FindModel("an-org/a-model"); err == nil || !strings.Contains(err.Error(), "is not a commit") {
			t.Errorf("%q leads to %s, %v", ref, dir, err)
		}
	}
}
