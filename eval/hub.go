package eval

import (
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/softbench/softbench/tasks/data"
)

// CachedModel is a checkpoint in the hub's local cache.
type CachedModel struct {
	Name        string // organisation/name, as --model takes it
	Description string // its directory
}

// CachedModels lists the hub's local cache, by name.
func CachedModels() []CachedModel {
	entries, err := os.ReadDir(data.HubCache())
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

// hubSnapshot returns the directory of organisation/name in the hub's cache, ""
// where it is not there.
func hubSnapshot(name string) string {
	if strings.Count(name, "/") != 1 || filepath.IsAbs(name) || strings.Contains(name, "..") {
		return ""
	}
	repo := filepath.Join(data.HubCache(), "models--"+strings.ReplaceAll(name, "/", "--"))
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
