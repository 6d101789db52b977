package data

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// extensions a split's file may have, the first being what softbench's own documentation uses.
var extensions = []string{".jsonl", ".parquet", ".json", ".ndjson", ".txt"}

// maxListing bounds how many files of a data directory are looked at.
const maxListing = 200_000

// listing returns the files below dir as slash-separated relative paths, sorted. Hidden files and
// directories are left out; a symbolic link to a file counts as a file (the hub's cache is made of
// them). A dir that is a file is its own listing of one.
func listing(dir string) (base string, names []string, err error) {
	info, err := os.Stat(dir)
	if err != nil {
		return "", nil, err
	}
	if !info.IsDir() {
		return filepath.Dir(dir), []string{filepath.Base(dir)}, nil
	}
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p != dir && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		if names = append(names, filepath.ToSlash(rel)); len(names) > maxListing {
			return fmt.Errorf("%s: more than %d files below it; name a smaller directory", dir, maxListing)
		}
		return nil
	})
	slices.Sort(names)
	return dir, names, err
}

// choose picks from a listing the files that hold a split of a dataset's configuration, in reading
// order. Layouts, each below config/, data/config/, then at the top and below data/:
//
//	SPLIT.jsonl (.parquet, .json, .ndjson, .txt)           one file
//	SPLIT-00000-of-00002.parquet (or -of-00002-HASH)       shards, all of them
//	SPLIT/0000.parquet                                     the hub's own conversion
//
// A dataset without a named configuration may also have all of them below one directory of any name.
// globs, where a dataset has them for this split, replace the layouts: path.Match patterns over the
// whole relative path. No match is an empty result; two layouts that both match, or a missing
// shard, are errors.
func choose(names []string, config, split string, globs []string) ([]string, error) {
	if len(globs) > 0 {
		return chooseGlobs(names, globs)
	}
	prefixes := []string{"", "data/", "default/"}
	if config != "" {
		prefixes = append([]string{config + "/", "data/" + config + "/"}, prefixes...)
	}
	for _, prefix := range prefixes {
		files, err := chooseAt(names, prefix, split)
		if err != nil || len(files) > 0 {
			return files, err
		}
	}
	if config == "" {
		return chooseOnlyConfig(names, split)
	}
	return nil, nil
}

// chooseOnlyConfig finds the split of a dataset whose only configuration has a directory of its own,
// whatever its name ("plain_text").
func chooseOnlyConfig(names []string, split string) ([]string, error) {
	var found []string
	last := ""
	for _, name := range names {
		dir, _, ok := strings.Cut(name, "/")
		if !ok || dir == last {
			continue
		}
		last = dir
		files, err := chooseAt(names, dir+"/", split)
		if err != nil {
			return nil, err
		}
		if len(files) > 0 && len(found) > 0 {
			return nil, fmt.Errorf("%s and %s: two configurations hold the split %q; name one in the task's dataset.config", found[0], files[0], split)
		}
		if len(files) > 0 {
			found = files
		}
	}
	return found, nil
}

func chooseGlobs(names, globs []string) ([]string, error) {
	var out []string
	for _, name := range names {
		for _, g := range globs {
			ok, err := path.Match(g, name)
			if err != nil {
				return nil, fmt.Errorf("the file pattern %q is malformed", g)
			}
			if ok {
				out = append(out, name)
				break
			}
		}
	}
	for _, name := range out {
		if path.Ext(name) != path.Ext(out[0]) {
			return nil, fmt.Errorf("%s and %s: files of two formats match; keep one format, or name the files", out[0], name)
		}
	}
	return out, nil
}

func chooseAt(names []string, prefix, split string) ([]string, error) {
	var found [][]string
	for _, ext := range extensions {
		if _, ok := slices.BinarySearch(names, prefix+split+ext); ok {
			found = append(found, []string{prefix + split + ext})
		}
	}
	shards, err := chooseShards(names, prefix, split)
	if err != nil {
		return nil, err
	}
	if len(shards) > 0 {
		found = append(found, shards)
	}
	var folder []string
	for _, name := range names {
		if rest, ok := strings.CutPrefix(name, prefix+split+"/"); ok && !strings.Contains(rest, "/") && strings.HasSuffix(rest, ".parquet") {
			folder = append(folder, name)
		}
	}
	if len(folder) > 0 {
		found = append(found, folder)
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%s and %s: both hold the split %q; keep one", found[0][0], found[1][0], split)
}

var shardName = regexp.MustCompile(`^-(\d{5})-of-(\d{5})(-[0-9a-f]+)?\.(parquet|jsonl|json)$`)

// chooseShards returns SPLIT-00000-of-0000N files in order, and refuses a set with a gap.
func chooseShards(names []string, prefix, split string) ([]string, error) {
	var out []string
	total := 0
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, prefix+split)
		if !ok {
			continue
		}
		m := shardName.FindStringSubmatch(rest)
		if m == nil {
			continue
		}
		i, _ := strconv.Atoi(m[1])
		n, _ := strconv.Atoi(m[2])
		if len(out) > 0 && n != total {
			return nil, fmt.Errorf("%s: one shard of %d among shards of %d; keep one set", name, n, total)
		}
		total = n
		if i > len(out) {
			return nil, fmt.Errorf("%s: shard %05d of %d is missing", prefix+split, len(out), total)
		}
		if i < len(out) {
			return nil, fmt.Errorf("%s: a second shard %05d; keep one set", name, i)
		}
		out = append(out, name)
	}
	if len(out) != total {
		return nil, fmt.Errorf("%s: shard %05d of %d is missing", prefix+split, len(out), total)
	}
	return out, nil
}
