package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/html"
)

// Where a page's ECharts comes from: the file given, else the user's cache, else
// a link, unless offline.
func TestLibraryOrder(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	if dir, err := os.UserCacheDir(); err != nil || !strings.HasPrefix(dir, cache) {
		t.Skip("the cache directory does not follow the environment here")
	}
	open := func(l libraryFlags) html.Library {
		t.Helper()
		lib, err := l.open()
		if err != nil {
			t.Fatal(err)
		}
		return lib
	}
	if lib := open(libraryFlags{}); !lib.Link || lib.Inline != "" {
		t.Errorf("with nothing there: %+v, want a link", lib)
	}
	if lib := open(libraryFlags{offline: true}); lib != (html.Library{}) {
		t.Errorf("offline: %+v, want none", lib)
	}
	own := t.TempDir() + "/echarts.js"
	if err := os.WriteFile(own, []byte("/* echarts, mine */"), 0o644); err != nil {
		t.Fatal(err)
	}
	if lib := open(libraryFlags{echarts: own, offline: true}); lib.Inline != "/* echarts, mine */" {
		t.Errorf("with a file: %+v", lib)
	}

	// A copy in the cache that is not the pinned file stops the report.
	dir, _ := os.UserCacheDir()
	path := html.Pinned.CachePath(dir)
	if err := os.MkdirAll(strings.TrimSuffix(path, "/"+path[strings.LastIndex(path, "/")+1:]), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("/* echarts, changed */"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := (libraryFlags{}).open(); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("with a changed copy: error %v", err)
	}
}

// Fetching asks the network once and says where the copy is; a wrong file is
// refused.
func TestFetchAssets(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("not the pinned file"))
	}))
	defer server.Close()
	asset := html.Pinned
	asset.URL = server.URL
	var out strings.Builder
	err := fetchAssets(context.Background(), &out, asset)
	if err == nil || !strings.Contains(err.Error(), "nothing was kept") || out.Len() > 0 {
		t.Errorf("error %v, output %q", err, out.String())
	}
}
