package hub

import (
	"context"
	"fmt"
	"go/parser"
	gotoken "go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/eval/hub/hubtest"
)

// Answers that will not change, and those that last: one line that says what to do,
// and nothing left behind that could be taken for a file.
func TestRefusals(t *testing.T) {
	always := func(code int, cause string) func(*hubtest.Server, *Client) {
		return func(h *hubtest.Server, _ *Client) {
			h.Misbehave = func(w http.ResponseWriter, r *http.Request, cdn bool) bool {
				hubtest.Refuse(w, code, cause)
				return true
			}
		}
	}
	withToken := func(f func(*hubtest.Server, *Client)) func(*hubtest.Server, *Client) {
		return func(h *hubtest.Server, c *Client) { c.Token, c.TokenFrom = "hf_x", "HF_TOKEN"; f(h, c) }
	}
	entry := func(path, field string, value any) func(*hubtest.Server, *Client) {
		return func(h *hubtest.Server, _ *Client) {
			h.Entry = func(e map[string]any) {
				if e["path"] == path {
					if lfs, ok := e["lfs"].(map[string]any); ok && field != "path" {
						lfs[field] = value
					} else {
						e[field] = value
					}
				}
			}
		}
	}
	answer := func(part string, write func(h *hubtest.Server, w http.ResponseWriter, r *http.Request)) func(*hubtest.Server, *Client) {
		return func(h *hubtest.Server, _ *Client) {
			h.Misbehave = func(w http.ResponseWriter, r *http.Request, cdn bool) bool {
				if !strings.Contains(r.URL.Path, part) {
					return false
				}
				write(h, w, r)
				return true
			}
		}
	}
	says := func(part, text string) func(*hubtest.Server, *Client) {
		return answer(part, func(_ *hubtest.Server, w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, text) })
	}
	content := files()["model.safetensors"].Content
	for name, c := range map[string]struct {
		change   func(*hubtest.Server, *Client)
		want     string
		revision string
	}{
		"401":               {always(401, ""), "401 Unauthorized: there is no such model, or it is private or gated: check the name, or set HF_TOKEN", ""},
		"401 with a token":  {withToken(always(401, "")), "does not take the token in HF_TOKEN", ""},
		"403":               {always(403, ""), "accept its conditions at http://127.0.0.1", ""},
		"403 with a token":  {withToken(always(403, "")), "may not read it", ""},
		"404":               {always(404, "RepoNotFound"), "404 Not Found: check the name and the revision", ""},
		"no such revision":  {func(*hubtest.Server, *Client) {}, "no such revision", "v9"},
		"gated":             {func(h *hubtest.Server, _ *Client) { h.Gate = "hf_y" }, "it is gated: accept its conditions at", ""},
		"gated for others":  {withToken(func(h *hubtest.Server, _ *Client) { h.Gate = "hf_y" }), "was not granted access", ""},
		"disabled":          {always(403, "DisabledRepo"), "the hub has disabled it", ""},
		"429":               {always(429, ""), "429 Too Many Requests, in 5 tries: too many requests from here: try later, or set HF_TOKEN", ""},
		"500":               {always(500, ""), "500 Internal Server Error, in 5 tries: try again later", ""},
		"503":               {always(503, ""), "503 Service Unavailable, in 5 tries", ""},
		"418":               {always(418, ""), "418", ""},
		"offline":           {func(_ *hubtest.Server, c *Client) { c.Offline = "HF_HUB_OFFLINE" }, "HF_HUB_OFFLINE is set", ""},
		"no cache":          {func(_ *hubtest.Server, c *Client) { c.Cache = "" }, "set HF_HOME", ""},
		"server down":       {func(h *hubtest.Server, _ *Client) { h.Close() }, "refused", ""},
		"no such host":      {func(_ *hubtest.Server, c *Client) { c.Endpoint = "http://hub.invalid" }, "hub.invalid", ""},
		"silent":            {answer("", func(_ *hubtest.Server, w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), "no byte came for 50ms, in 5 tries", ""},
		"HTML":              {says("", "<html>log in</html>"), "not the JSON expected", ""},
		"HTML for the tree": {says("/tree/", "<html>log in</html>"), "not the JSON expected", ""},
		"an object":         {says("/tree/", `{"error": "x"}`), "not the JSON expected: it is not a list", ""},
		"a list":            {says("/revision/", `[]`), "not the JSON expected: the value is a JSON array, which it cannot be", ""},
		"deep":              {says("/tree/", strings.Repeat(`[`, 1<<20)), "not the JSON expected", ""},
		"not a commit":      {says("/revision/", `{"sha":"../../../etc"}`), "names no commit", ""},
		"a short commit":    {says("/revision/", `{"sha":"abcdef12"}`), "names no commit", ""},
		"no commit":         {says("/revision/", `{}`), "names no commit", ""},
		"a path outside":    {entry("config.json", "path", "../../config.json"), "outside the repository", ""},
		"an absolute path":  {entry("config.json", "path", "/etc/passwd"), "outside the repository", ""},
		"a hidden path":     {entry("config.json", "path", "a/../../b"), "outside the repository", ""},
		"a dot":             {entry("config.json", "path", "."), "outside the repository", ""},
		"no path":           {entry("config.json", "path", ""), "without a name", ""},
		"backslashes":       {entry("config.json", "path", `..\..\x`), "outside the repository", ""},
		"a NUL":             {entry("config.json", "path", "a\x00b"), "outside the repository", ""},
		"a long path":       {entry("config.json", "path", strings.Repeat("a/", 3000)+"b"), "outside the repository", ""},
		"twice":             {entry("empty.txt", "path", "config.json"), "lists \"config.json\" twice", ""},
		"a file below one":  {entry("empty.txt", "path", "config.json/x"), "has no file \"empty.txt\"", ""},
		"a wrong id":        {entry("config.json", "oid", "../../x"), "for its hash", ""},
		"a wrong LFS id":    {entry("model.safetensors", "oid", "/etc/passwd"), "for its SHA-256", ""},
		"below nothing":     {entry("config.json", "size", -5), "a size of -5 bytes", ""},
		"in words":          {entry("config.json", "size", "big"), "not the JSON expected", ""},
		"wrong hash": {answer("/model.safetensors", func(_ *hubtest.Server, w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(make([]byte, len(content)))
		}), "the bytes hash to", ""},
		"longer": {answer("/model.safetensors", func(_ *hubtest.Server, w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(make([]byte, len(content)+1))
		}), "longer than the", ""},
		"always cut off": {answer("/model.safetensors", func(_ *hubtest.Server, w http.ResponseWriter, r *http.Request) { cut(w, content, 1000) }),
			"cut off: 1000 of 3145728 bytes, in 5 tries", ""},
		"a loop of redirects": {answer("/resolve/", func(_ *hubtest.Server, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}), "more than 10 redirects", ""},
		"a redirect nowhere": {answer("/resolve/", func(_ *hubtest.Server, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}), "not an address", ""},
		"an empty redirect": {answer("/resolve/", func(_ *hubtest.Server, w http.ResponseWriter, r *http.Request) { w.WriteHeader(302) }), "not an address", ""},
		"unasked 206": {answer("/resolve/", func(_ *hubtest.Server, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(206)
			fmt.Fprint(w, "x")
		}), "206", ""},
		"a listing in a loop": {answer("/tree/", func(h *hubtest.Server, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "<"+h.URL+r.URL.RequestURI()+`>; rel="next"`)
			fmt.Fprint(w, "[]")
		}), "does not end", ""},
		"a listing without an end": {answer("/tree/", func(h *hubtest.Server, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "<"+h.URL+r.URL.RequestURI()+`1>; rel="next"`)
			fmt.Fprint(w, "[]")
		}), "does not end", ""},
		"a listing elsewhere": {answer("/tree/", func(h *hubtest.Server, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "<"+h.CDN.URL+`/next>; rel="next"`)
			fmt.Fprint(w, "[]")
		}), "at another address", ""},
		"a huge listing": {answer("/tree/", func(_ *hubtest.Server, w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "[")
			for i := range maxFiles + 1 {
				fmt.Fprintf(w, `{"type":"file","path":"%d","oid":"%040d","size":1},`, i, i)
			}
		}), "more than 200000 files", ""},
		"an answer without an end": {answer("/tree/", func(_ *hubtest.Server, w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `[{"type":"file","path":"`)
			block := []byte(strings.Repeat("a", 1<<20))
			for range maxReply/len(block) + 1 {
				_, _ = w.Write(block)
			}
		}), "more than 64 MiB", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := hubtest.New(t)
			h.Add("models/org/name", "main", files())
			cl := client(t)
			if name == "silent" {
				cl.Stall = 50 * time.Millisecond
			}
			c.change(h, cl)
			revision := c.revision
			if revision == "" {
				revision = Main
			}
			_, err := get(cl, revision, "config.json", "empty.txt", "model.safetensors")
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%v; want %q", err, c.want)
			}
			for _, secret := range []string{"hf_x", "X-Signature", "secret"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q tells %q", err, secret)
				}
			}
			for _, path := range left(t, cl.Cache) {
				if name != "always cut off" || !strings.HasSuffix(path, ".incomplete") {
					t.Errorf("left behind: %s", path)
				}
			}
			if _, err := os.Stat(filepath.Join(cl.Cache.Repo(model), "refs", "main")); err == nil {
				t.Error("the ref names what is not here")
			}
		})
	}
}

