package evaluate

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// CachedModel is a checkpoint in the hub's local cache.
type CachedModel struct {
	Name        string // organisation/name, as --model takes it
	Description string // its directory
}

// CachedModels lists the hub's local cache, by name.
func CachedModels() []CachedModel {
	entries, err := os.ReadDir(filepath.Join(hubHome(), "hub"))
	if err != nil {
		return nil // no cache
	}
	var models []CachedModel
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), "models--")
		if !ok {
			continue
		}
		name := strings.Replace(rest, "--", "/", 1)
		if dir := hubSnapshot(name); dir != "" {
			models = append(models, CachedModel{name, dir})
		}
	}
	sort.Slice(models, func(i, j int) bool { return models[i].Name < models[j].Name })
	return models
}

func hubHome() string {
	if home := os.Getenv("HF_HOME"); home != "" {
		return home
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(user, ".cache", "huggingface")
}

// hubSnapshot returns the directory of organisation/name in the hub's cache, ""
// where it is not there.
func hubSnapshot(name string) string {
	if strings.Count(name, "/") != 1 || filepath.IsAbs(name) || strings.Contains(name, "..") {
		return ""
	}
	repo := filepath.Join(hubHome(), "hub", "models--"+strings.ReplaceAll(name, "/", "--"))
	revision, err := os.ReadFile(filepath.Join(repo, "refs", "main"))
	if err != nil {
		return ""
	}
	dir := filepath.Join(repo, "snapshots", strings.TrimSpace(string(revision)))
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return ""
	}
	return dir
}
