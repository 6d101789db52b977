package checkpoint

import (
	"fmt"
	"os"

	"github.com/softbench/softbench/internal/regularfile"
)

// watched is a small file as it was before it was read.
type watched struct {
	path string
	info os.FileInfo
}

// watch remembers what a file is like before it is read.
func (k *Checkpoint) watch(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return regularfile.PathError(path, err)
	}
	k.small = append(k.small, watched{path, info})
	return nil
}

// Settled returns an error where anything that was read has been written to or
// replaced since Open, so that parts of two checkpoints may have been loaded as
// one. Ask when the weights are packed: what happens to the files afterwards
// changes nothing but what SHA256, not yet computed, says, and it looks itself.
func (k *Checkpoint) Settled() error {
	for _, w := range k.small {
		now, err := os.Stat(w.path)
		if err != nil || !os.SameFile(w.info, now) || now.Size() != w.info.Size() || !now.ModTime().Equal(w.info.ModTime()) {
			return fmt.Errorf("%s: the file was written to, replaced or removed while it was read: start again when nothing writes to its directory", w.path)
		}
	}
	if err := k.set.Unchanged(); err != nil {
		return err
	}
	return k.set.InPlace()
}

// Changed reports, for a note, whether the weights' files have been written to or
// replaced since Open.
func (k *Checkpoint) Changed() bool { return k.Settled() != nil }
