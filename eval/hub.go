package eval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/gguf"
	"github.com/softbench/softbench/eval/hub"
)

// CachedModel is a checkpoint in the hub's local cache.
type CachedModel struct {
	Name        string // organisation/name, as --model takes it
	Description string // its directory
}

// Summary is what a checkpoint's headers say of it.
type Summary struct {
	Architecture string `json:"architecture"`
	Format       string `json:"format"`
	Stored       string `json:"stored"`
	Computed     string `json:"computed,omitempty"`
}

// Summarise reads a checkpoint's config and the headers of its weights' files, not the
// weights.
func Summarise(ctx context.Context, dir string) (Summary, error) {
	ck, err := checkpoint.OpenContext(ctx, dir, checkpoint.Options{SkipFinite: true})
	if err != nil {
		return Summary{}, err
	}
	defer ck.Close()
	return Summary{Architecture(ck.Config.ModelType, ck.Config.TextOf), ck.Format, ck.Stored(), ck.Computed}, nil
}

// Architecture names a model type, and the multimodal one that it is the text part of.
func Architecture(modelType, textOf string) string {
	if textOf == "" {
		return modelType
	}
	return modelType + ", the text part of a " + textOf + " model"
}

// CachedModels lists the hub's local cache, by name.
func CachedModels() []CachedModel {
	cache := hub.DefaultCache()
	var models []CachedModel
	for _, repo := range cache.Models() {
		if dirs, err := cache.Snapshots(repo, hub.Main); err == nil && len(dirs) > 0 {
			models = append(models, CachedModel{repo.Name, dirs[0]})
		}
	}
	return models
}

// FindModel returns the directory of a checkpoint: name itself where it is one, else
// the snapshot of that name in the hub's local cache, of the revision behind an @ or
// the main one.
func FindModel(name string) (string, error) {
	return Locate(context.Background(), ModelOptions{Model: name})
}

// IsModel says whether the options name a model: in the hub's cache, or, where they
// allow to download, by any name that the hub may have.
func IsModel(o ModelOptions) bool {
	if _, err := os.Stat(o.Model); err == nil {
		return false
	}
	if name, _, _ := strings.Cut(o.Model, "@"); o.Download && strings.Contains(name, "/") {
		return hub.Repo{Kind: hub.Model, Name: name}.Check() == nil
	}
	o.Download = false
	_, err := Locate(context.Background(), o)
	return err == nil
}

// Locate is FindModel with the options' revision; it downloads a model that is not in
// the cache, or not all of it, where they say so.
func Locate(ctx context.Context, o ModelOptions) (string, error) {
	if o.Model == "" {
		return "", errors.New("no model given: use --model with a checkpoint directory")
	}
	info, err := os.Stat(o.Model)
	switch {
	case err == nil && o.Revision != "":
		return "", fmt.Errorf("model %s is here: --revision is about models of the hub", o.Model)
	case err == nil && (info.IsDir() || gguf.Is(o.Model)):
		return o.Model, nil
	case err == nil:
		return "", fmt.Errorf("model %s is a file: give the directory that holds config.json and the weights, or a .gguf file", o.Model)
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("model %s: %w", o.Model, err)
	}
	name, revision, named := strings.Cut(o.Model, "@")
	switch {
	case named && o.Revision != "" && o.Revision != revision:
		return "", fmt.Errorf("model %q names the revision %s, --revision %s", o.Model, revision, o.Revision)
	case o.Revision != "":
		revision = o.Revision
	case !named:
		revision = hub.Main
	}
	repo := hub.Repo{Kind: hub.Model, Name: name}
	if repo.Check() != nil {
		return "", fmt.Errorf("model %q: no such directory, and not the organisation/name of a model on the hub", o.Model)
	}
	if err := hub.CheckRevision(revision); err != nil {
		return "", fmt.Errorf("model %q: %w", o.Model, err)
	}
	return o.fromHub(ctx, repo, revision)
}

func (o ModelOptions) fromHub(ctx context.Context, repo hub.Repo, revision string) (string, error) {
	cache := hub.DefaultCache()
	dirs, err := cache.Snapshots(repo, revision)
	if _, ok := errors.AsType[*hub.Unreadable](err); ok {
		return "", fmt.Errorf("model %q: no such directory, and the hub's local cache cannot be read: %w: set HF_HOME to one of your own", o.Model, err)
	}
	if err != nil && !o.Download { // a download mends a broken ref
		return "", fmt.Errorf("model %q: no such directory, and in the hub's local cache: %w", o.Model, err)
	}
	if len(dirs) > 0 && (!o.Download || checkpoint.Whole(dirs[0])) {
		return dirs[0], nil
	}
	if !o.Download {
		return "", fmt.Errorf("model %q: no such directory, and no such model in the hub's local cache, %s, at revision %s; 'softbench run' and 'compare' fetch it with --download", o.Model, cache, revision)
	}
	dir, err := o.download(ctx, repo, revision)
	if err != nil && !errors.Is(err, context.Canceled) {
		return "", fmt.Errorf("downloading %s: %w", repo, err)
	}
	return dir, err
}

// download fetches a checkpoint's files: first the small ones, of which the index
// tells which files the weights are.
func (o ModelOptions) download(ctx context.Context, repo hub.Repo, revision string) (string, error) {
	client, err := hub.FromEnv()
	if err != nil {
		return "", err
	}
	client.Note = o.Note
	listing, err := client.List(ctx, repo, revision)
	if err != nil {
		return "", err
	}
	small, err := checkpoint.Wanted(listing.Names())
	if err != nil {
		return "", err
	}
	dir, err := client.Fetch(ctx, listing.At(listing.Commit), small)
	if err != nil {
		return "", err
	}
	weights, err := checkpoint.Weights(listing.Names(), dir)
	if err != nil {
		return "", err
	}
	client.Progress = o.Downloading
	return client.Fetch(ctx, listing, weights)
}
