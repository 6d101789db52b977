package safetensors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/softbench/softbench/internal/regularfile"
)

// Set is the tensors of one file, or of all shards an index names.
type Set struct {
	Files []*File

	// Notes say where an index and its shards do not agree; one line each.
	Notes []string

	byName map[string]*Tensor
	names  []string
}

// OpenSet opens path: a .safetensors file, or an index as the hub writes it
// (model.safetensors.index.json) with its shards, which lie beside it.
//
// As transformers does, it takes what is in the shards that the index names,
// whatever else the index says of it, and leaves a note; a tensor of two contents
// is an error.
func OpenSet(path string) (*Set, error) {
	s := &Set{byName: map[string]*Tensor{}}
	if !strings.HasSuffix(path, ".json") {
		f, err := Open(path)
		if err != nil {
			return nil, err
		}
		s.Files, s.byName = []*File{f}, f.byName
	} else if err := s.openIndex(path); err != nil {
		_ = s.Close() // the error that matters is err
		return nil, err
	}
	for name := range s.byName {
		s.names = append(s.names, name)
	}
	slices.Sort(s.names)
	return s, nil
}

func (s *Set) openIndex(path string) error {
	data, err := regularfile.ReadAll(context.Background(), path, MaxHeader)
	if err != nil {
		return err
	}
	shardOf, err := parseIndex(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var unnamed, elsewhere, twice, absent namesSeen
	shards := map[string]bool{}
	for _, shard := range shardOf {
		shards[shard] = true
	}
	for _, shard := range slices.Sorted(maps.Keys(shards)) {
		f, err := Open(filepath.Join(filepath.Dir(path), filepath.FromSlash(shard)))
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%w: %s names this shard; download it", err, path)
		} else if err != nil {
			return err
		}
		s.Files = append(s.Files, f)
		for _, t := range f.Tensors() {
			if first := s.byName[t.Name]; first != nil {
				if first.DType != t.DType || !slices.Equal(first.Shape, t.Shape) || !bytes.Equal(first.Data, t.Data) {
					return fmt.Errorf("%s: tensor %q is in %s too, with other contents: shards of two models lie in one directory", f.Path, t.Name, first.path)
				}
				twice.add(t.Name)
				continue
			}
			s.byName[t.Name] = t
			switch want, ok := shardOf[t.Name]; {
			case !ok:
				unnamed.add(t.Name)
			case want != shard:
				elsewhere.add(t.Name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shardOf)) {
		if s.byName[name] == nil {
			absent.add(name)
		}
	}
	for _, d := range []struct {
		names namesSeen
		text  string
	}{
		{unnamed, "are in the shards though the index does not name them"},
		{elsewhere, "are in another shard than the index says"},
		{twice, "are in two shards, with the same contents"},
		{absent, "are named by the index but in none of its shards"},
	} {
		if d.names.count > 0 {
			s.Notes = append(s.Notes, fmt.Sprintf("%d tensors (such as %q) %s", d.names.count, d.names.first, d.text))
		}
	}
	return nil
}

// namesSeen counts names and keeps the first.
type namesSeen struct {
	first string
	count int
}

func (n *namesSeen) add(name string) {
	if n.count++; n.count == 1 {
		n.first = name
	}
}

// parseIndex returns the weight_map: tensor name to shard, a path below the
// index's directory.
func parseIndex(data []byte) (map[string]string, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("the index is not UTF-8")
	}
	d, err := newWalker(data, "index")
	if err != nil {
		return nil, err
	}
	var shardOf map[string]string
	err = d.object("index", maxMembers, func(key string) error {
		if key != "weight_map" {
			d.skip()
			return nil
		}
		shardOf = map[string]string{}
		return d.object(key, maxTensors, func(name string) error {
			shard, err := d.string(fmt.Sprintf("weight_map entry %q", name))
			if err != nil {
				return err
			}
			if !filepath.IsLocal(shard) || strings.ContainsFunc(shard, oddInPath) || !strings.HasSuffix(shard, ".safetensors") {
				return fmt.Errorf("weight_map entry %q: %q is not a .safetensors file below the index's directory", name, shard)
			}
			shardOf[name] = shard
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	if len(shardOf) == 0 {
		return nil, errors.New("the index has no weight_map with entries")
	}
	return shardOf, nil
}

// Names returns all tensor names, sorted.
func (s *Set) Names() []string { return s.names }

// Tensor returns the tensor of that name, nil where there is none.
func (s *Set) Tensor(name string) *Tensor { return s.byName[name] }

// FileOf returns the path of the file that holds t.
func (s *Set) FileOf(t *Tensor) string { return t.path }

// Rename gives every tensor the name that to returns for its own. Two that would
// have the same are an error.
func (s *Set) Rename(to func(name string) string) error {
	renamed := make(map[string]*Tensor, len(s.byName))
	for _, name := range s.names {
		t := s.byName[name]
		name = to(name)
		if other := renamed[name]; other != nil {
			return fmt.Errorf("%s: tensors %q and %q would both be %q", t.path, other.Name, t.Name, name)
		}
		renamed[name] = t
	}
	s.byName = renamed
	s.names = slices.Sorted(maps.Keys(renamed))
	for name, t := range renamed {
		t.Name = name
	}
	return nil
}

// Unchanged is File.Unchanged for all files.
func (s *Set) Unchanged() error {
	for _, f := range s.Files {
		if err := f.Unchanged(); err != nil {
			return err
		}
	}
	return nil
}

// InPlace is File.InPlace for all files.
func (s *Set) InPlace() error {
	for _, f := range s.Files {
		if err := f.InPlace(); err != nil {
			return err
		}
	}
	return nil
}

// Close closes all files: no tensor's Data may be touched afterwards.
func (s *Set) Close() error {
	var errs []error
	for _, f := range s.Files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// oddInPath is true of what no shard's name holds: it would mean a separator on
// some systems, or break an error's line.
func oddInPath(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }
