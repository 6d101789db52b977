package html

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// assetOf is an asset that a test server gives out.
func assetOf(url, text string) Asset {
	short, long := sha256.Sum256([]byte(text)), sha512.Sum384([]byte(text))
	return Asset{URL: url, SHA256: hex.EncodeToString(short[:]), Integrity: "sha384-" + base64.StdEncoding.EncodeToString(long[:]), Size: int64(len(text))}
}

const fakeLibrary = "/* echarts */ var echarts = {};"

func TestFetchKeepsOnlyTheRightBytes(t *testing.T) {
	served, status, requests := fakeLibrary, http.StatusOK, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.WriteHeader(status)
		_, _ = w.Write([]byte(served))
	}))
	defer server.Close()
	cache := t.TempDir()
	asset := assetOf(server.URL, fakeLibrary)
	fetch := func() (string, error) { return asset.Fetch(context.Background(), server.Client(), cache) }

	if _, ok, err := asset.Cached(cache); ok || err != nil {
		t.Fatalf("an empty cache has the library: %v, %v", ok, err)
	}
	for name, bad := range map[string]struct {
		text   string
		status int
		want   string
	}{
		"another file": {"/* echarts */ steal()", http.StatusOK, "nothing was kept"},
		"longer":       {fakeLibrary + "x", http.StatusOK, "nothing was kept"},
		"shorter":      {fakeLibrary[:5], http.StatusOK, "nothing was kept"},
		"not found":    {fakeLibrary, http.StatusNotFound, "404"},
	} {
		served, status = bad.text, bad.status
		if _, err := fetch(); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, bad.want)
		}
		if files, _ := filepath.Glob(filepath.Join(cache, "softbench", "*")); len(files) > 0 {
			t.Errorf("%s: left %v behind", name, files)
		}
	}

	served, status = fakeLibrary, http.StatusOK
	path, err := fetch()
	if err != nil {
		t.Fatal(err)
	}
	lib, ok, err := asset.Cached(cache)
	if err != nil || !ok || lib.Inline != fakeLibrary {
		t.Fatalf("Cached = %+v, %v, %v", lib, ok, err)
	}
	before := requests
	if _, err := fetch(); err != nil || requests != before {
		t.Errorf("a copy that is there was fetched again (error %v)", err)
	}

	// A copy that was changed is neither used nor kept.
	if err := os.WriteFile(path, []byte(fakeLibrary+"steal()"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := asset.Cached(cache); err == nil || !strings.Contains(err.Error(), "--fetch-assets") {
		t.Errorf("a changed copy: error %v, want one that says what to do", err)
	}
	if _, err := fetch(); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := asset.Cached(cache); !ok || err != nil {
		t.Errorf("fetched anew: %v, %v", ok, err)
	}

	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := asset.Fetch(cancelled, server.Client(), t.TempDir()); err == nil {
		t.Error("a cancelled download succeeded")
	}
}

func TestOpenLibraryRefusesWhatAPageCannotHold(t *testing.T) {
	for name, text := range map[string]string{
		"not a library":   "hello",
		"ends a script":   "echarts </SCRIPT>",
		"opens one":       "echarts <script",
		"a comment":       "echarts <!-- ",
		"carriage return": "echarts\r\n",
		"NUL":             "echarts\x00",
		"not UTF-8":       "echarts \xff",
		"too long":        "echarts" + strings.Repeat(" ", maxLibrary),
	} {
		path := filepath.Join(t.TempDir(), "echarts.js")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenLibrary(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with the file's name", name, err)
		}
	}
	if _, err := OpenLibrary(filepath.Join(t.TempDir(), "none.js")); err == nil {
		t.Error("a file that is not there was read")
	}
}

// Which script a page may run, by where ECharts comes from.
func TestPolicyAndLink(t *testing.T) {
	p := Page{Runs: twoRuns(t).Runs[:1]}
	offline := write(t, p)
	p.Library = Library{Link: true}
	linked := write(t, p)
	p.Library = Library{Inline: fakeLibrary, Link: true}
	inline := write(t, p)
	if strings.Contains(offline, "https://") || strings.Contains(inline, "https://") {
		t.Error("a page that needs no network names an address")
	}
	linked = html.UnescapeString(linked)
	if !strings.Contains(linked, `integrity="`+Pinned.Integrity+`" crossorigin="anonymous"`) || !strings.Contains(linked, "script-src "+hashSource(pageScript)+" "+Pinned.URL+";") {
		t.Error("a linked page lacks the integrity hash or the policy's exception")
	}
	if !strings.Contains(inline, "<script>"+fakeLibrary+"</script>") {
		t.Error("the library given is not in the page")
	}
}

// The pinned hashes are of one file: the one the browser test runs, if given.
func TestPinnedIsTheFileGiven(t *testing.T) {
	path := os.Getenv("SOFTBENCH_ECHARTS")
	if path == "" {
		t.Skip("SOFTBENCH_ECHARTS does not name an echarts.min.js")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := Pinned.check(text); err != nil {
		t.Error(err)
	}
	if int64(len(text)) != Pinned.Size {
		t.Errorf("%d bytes, pinned are %d", len(text), Pinned.Size)
	}
}
