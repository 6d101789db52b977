package data

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/eval/hub"
)

// revisions of a dataset that may hold its files, in the order they are tried: the main branch, and
// the hub's own conversion to Parquet, which datasets made of scripts only have there.
var revisions = []string{hub.Main, "refs/convert/parquet"}

// hubID reports whether a dataset path is a hub id, ORG/NAME.
func hubID(p string) bool { return strings.Count(p, "/") == 1 }

func hubRepo(id string) hub.Repo { return hub.Repo{Kind: hub.Dataset, Name: id} }

// ownCache is where earlier versions kept what they downloaded: it is still read. "": nowhere.
func ownCache() hub.Cache {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return hub.Cache(filepath.Join(cache, "softbench", "hub"))
}

// fetch downloads the files of the first of splits the hub has, and returns the snapshot's directory.
func (s Source) fetch(ctx context.Context, d Dataset, splits []string) (string, error) {
	client := s.Hub
	if client == nil {
		var err error
		if client, err = hub.FromEnv(); err != nil {
			return "", err
		}
		client.Note = s.Notify
	}
	repo := hubRepo(d.Path)
	for _, cache := range s.Caches {
		hub.Sweep(cache, repo)
	}
	for _, revision := range revisions {
		listing, err := client.List(ctx, repo, revision)
		if hub.IsNotFound(err) && revision != hub.Main {
			continue
		}
		if err != nil {
			return "", err
		}
		names := listing.Names()
		for _, sp := range splits {
			files, err := choose(names, d.Config, sp, d.Files[sp], ofDataset)
			if err != nil {
				return "", err
			}
			if len(files) > 0 {
				return client.Fetch(ctx, listing, files)
			}
		}
	}
	return "", fmt.Errorf("the hub has no split %s in a format softbench reads", strings.Join(splits, " or "))
}

// cached returns the snapshot directories of a dataset in a cache. A cache that cannot be read, as
// another user's, is not an error here but a reason in unread: the documents may be elsewhere.
func cached(cache hub.Cache, id string) (dirs []string, unread error, err error) {
	dirs, err = cache.Snapshots(hubRepo(id), revisions...)
	var bad *hub.Unreadable
	if errors.As(err, &bad) {
		return nil, bad, nil
	}
	return dirs, nil, err
}
