package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/engine/pickle"
	"github.com/softbench/softbench/engine/safetensors"
)

// openTorch maps pytorch_model.bin, or the shards that its index names.
func (k *Checkpoint) openTorch(weights string) (err error) {
	k.Format = "PyTorch"
	paths := []string{weights}
	if filepath.Base(weights) == torchIndex {
		shards, err := shardsOf(weights)
		if err != nil {
			return err
		}
		paths = nil
		for _, s := range shards {
			if !filepath.IsLocal(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '\\' }) {
				return fmt.Errorf("%s: %q is not a file below the index's directory", weights, s)
			}
			paths = append(paths, filepath.Join(k.Dir, filepath.FromSlash(s)))
		}
	}
	var files []*safetensors.File
	var all []*safetensors.Tensor
	defer func() {
		if err != nil && k.set == nil {
			for _, f := range files {
				_ = f.Close() // the error that matters is err
			}
		}
	}()
	for _, path := range paths {
		f, tensors, err := pickle.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s names this shard; download it", err, weights)
		} else if err != nil {
			return err
		}
		files, all = append(files, f), append(all, tensors...)
	}
	set, err := safetensors.NewSet(files, all)
	if err != nil {
		files = nil // closed
		return err
	}
	k.set = set
	return nil
}
