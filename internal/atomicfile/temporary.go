package atomicfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/softbench/softbench/internal/filelock"
)

// temporary is a file beside its target, locked while its process lives.
type temporary struct {
	file  *os.File
	alike bool // it has the mode and the owner of what is there
	gone  bool // it took another name
}

// longest is how many bytes of a file's name its temporaries begin with: with what
// they add, a name of any length fits the 255 bytes of common file systems and the
// 143 of encrypting ones.
const longest = 96

var temporaryEnd = regexp.MustCompile(`^[0-9a-f]{16}\.tmp$`)

// prefix is how the names of a file's temporaries begin.
func prefix(base string) string {
	if len(base) > longest {
		cut := longest
		for cut > 0 && !utf8.RuneStart(base[cut]) {
			cut--
		}
		base = base[:cut]
	}
	return "." + base + "."
}

// temporary makes one. A file that is there lends it its mode and owner.
func (t *target) temporary() (*temporary, error) {
	dir, base := filepath.Split(t.path)
	mode := fs.FileMode(0o666)
	if t.info != nil {
		mode = 0o600 // nobody reads it before it has the right mode
	}
	for {
		name := dir + prefix(base) + fmt.Sprintf("%016x.tmp", rand.Uint64())
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return nil, err
		}
		temp := &temporary{file: f}
		if !temp.hold() { // swept away before it was locked
			_ = f.Close()
			continue
		}
		temp.alike = t.info == nil || alike(f, t.info)
		return temp, nil
	}
}

// hold locks the file, which tells other processes that its own lives.
func (t *temporary) hold() bool {
	if errors.Is(filelock.Try(t.file), filelock.ErrLocked) {
		return false
	}
	opened, err := t.file.Stat()
	now, gone := os.Lstat(t.file.Name())
	return err == nil && gone == nil && os.SameFile(opened, now)
}

func (t *temporary) rename(path string) error {
	if runtime.GOOS == "windows" { // where an open file keeps its name
		if err := t.file.Close(); err != nil {
			return err
		}
	}
	if err := os.Rename(t.file.Name(), path); err != nil {
		return err
	}
	t.gone = true
	return nil
}

// discard closes the file, and removes it unless it took its target's name.
func (t *temporary) discard() {
	if !t.gone {
		_ = os.Remove(t.file.Name())
	}
	_ = t.file.Close()
	if !t.gone {
		_ = os.Remove(t.file.Name()) // where an open file cannot be removed
	}
}

// unlocked is how old a temporary must be to count as left behind where locks do
// not tell.
const unlocked = 24 * time.Hour

// sweep removes the temporaries of a file that killed processes left.
func sweep(path string) {
	dir, base := filepath.Split(path)
	start := prefix(base)
	for _, name := range names(dir) {
		if end, ok := strings.CutPrefix(name, start); ok && temporaryEnd.MatchString(end) {
			remove(dir + name)
		}
	}
}

func names(dir string) []string {
	dir = cmp.Or(dir, ".")
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	all, _ := d.Readdirnames(-1) // what cannot be listed is not swept
	return all
}

// remove removes a temporary file unless its process lives.
func remove(path string) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	f, err := os.OpenFile(path, os.O_RDWR|notWaiting, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if left(f, info) {
		_ = os.Remove(path)
	}
}

// removeDir removes a temporary directory unless its process lives.
func removeDir(path string) {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return
	}
	d, err := os.Open(path)
	if err != nil {
		return
	}
	defer d.Close()
	if left(d, info) {
		_ = os.RemoveAll(path)
	}
}

// left says that no process that lives holds a temporary.
func left(f *os.File, info fs.FileInfo) bool {
	err := filelock.Try(f)
	if err == nil && runtime.GOOS != "windows" {
		return true
	}
	return (err == nil || !errors.Is(err, filelock.ErrLocked)) && time.Since(info.ModTime()) >= unlocked
}
