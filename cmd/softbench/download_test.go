package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/softbench/softbench/eval/hub/hubtest"
	"github.com/softbench/softbench/internal/golden"
)

// TestDownloads: documents come from a hub that refuses for a moment, and from one that wants a token; where there is
// none, the error says how to give one. A listing that goes on elsewhere is not followed there.
func TestDownloads(t *testing.T) {
	dir := golden.Dir(t)
	documents, err := os.ReadFile(filepath.Join(dir, "docs", "sciq", "test.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		hub   func(t *testing.T, h *hubtest.Server)
		token string
		want  string // the error; "": none
	}{
		"503": {hub: func(_ *testing.T, h *hubtest.Server) {
			var asked atomic.Int64
			h.Misbehave = func(w http.ResponseWriter, _ *http.Request, _ bool) bool {
				if asked.Add(1) > 1 {
					return false
				}
				hubtest.Refuse(w, http.StatusServiceUnavailable, "")
				return true
			}
		}},
		"gated":         {hub: func(_ *testing.T, h *hubtest.Server) { h.Gate = "hf_of_a_test" }, token: "hf_of_a_test"},
		"without token": {hub: func(_ *testing.T, h *hubtest.Server) { h.Gate = "hf_of_a_test" }, want: "HF_TOKEN"},
		"elsewhere": {want: "goes on at another address", hub: func(t *testing.T, h *hubtest.Server) {
			other := hubtest.New(t)
			t.Setenv("HF_ENDPOINT", h.URL)
			h.Misbehave = func(w http.ResponseWriter, r *http.Request, _ bool) bool {
				if !strings.Contains(r.URL.Path, "/tree/") {
					return false
				}
				w.Header().Set("Link", "<"+other.URL+r.URL.Path+`?recursive=true&cursor=1>; rel="next"`)
				_, _ = w.Write([]byte(`[]`))
				return true
			}
			t.Cleanup(func() {
				if n := len(other.Requests()); n > 0 {
					t.Errorf("the other host was asked %d times", n)
				}
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := hubtest.New(t)
			h.Add("datasets/allenai/sciq", "main", map[string]hubtest.File{"data/test.jsonl": {Content: documents}})
			c.hub(t, h)
			cmd := exec.Command("softbench", "run", "sciq", "--limit", "2", "--model", filepath.Join(dir, "tiny"), "--download")
			cmd.Env = os.Environ()
			if c.token != "" {
				cmd.Env = append(cmd.Env, "HF_TOKEN="+c.token)
			}
			out, err := cmd.CombinedOutput()
			if (err == nil) != (c.want == "") || !strings.Contains(string(out), c.want) {
				t.Errorf("%v, want %q:\n%s", err, c.want, out)
			}
			if strings.Contains(string(out), "hf_of_a_test") {
				t.Errorf("the token is printed:\n%s", out)
			}
		})
	}
}