// The token goes to the hub's own address and to no other: not by a redirect, to
// another port or host, not by a page's link.
func TestTokenStaysAtHome(t *testing.T) {
	h := hubtest.New(t)
	h.Add("models/org/name", "main", files())
	h.Gate = "hf_y"
	t.Setenv("HF_TOKEN", " hf_y\n")
	if _, err := get(client(t), Main, asked...); err != nil {
		t.Fatal(err)
	}
	hosts := map[bool]int{}
	for _, r := range h.Requests() {
		hosts[r.CDN]++
		if (r.Auth == "Bearer hf_y") == r.CDN {
			t.Errorf("%s (other host: %v) got the token %q", r.Path, r.CDN, r.Auth)
		}
	}
	if hosts[true] == 0 || hosts[false] == 0 {
		t.Error(hosts)
	}
	// Without a token, none; huggingface_hub's own switch is honoured.
	t.Setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
	if _, err := client(t).List(context.Background(), model, Main); err != nil {
		t.Fatal(err)
	}
	for _, r := range h.Requests() {
		if r.Auth != "" {
			t.Errorf("%s got a token", r.Path)
		}
	}
}

// From https no redirect leads to http.
func TestRedirectToHTTP(t *testing.T) {
	h := hubtest.New(t)
	h.Add("models/org/name", "main", files())
	secure := httptest.NewTLSServer(http.RedirectHandler(h.URL, http.StatusFound))
	defer secure.Close()
	c := client(t)
	c.Endpoint, c.Transport = secure.URL, secure.Client().Transport
	if _, err := c.List(context.Background(), model, Main); err == nil || !strings.Contains(err.Error(), "from https to http") {
		t.Error(err)
	}
	if n := len(h.Requests()); n > 0 {
		t.Errorf("%d requests in the clear", n)
	}
	c.Transport = nil // whose certificate nobody knows
	waited := 0
	c.wait = func(context.Context, time.Duration) error { waited++; return nil }
	if _, err := c.List(context.Background(), model, Main); err == nil || !strings.Contains(err.Error(), "certificate") || waited > 0 {
		t.Errorf("%v after %d waits", err, waited)
	}
}

