package eval

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/quantised"
	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
)

// QuantisedCheckpoint is what Quantise wrote; its JSON field names are stable.
type QuantisedCheckpoint struct {
	Dir     string `json:"dir"`
	Scheme  string `json:"scheme"`
	Format  string `json:"format"`
	Tensors int    `json:"tensors"`
	Bytes   int64  `json:"bytes"` // of the tensors
	Before  int64  `json:"bytes_before"`
}

// Quantise writes a checkpoint with the weights of another, a model's name or directory,
// quantised by a scheme that Check has seen: config.json, model.safetensors and the tokenizer's files,
// in a new directory that appears whole or not at all. The same input gives the
// same bytes.
func Quantise(ctx context.Context, model, out string, s quantise.Scheme, progress func(done, total int64)) (*QuantisedCheckpoint, error) {
	dir, err := FindModel(model)
	if err != nil {
		return nil, err
	}
	ck, err := checkpoint.OpenContext(ctx, dir, checkpoint.Options{})
	if err != nil {
		return nil, err
	}
	defer ck.Close()
	made := &QuantisedCheckpoint{Dir: out, Scheme: s.String()}
	err = atomicfile.Directory(out, func(temp string) error {
		config, entries, err := ck.QuantisedEntries(ctx, s, progress)
		if err != nil {
			return err
		}
		made.Format, _ = config["quantization_config"].(map[string]any)["quant_method"].(string)
		made.Tensors = len(entries)
		for _, e := range entries {
			made.Bytes += int64(len(e.Data))
		}
		made.Before = ck.StoredBytes()
		if err := checkpoint.Write(temp, config, entries...); err != nil {
			return err
		}
		if err := copyTokenizer(ctx, dir, temp); err != nil {
			return err
		}
		return ck.Settled()
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// CheckQuantise refuses a scheme that no stored format has.
func CheckQuantise(text string) (quantise.Scheme, error) {
	s, err := quantise.Parse(text)
	if err != nil {
		return s, err
	}
	return s, quantised.Writable(s)
}

// copyTokenizer copies a checkpoint's small files, but for its config and index.
func copyTokenizer(ctx context.Context, from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	small, err := checkpoint.Wanted(names)
	if err != nil {
		return err
	}
	for _, name := range small {
		if name == "config.json" || name == "params.json" || strings.HasSuffix(name, ".index.json") {
			continue
		}
		text, err := regularfile.ReadAll(ctx, filepath.Join(from, name), 1<<30)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), text, 0o666); err != nil {
			return err
		}
	}
	return nil
}
