package twins

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/softbench/softbench/internal/atomicfile"
)

//go:embed softmax softpick data
var files embed.FS

// Set is where the twins lie.
type Set struct {
	Softmax, Softpick string // checkpoint directories
	Data              string // what --data wants: the suite world's documents
}

// Unpack writes the twins below dir, and returns where. Their directory is named
// by its contents' hash: other versions are left alone, and one that is there
// already is used after every byte is compared. It appears whole or not at all;
// a damaged one is replaced. An error names the file.
func Unpack(dir string) (Set, error) { return unpack(files, dir) }

func unpack(from fs.FS, dir string) (Set, error) {
	name, err := digest(from)
	if err != nil {
		return Set{}, err
	}
	home := filepath.Join(dir, "twins-"+name[:12])
	set := Set{filepath.Join(home, "softmax"), filepath.Join(home, "softpick"), filepath.Join(home, "data")}
	if same(from, home) {
		return set, nil
	}
	if err := atomicfile.MkdirAll(dir, 0o777); err != nil {
		return Set{}, fmt.Errorf("unpacking the built-in models: %w", err)
	}
	temp, remove, err := atomicfile.TempDir(dir, ".twins-")
	if err != nil {
		return Set{}, fmt.Errorf("unpacking the built-in models: %w", err)
	}
	defer remove()
	made := filepath.Join(temp, "made")
	if err := writeAll(from, made); err != nil {
		return Set{}, fmt.Errorf("unpacking the built-in models: %w", err)
	}
	if _, err := os.Lstat(home); err == nil && !same(from, home) { // damaged
		if err := os.Rename(home, filepath.Join(temp, "damaged")); err != nil {
			return Set{}, fmt.Errorf("replacing damaged models: %w", err)
		}
	}
	// Another process may have been first; then theirs is used.
	if err := os.Rename(made, home); err != nil && !same(from, home) {
		return Set{}, fmt.Errorf("unpacking the built-in models: %w", err)
	}
	return set, nil
}

// digest is the SHA-256 over all names, sizes and bytes.
func digest(from fs.FS) (string, error) {
	sum := sha256.New()
	err := each(from, func(name string, data []byte) error {
		_, err := fmt.Fprintf(sum, "%q %d\n%s", name, len(data), data)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

// same reports whether dir holds every file, byte for byte.
func same(from fs.FS, dir string) bool {
	return nil == each(from, func(name string, data []byte) error {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		if !bytes.Equal(got, data) {
			return fmt.Errorf("%s differs", name)
		}
		return nil
	})
}

func writeAll(from fs.FS, dir string) error {
	return each(from, func(name string, data []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		return atomicfile.Write(path, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	})
}

// each calls do with every file, in the order of their names.
func each(from fs.FS, do func(name string, data []byte) error) error {
	return fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		return do(name, data)
	})
}
