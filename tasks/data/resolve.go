package data

import (
	"context"
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
var extensions = []string{".jsonl", ".parquet", ".json", ".ndjson", ".csv", ".tsv", ".txt",
	".jsonl.gz", ".json.gz", ".ndjson.gz", ".csv.gz", ".tsv.gz", ".txt.gz",
	".jsonl.zst", ".json.zst", ".ndjson.zst", ".csv.zst", ".tsv.zst", ".txt.zst"}

const (
	maxListing = 200_000 // files of a data directory that are looked at
	maxLevels  = 40      // directories within each other
)

// listing returns the files below dir as slash-separated relative paths, sorted. Hidden files and
// directories are left out; symbolic links are followed, to directories too (but not into one that
// holds the link). A dir that is a file is its own listing of one.
func listing(ctx context.Context, dir string) (base string, names []string, err error) {
	info, err := os.Stat(dir)
	if err != nil {
		return "", nil, err
	}
	if !info.IsDir() {
		return filepath.Dir(dir), []string{filepath.Base(dir)}, nil
	}
	w := walk{ctx: ctx, root: dir}
	err = w.into(dir, "", []fs.FileInfo{info})
	slices.Sort(w.names)
	return dir, w.names, err
}

// walk lists files.
type walk struct {
	ctx   context.Context
	root  string
	names []string
}

// into lists the files of a directory; above are the directories it stands in, itself the last.
func (w *walk) into(dir, prefix string, above []fs.FileInfo) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		full, name := filepath.Join(dir, e.Name()), prefix+e.Name()
		isDir := e.IsDir()
		var info fs.FileInfo
		if isDir || e.Type()&fs.ModeSymlink != 0 {
			if info, err = os.Stat(full); err != nil {
				if !isDir { // a link to nothing: an error where the file is wanted
					w.names = append(w.names, name)
				}
				continue
			}
			isDir = info.IsDir()
		}
		if !isDir {
			if w.names = append(w.names, name); len(w.names) > maxListing {
				return fmt.Errorf("%s: more than %d files below it; name a smaller directory", w.root, maxListing)
			}
			continue
		}
		if slices.ContainsFunc(above, func(a fs.FileInfo) bool { return os.SameFile(a, info) }) {
			continue
		}
		if len(above) > maxLevels {
			return fmt.Errorf("%s: more than %d directories within each other", full, maxLevels)
		}
		if err := w.into(full, name+"/", append(above[:len(above):len(above)], info)); err != nil {
			return err
		}
	}
	return nil
}

// place is what a listed directory is of.
type place int

const (
	ofDataset place = iota // one dataset
	ofConfig               // one dataset, of which other tasks use other configurations
	ofMany                 // any datasets: a directory in it may be another's
)

// choose picks from a listing the files that hold a split of a dataset's configuration, in reading
// order. Layouts, each below config/, data/config/, then at the top and below data/:
//
//	SPLIT.jsonl (or another of extensions)                 one file
//	SPLIT-00000-of-00002.parquet (or -of-00002-HASH)       shards, all of them
//	SPLIT/0000.parquet                                     the hub's own conversion
//
// A dataset without a named configuration may also have all of them below one directory of any name.
// globs, where a dataset has them for this split, replace the layouts: path.Match patterns over the
// whole relative path. No match is an empty result; two layouts that both match, or a missing
// shard, are errors. So is a file outside the configuration's directory where others of the dataset are
// in use (ofConfig): nothing tells which it is of.
func choose(names []string, config, split string, globs []string, of place) ([]string, error) {
	if len(globs) > 0 {
		return chooseGlobs(names, globs)
	}
	prefixes := []string{"", "data/", "default/"}
	if config != "" {
		prefixes = append([]string{config + "/", "data/" + config + "/"}, prefixes...)
	}
	for i, prefix := range prefixes {
		files, err := chooseAt(names, prefix, split)
		if err != nil {
			return nil, err
		}
		if len(files) > 0 && of == ofConfig && config != "" && i >= 2 {
			return nil, fmt.Errorf("%s: the file's place does not say which configuration of the dataset it is of; move it to %s if it is %s",
				files[0], path.Join(config, path.Base(files[0])), config)
		}
		if len(files) > 0 {
			return files, nil
		}
	}
	if config == "" && of != ofMany {
		return chooseOnlyConfig(names, split)
	}
	return nil, nil
}

// chooseOnlyConfig finds the split of a dataset whose only configuration has a directory of its own,
// whatever its name ("plain_text").
func chooseOnlyConfig(names []string, split string) ([]string, error) {
	var found []string
	other := "" // a file of another split, in a directory without this one
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
			continue
		}
		for _, s := range []string{"train", "validation", "dev", "test"} {
			if others, err := chooseAt(names, dir+"/", s); err == nil && len(others) > 0 {
				other = others[0]
			}
		}
	}
	if len(found) > 0 && other != "" {
		return nil, fmt.Errorf("%s and %s: nothing tells whether the two are of one configuration; name one in the task's dataset.config", found[0], other)
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
			if _, packed := format(name); !ok && packed != "" { // a pattern of files is also of packed ones
				ok, _ = path.Match(g, name[:len(name)-len(packed)])
			}
			if ok {
				out = append(out, name)
				break
			}
		}
	}
	for _, name := range out {
		content, packed := format(name)
		if c, p := format(out[0]); c != content || p != packed {
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

var shardName = regexp.MustCompile(`^-(\d{5})-of-(\d{5})(-[0-9a-f]+)?\.(parquet|(jsonl|json|ndjson|csv|tsv|txt)(\.gz|\.zst)?)$`)

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

// unread is a file of a listing that looks like the split's and is in a format that is not read, with
// why; empty: there is none.
func unread(names []string, config, split string) (name, why string) {
	for _, name := range names {
		dir, base := path.Split(name)
		if config != "" && base == config && (dir == "" || dir == "data/") {
			return name, "is not a directory, but a file, or a symbolic link to what is not there"
		}
		if config != "" && strings.Contains(dir, "/") && !strings.HasPrefix(name, config+"/") && !strings.Contains("/"+dir, "/"+config+"/") && dir != split+"/" && dir != "data/" {
			continue
		}
		inSplit := strings.HasSuffix(dir, split+"/")
		ofSplit := strings.HasPrefix(base, split+".") || strings.HasPrefix(base, split+"-0")
		switch ext := strings.ToLower(path.Ext(base)); {
		case ext == ".arrow" && (inSplit || ofSplit || strings.Contains(base, split)):
			return name, "is an Arrow file, as datasets' save_to_disk writes it, which is not read: write the split with to_parquet or to_json"
		case ofSplit && !slices.Contains(extensions, strings.TrimPrefix(base, split)):
			return name, "is in a format that is not read: write it as .jsonl, .parquet, .csv or .tsv"
		}
	}
	return "", ""
}
