package lmeval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/softbench/softbench/internal/regularfile"
)

// ErrNone says that there are no results at a path.
var ErrNone = errors.New("no results of lm-evaluation-harness here")

// Is says whether path is, or holds, results of lm-evaluation-harness: a results
// file, a directory of them, or the name that --output_path was given.
func Is(path string) bool {
	_, err := find(path)
	return err == nil
}

// Bounds of a results file, configurations and numbers of all tasks, far above real ones.
const (
	maxResults       = 64 << 20 // bytes
	maxResultValues  = 4 << 20
	maxResultObjects = 1 << 18
)

// Open reads the results in path, a results file or the directory that holds it
// (of several files the latest), with the samples of every task.
func Open(ctx context.Context, path string) (*Results, error) {
	file, err := find(path)
	if err != nil {
		return nil, err
	}
	text, err := regularfile.ReadAll(ctx, file, maxResults)
	if err != nil {
		return nil, err
	}
	r, hashes, err := parseResults(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	r.File = file
	if m := dated.FindStringSubmatch(filepath.Base(file)); m != nil {
		r.Date = m[2]
	}
	for i := range r.Tasks {
		t := &r.Tasks[i]
		if err := t.readSamples(ctx, filepath.Dir(file), r.Date, hashes[t.Name]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// dated is a results file's name: the harness writes results_DATE.json, and for
// --output_path res.json res_DATE.json.
var dated = regexp.MustCompile(`^(.+)_(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?)\.json$`)

// find returns the results file that path means.
func find(path string) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(path, ".json") {
		// The harness puts the date into the name that it was given.
		stem := strings.TrimSuffix(filepath.Base(path), ".json")
		if file := latest(filepath.Dir(path), func(s string) bool { return s == stem }); file != "" {
			return file, nil
		}
	}
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		if !strings.HasSuffix(path, ".json") {
			return "", fmt.Errorf("%s: not a results file of lm-evaluation-harness: its name does not end in .json", path)
		}
		return path, nil
	}
	if file, err := inDirectory(path); file != "" || err != nil {
		return file, err
	}
	// The harness makes a directory for each model below --output_path.
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	var found []string
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		file, err := inDirectory(filepath.Join(path, e.Name()))
		if err != nil {
			return "", err
		}
		if file != "" {
			found = append(found, file)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("%s: %w: there is no results_*.json", path, ErrNone)
	}
	return "", fmt.Errorf("%s: results of several models: name one of its directories, such as %s", path, filepath.Dir(found[0]))
}

// inDirectory is the results file that a directory means, "" where it has none: the
// latest results_DATE.json, else the latest of another name that it has.
func inDirectory(dir string) (string, error) {
	if file := latest(dir, func(stem string) bool { return stem == "results" }); file != "" {
		return file, nil
	}
	var stems []string
	file := latest(dir, func(stem string) bool {
		if !slices.Contains(stems, stem) {
			stems = append(stems, stem)
		}
		return true
	})
	if len(stems) > 1 {
		return "", fmt.Errorf("%s: results of several names, %s_* and %s_*: name one of the files", dir, stems[0], stems[1])
	}
	return file, nil
}

// latest is the results file of a directory with the latest date, of those whose name
// before it is taken; "": none.
func latest(dir string, take func(stem string) bool) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	last, date := "", ""
	for _, e := range entries {
		if m := dated.FindStringSubmatch(e.Name()); !e.IsDir() && m != nil && take(m[1]) && m[2] > date {
			last, date = e.Name(), m[2]
		}
	}
	if last == "" {
		return ""
	}
	return filepath.Join(dir, last)
}

// samplesFiles are the files that may hold a task's samples: that of the results'
// date, or, where the results file was given another name, all there are.
func samplesFiles(dir, task, date string) []string {
	exact := filepath.Join(dir, "samples_"+task+"_"+date+".jsonl")
	if date == "" {
		exact = filepath.Join(dir, "samples_"+task+"_*.jsonl")
	}
	if _, err := os.Stat(exact); err == nil || date != "" {
		return []string{exact}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []string{exact}
	}
	var found []string
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), "samples_"+task+"_")
		if ok && dated.MatchString("x_"+strings.TrimSuffix(name, "l")) {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	if len(found) == 0 {
		return []string{exact}
	}
	slices.Reverse(found) // the latest first
	return found
}

// readSamples reads the task's samples. hash is the results file's over them; "" in
// files of older versions.
func (t *Task) readSamples(ctx context.Context, dir, date, hash string) error {
	files := samplesFiles(dir, t.Name, date)
	for i, path := range files {
		f, err := regularfile.Open(path)
		if err != nil {
			return missingSamples(path, err)
		}
		t.Samples, err = parseSamples(regularfile.Reader(ctx, f))
		_ = f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		switch {
		case hash != "" && hashSamples(t.Samples) == hash, hash == "" && len(files) == 1:
			return nil
		case hash == "":
			return fmt.Errorf("%s: several samples files of the task %s, and the results do not say which is theirs: give the results file the date of one in its name", dir, t.Name)
		case i == len(files)-1:
			return fmt.Errorf("%s: these are not the samples that the results file was written with: the hash over them differs (changed, cut off, or of another evaluation)", path)
		}
	}
	return nil
}

// missingSamples explains a samples file that is not there.
func missingSamples(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: missing: results are compared document by document: run the harness with --log_samples", path)
	}
	return err
}
