package regularfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func put(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Files of every size around the reads' length come whole, through a link too.
func TestReadAll(t *testing.T) {
	for _, n := range []int{0, 1, 511, 1 << 20, 1<<20 + 1, 3<<20 + 7} {
		want := bytes.Repeat([]byte("abc"), n/3+1)[:n]
		path := put(t, "f", want)
		got, err := ReadAll(t.Context(), path, int64(n))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d read, %v", n, len(got), err)
		}
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(path, link); err != nil {
			t.Skip("no symbolic links here:", err)
		}
		if got, err := ReadAll(t.Context(), link, int64(n)); err != nil || len(got) != n {
			t.Errorf("%d bytes through a link: %d read, %v", n, len(got), err)
		}
	}
}

// What is larger than the bound is refused before it is read, whatever its size
// says of it.
func TestTooLarge(t *testing.T) {
	path := put(t, "f", []byte("12345"))
	var large *TooLargeError
	if _, err := ReadAll(t.Context(), path, 4); !errors.As(err, &large) || !strings.Contains(err.Error(), "at most 4 are read") {
		t.Error(err)
	}
	if err := Check(path, 4); !errors.As(err, &large) {
		t.Error(err)
	}
	if err := Check(path, 5); err != nil {
		t.Error(err)
	}
	const endless = "/proc/self/status" // its size is 0
	if _, err := os.Stat(endless); err != nil {
		return
	}
	if _, err := ReadAll(t.Context(), endless, 10); !errors.As(err, &large) {
		t.Errorf("%s: %v", endless, err)
	}
	if b, err := ReadAll(t.Context(), endless, 1<<20); err != nil || len(b) == 0 {
		t.Errorf("%s: %d bytes, %v", endless, len(b), err)
	}
}

// Each kind that is not a file is named, at once.
func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	paths := map[string]string{dir: "a directory"}
	if _, err := os.Stat("/dev/zero"); err == nil {
		paths["/dev/zero"] = "a device"
	}
	if fifo := filepath.Join(dir, "fifo"); makeFIFO(fifo) {
		paths[fifo] = "a pipe (FIFO)"
		link := filepath.Join(dir, "link")
		if os.Symlink(fifo, link) == nil {
			paths[link] = "a pipe (FIFO)"
		}
	}
	if l, err := net.Listen("unix", filepath.Join(dir, "s")); err == nil {
		defer l.Close()
		paths[filepath.Join(dir, "s")] = "a socket"
	}
	for path, want := range paths {
		_, err := ReadAll(t.Context(), path, 1<<20)
		var not *NotRegularError
		if !errors.As(err, &not) || !strings.Contains(err.Error(), path+": it is "+want+", not a file") {
			t.Errorf("%s: %v; want %s", path, err, want)
		}
		if err := Check(path, 1<<20); !errors.As(err, &not) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ReadAll(ctx, put(t, "f", []byte("x")), 9); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := io.ReadAll(Reader(ctx, strings.NewReader("x"))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if b, err := io.ReadAll(Reader(t.Context(), strings.NewReader("xyz"))); err != nil || string(b) != "xyz" {
		t.Error(b, err)
	}
}
