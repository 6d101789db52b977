package html

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
)

// Library is how a page gets at ECharts. Its script is never part of this
// repository: it is the reader's, or comes over the network.
type Library struct {
	Inline string // the script itself
	Link   bool   // otherwise: a link to Pinned, with its integrity hash
}

// Asset is a file on a public server, known by its hashes.
type Asset struct {
	URL       string
	SHA256    string // hexadecimal
	Integrity string // as in a script element
	Size      int64  // bytes
}

// Pinned is the ECharts build that pages link to and FetchLibrary downloads.
var Pinned = Asset{
	URL:       "https://cdn.jsdelivr.net/npm/echarts@5.6.0/dist/echarts.min.js",
	SHA256:    "bf4a223524e40b77c304bec67e1222cf551f14880cf42c69dc046558e11c07b1",
	Integrity: "sha384-pPi0zxBAoDu6+JXW/C68UZLvBUUtU+7zonhif43rqj7pxsGyqyqzcian2Rj37Rss",
	Size:      1034102,
}

// maxLibrary bounds a file given as ECharts, in bytes.
const maxLibrary = 16 << 20

// OpenLibrary reads ECharts from a file of any version of it.
func OpenLibrary(path string) (Library, error) {
	text, err := regularfile.ReadAll(context.Background(), path, maxLibrary)
	if _, ok := errors.AsType[*regularfile.TooLargeError](err); ok {
		return Library{}, fmt.Errorf("%s: more than %d bytes, that is not ECharts: give its echarts.min.js", path, maxLibrary)
	}
	if err != nil {
		return Library{}, err
	}
	switch {
	case !utf8.Valid(text) || !strings.Contains(string(text), "echarts"):
		return Library{}, fmt.Errorf("%s: not the ECharts script: give its echarts.min.js", path)
	}
	// In a page, a script ends at the first "</script" whatever surrounds it,
	// and "<!--" changes where that is; the parser also rewrites CR and NUL.
	lower := strings.ToLower(string(text))
	for _, bad := range []string{"</script", "<script", "<!--", "\r", "\x00"} {
		if strings.Contains(lower, bad) {
			return Library{}, fmt.Errorf("%s: holds %q, which cannot stand in a page: give the minified echarts.min.js", path, bad)
		}
	}
	return Library{Inline: string(text)}, nil
}

// CachePath is where the user's cache keeps the asset.
func (a Asset) CachePath(cacheDir string) string {
	return filepath.Join(cacheDir, "softbench", "echarts-"+a.SHA256[:16]+".min.js")
}

// Cached is the library in the user's cache; false where there is none. A file
// there with another hash is an error.
func (a Asset) Cached(cacheDir string) (Library, bool, error) {
	path := a.CachePath(cacheDir)
	text, err := regularfile.ReadAll(context.Background(), path, maxLibrary)
	if err != nil { // optional: one that is not there, or another user's, is done without
		return Library{}, false, nil
	}
	if err := a.check(text); err != nil {
		return Library{}, false, fmt.Errorf("%s: %w: delete it, or fetch it anew with 'softbench report --fetch-assets'", path, err)
	}
	lib, err := OpenLibrary(path)
	return lib, err == nil, err
}

func (a Asset) check(text []byte) error {
	sum := sha256.Sum256(text)
	if got := hex.EncodeToString(sum[:]); got != a.SHA256 {
		return fmt.Errorf("SHA-256 is %s, want %s", got, a.SHA256)
	}
	long := sha512.Sum384(text)
	if got := "sha384-" + base64.StdEncoding.EncodeToString(long[:]); got != a.Integrity {
		return fmt.Errorf("integrity hash is %s, want %s", got, a.Integrity)
	}
	return nil
}

// fetchTimeout bounds a download.
const fetchTimeout = 2 * time.Minute

// Fetch downloads the asset into the user's cache and returns its path. Nothing
// is written unless the hashes are right; a copy already there is kept.
func (a Asset) Fetch(ctx context.Context, client *http.Client, cacheDir string) (path string, err error) {
	path = a.CachePath(cacheDir)
	if text, err := regularfile.ReadAll(context.Background(), path, maxLibrary); err == nil && a.check(text) == nil {
		return path, nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("download: %w: give a copy of your own with --echarts FILE", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("download %s: %s: give a copy of your own with --echarts FILE", a.URL, resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, a.Size+1))
	if err != nil {
		return "", fmt.Errorf("download %s: %w", a.URL, err)
	}
	if err := a.check(text); err != nil {
		return "", fmt.Errorf("download %s: %w: nothing was kept", a.URL, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