// Names and revisions that would lead out of the cache are none.
func TestNames(t *testing.T) {
	for _, name := range []string{"org/name", "gpt2", "a/b.c-d_e", "HuggingFaceTB/SmolLM2-135M"} {
		if err := (Repo{Model, name}).Check(); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "/", "a/", "/a", "a/b/c", "..", "../a", "a/..", "a/../b", "a--b/c", "a/b--c", ".a/b", "-a/b", "a/b.git", "a b/c", "a/b\n", "a\\b", "a/b@c", strings.Repeat("a", 300)} {
		if err := (Repo{Model, name}).Check(); err == nil {
			t.Errorf("%q is taken", name)
		}
		if _, err := Cache(t.TempDir()).Snapshots(Repo{Model, name}, Main); err == nil {
			t.Errorf("%q is looked for", name)
		}
	}
	for _, rev := range []string{"main", "v1.0", "step1000-tokens4B", "refs/pr/1", "refs/convert/parquet", strings.Repeat("a", 40), "feature/x"} {
		if err := CheckRevision(rev); err != nil {
			t.Error(err)
		}
	}
	for _, rev := range []string{"", "/", "/etc/passwd", "..", "../x", "a/../b", "a//b", "a/", ".hidden", "a/.b", "a b", "a\x00", "a\\b", "C:x", "a..b", "x.lock", "a~1", "a^", strings.Repeat("a", 300)} {
		if err := CheckRevision(rev); err == nil {
			t.Errorf("%q is taken", rev)
		}
		if _, err := client(t).List(context.Background(), model, rev); err == nil || !strings.Contains(err.Error(), "not a revision") {
			t.Errorf("%q: %v", rev, err)
		}
	}
}

// The package is a leaf: it knows nothing of documents, checkpoints or commands.
func TestImports(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		f, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			p := strings.Trim(i.Path.Value, `"`)
			if strings.HasPrefix(p, "github.com/softbench/") && !strings.Contains(p, "/internal/") && !(strings.HasSuffix(path, "_test.go") && strings.HasSuffix(p, "/hubtest")) {
				t.Errorf("%s imports %s", path, p)
			}
		}
	}
}
