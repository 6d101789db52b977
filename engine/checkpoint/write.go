package checkpoint

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
)

// Write makes dir a Hugging Face checkpoint: config.json with the given members
// and model.safetensors with the given tensors. The weights come first and each
// file appears whole or not at all, so a directory with a config.json is
// complete. It does not check one against the other: Open does.
func Write(dir string, cfg map[string]any, tensors ...safetensors.Entry) error {
	return WriteShards(dir, cfg, 0, tensors...)
}

// WriteShards is Write with the weights in shards of at most limit bytes; 0 for
// one file.
func WriteShards(dir string, cfg map[string]any, limit int64, tensors ...safetensors.Entry) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return regularfile.PathError(dir, err)
	}
	path := filepath.Join(dir, "config.json")
	text, err := json.MarshalIndent(cfg, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// What transformers writes, and other tools look for.
	metadata := map[string]string{"format": "pt"}
	if err := safetensors.WriteShards(dir, tensors, metadata, limit); err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}
