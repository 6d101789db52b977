package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/regularfile"
)

// Wanted chooses from the names of a repository's files those that make a checkpoint,
// in two steps: small holds the configuration, the tokenizer and the weights' index,
// and Weights tells, once they are in a directory, which files hold the weights.
func Wanted(names []string) (small []string, err error) {
	for _, name := range names {
		if strings.Contains(name, "/") {
			continue
		}
		switch {
		case name == "config.json", name == paramsFile, name == consolidatedIndex, name == "generation_config.json", name == indexFile, name == torchIndex,
			strings.HasPrefix(name, "tokenizer") && (strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".model")), strings.HasPrefix(name, "tokenizer.model.v"),
			name == "special_tokens_map.json", name == "added_tokens.json", name == "vocab.json", name == "merges.txt", name == "tekken.json",
			name == "chat_template.jinja", name == "chat_template.json":
			small = append(small, name)
		}
	}
	own := consolidated(names)
	if !slices.Contains(small, "config.json") && own == "" {
		return nil, errors.New("it has no config.json: it is not a checkpoint that softbench reads")
	}
	if _, err := Weights(names, ""); err != nil && !slices.Contains(small, indexFile) && !slices.Contains(small, torchIndex) && own != consolidatedIndex {
		return nil, err
	}
	return small, nil
}

const (
	torchFile  = "pytorch_model.bin"
	torchIndex = "pytorch_model.bin.index.json"
	singleFile = "model.safetensors"
	indexFile  = "model.safetensors.index.json"
	maxIndex   = 256 << 20
)

// Weights chooses the files that hold the weights as Open does: model.safetensors,
// else the shards that the index in dir names, else the only .safetensors there is,
// else pytorch_model.bin or its shards; before all, where there is no config.json for
// them, Mistral's consolidated.safetensors.
func Weights(names []string, dir string) ([]string, error) {
	switch own := consolidated(names); own {
	case "":
	case consolidatedIndex:
		return shardsIn(names, dir, own)
	default:
		return []string{own}, nil
	}
	if slices.Contains(names, singleFile) {
		return []string{singleFile}, nil
	}
	if slices.Contains(names, indexFile) {
		return shardsIn(names, dir, indexFile)
	}
	var found []string
	for _, n := range names {
		if strings.HasSuffix(n, ".safetensors") && !strings.Contains(n, "/") && !strings.HasPrefix(n, "adapter_") {
			found = append(found, n)
		}
	}
	if len(found) == 1 && !strings.Contains(found[0], "-of-") {
		return found, nil
	}
	switch {
	case len(found) > 0:
	case slices.Contains(names, torchFile):
		return []string{torchFile}, nil
	case slices.Contains(names, torchIndex):
		return shardsIn(names, dir, torchIndex)
	}
	return nil, errors.New("it has no weights that softbench reads: neither model.safetensors nor model.safetensors.index.json")
}

// shardsIn are the files that an index names, all of which must be there.
func shardsIn(names []string, dir, index string) ([]string, error) {
	shards, err := shardsOf(filepath.Join(dir, index))
	if err != nil {
		return nil, err
	}
	for _, s := range shards {
		if !slices.Contains(names, s) {
			return nil, fmt.Errorf("%s names %q, which is not there", index, s)
		}
	}
	return shards, nil
}

// shardsOf are the files that an index names, sorted.
func shardsOf(path string) ([]string, error) {
	text, err := regularfile.ReadAll(context.Background(), path, maxIndex)
	if err != nil {
		return nil, err
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, fmt.Errorf("%s: not an index of weights: %w", path, jsonplace.Plain(err))
	}
	var shards []string
	seen := map[string]bool{}
	for _, s := range index.WeightMap {
		if !seen[s] {
			seen[s] = true
			shards = append(shards, s)
		}
	}
	slices.Sort(shards)
	if len(shards) == 0 {
		return nil, fmt.Errorf("%s: it names no weights", path)
	}
	return shards, nil
}

// Is says whether a directory is meant to be a checkpoint.
func Is(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, "config.json")); err == nil {
		return true
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return consolidated(names) != ""
}

// Whole says whether a directory has all files of a checkpoint and its tokenizer: what
// a download that was stopped left has not.
func Whole(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	var names []string
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(dir, e.Name())); err == nil { // a link to what is gone does not count
			names = append(names, e.Name())
		}
	}
	has := func(name string) bool { return slices.Contains(names, name) }
	hasTokenizer := has("tokenizer.json") || has("tokenizer.model") || has("tekken.json") || has("vocab.json") && has("merges.txt") ||
		slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "tokenizer.model.v") })
	if !has("config.json") && consolidated(names) == "" || !hasTokenizer {
		return false
	}
	_, err = Weights(names, dir)
	return err == nil
}
