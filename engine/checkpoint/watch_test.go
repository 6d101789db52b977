package checkpoint_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/randmodel"
)

// What happens to the files between Open and Settled, or the hash, is found; what
// changes no byte is not.
func TestSettled(t *testing.T) {
	const weights = "model.safetensors"
	for name, c := range map[string]struct {
		change          func(path string) error
		settled, hashed bool // whether Settled and SHA256 let it pass
	}{
		"nothing":   {func(string) error { return nil }, true, true},
		"renamed":   {func(p string) error { return os.Rename(p, p+".old") }, false, true},
		"mode":      {func(p string) error { return os.Chmod(p, 0o600) }, true, true},
		"hard link": {func(p string) error { return os.Link(p, p+".link") }, true, true},
		"a byte": {func(p string) error {
			f, err := os.OpenFile(p, os.O_RDWR, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt([]byte{0}, 4096)
			return err
		}, false, false},
		"times set back": {func(p string) error {
			info, err := os.Stat(p)
			if err != nil {
				return err
			}
			if err := os.WriteFile(p+".new", make([]byte, info.Size()), 0o666); err != nil {
				return err
			}
			data, _ := os.ReadFile(p)
			data[len(data)-1] ^= 1
			f, err := os.OpenFile(p, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			if _, err := f.Write(data); err != nil {
				return err
			}
			return os.Chtimes(p, info.ModTime(), info.ModTime())
		}, false, false},
		"longer": {func(p string) error {
			f, err := os.OpenFile(p, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.Write([]byte{1})
			return err
		}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := randmodel.Write(dir, randmodel.Options{}); err != nil {
				t.Fatal(err)
			}
			k := mustOpen(t, dir, Options{})
			time.Sleep(20 * time.Millisecond) // a tick of the file system's clock
			if err := c.change(filepath.Join(dir, weights)); err != nil {
				t.Fatal(err)
			}
			if err := k.Settled(); (err == nil) != c.settled {
				t.Errorf("Settled: %v", err)
			}
			if _, err := k.SHA256(t.Context()); (err == nil) != c.hashed {
				t.Errorf("SHA256: %v", err)
			}
		})
	}
	dir := t.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{}); err != nil {
		t.Fatal(err)
	}
	k := mustOpen(t, dir, Options{})
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	if k.Settled() == nil {
		t.Error("another config.json counts as settled")
	}
}
