package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/internal/regularfile"
)

// maxConfig bounds config.json, in bytes: real ones have a few thousand.
const maxConfig = 16 << 20

// survey looks at the directory, reads config.json into k, and returns the file
// that leads to the weights.
func (k *Checkpoint) survey(ctx context.Context, o Options) (weights string, err error) {
	st, err := os.Stat(k.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s: no such directory: give a Hugging Face checkpoint directory", k.Dir)
	case err != nil:
		return "", regularfile.PathError(k.Dir, err)
	case !st.IsDir():
		return "", fmt.Errorf("%s: not a directory: give the directory that holds config.json and *.safetensors", k.Dir)
	}
	entries, err := os.ReadDir(k.Dir)
	if err != nil {
		return "", regularfile.PathError(k.Dir, err)
	}
	names := make([]string, 0, len(entries))
	have := map[string]bool{}
	for _, e := range entries {
		names = append(names, e.Name())
		have[e.Name()] = true
	}
	if have["adapter_config.json"] || have["adapter_model.safetensors"] {
		return "", fmt.Errorf("%s: this is an adapter: give its base model, and this directory with --adapter, or merge the two (peft's merge_and_unload) and save that", k.Dir)
	}
	if own := consolidated(names); own != "" {
		path := filepath.Join(k.Dir, own)
		if own == consolidatedIndex {
			if err := k.watch(path); err != nil {
				return "", err
			}
		}
		return path, k.openParams(ctx, o)
	}
	if err := k.readConfig(ctx, have, names, o); err != nil {
		return "", err
	}
	if o.ConfigAlone {
		return "", nil
	}
	return k.findWeights(have, names)
}

func (k *Checkpoint) readConfig(ctx context.Context, have map[string]bool, names []string, o Options) error {
	path := filepath.Join(k.Dir, "config.json")
	if !have["config.json"] {
		hint := "give a Hugging Face checkpoint directory"
		if have[consolidatedFile] {
			hint = consolidatedFile + " has Mistral's own layout, whose settings are in params.json: download it too"
		} else if n := withSuffix(names, ".gguf"); n != "" {
			hint = "to read " + n + ", give that file's path, not its directory"
		}
		return fmt.Errorf("%s: there is no config.json: %s", k.Dir, hint)
	}
	if err := k.watch(path); err != nil {
		return err
	}
	text, err := regularfile.ReadAll(ctx, path, maxConfig)
	if err != nil {
		return err
	}
	k.ConfigText = text
	if k.Config, k.Notes, err = ParseConfig(text, o.Attention); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// findWeights chooses as transformers does: model.safetensors, else its index.
// A single .safetensors file of another name is taken too.
func (k *Checkpoint) findWeights(have map[string]bool, names []string) (string, error) {
	const single, index = "model.safetensors", "model.safetensors.index.json"
	if have[single] {
		if have[index] {
			k.Notes = append(k.Notes, "both "+single+" and "+index+" are there: the first is read, as by transformers")
		}
		return filepath.Join(k.Dir, single), nil
	}
	if have[index] {
		path := filepath.Join(k.Dir, index)
		return path, k.watch(path)
	}
	var found []string
	for _, n := range names {
		if strings.HasSuffix(n, ".safetensors") {
			found = append(found, n)
		}
	}
	if len(found) == 0 && have[torchFile] {
		return filepath.Join(k.Dir, torchFile), nil
	}
	if len(found) == 0 && have[torchIndex] {
		path := filepath.Join(k.Dir, torchIndex)
		return path, k.watch(path)
	}
	switch {
	case len(found) == 1 && !strings.Contains(found[0], "-of-"):
		return filepath.Join(k.Dir, found[0]), nil
	case len(found) > 0:
		return "", fmt.Errorf("%s: %d .safetensors files but neither %s nor %s: download the index too", k.Dir, len(found), single, index)
	}
	for _, other := range []struct{ suffix, hint string }{
		{".gguf", "give that file's path, not its directory"},
		{".bin", "call it pytorch_model.bin where torch.save wrote it of a state_dict, else load it with transformers and save it again with save_pretrained, which writes safetensors"},
		{".pt", "convert it to a Hugging Face checkpoint in safetensors"},
		{".pth", "convert it to a Hugging Face checkpoint in safetensors"},
	} {
		if n := withSuffix(names, other.suffix); n != "" {
			return "", fmt.Errorf("%s: no .safetensors file, only %s: %s", k.Dir, n, other.hint)
		}
	}
	return "", fmt.Errorf("%s: no weights: %s and %s are both missing", k.Dir, single, index)
}

func withSuffix(names []string, suffix string) string {
	for _, n := range names {
		if strings.HasSuffix(n, suffix) {
			return n
		}
	}
	return ""
}
