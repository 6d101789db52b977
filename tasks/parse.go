package tasks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/metric"
	"github.com/softbench/softbench/tasks/strictyaml"
)

// promptVersion counts changes of the Go code behind prompts (preparations, joins), so that a
// task's Digest changes with them. Raise it with every such change.
const promptVersion = 1

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// Parse reads a task's YAML. file is its path, for errors and as the place its own data files are
// relative to. Unknown keys, keys that do not fit the kind, and templates that do not parse are
// errors of one line with file and, where there is one, line and column.
func Parse(yaml []byte, file string) (*Task, error) {
	var d definition
	if err := strictyaml.Decode(yaml, file, &d); err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(d.Dataset.Split) == 0 {
		d.Dataset.Split = oneOrMany{"test"}
	}
	if len(d.Metrics) == 0 {
		for _, name := range metric.OfKind(d.Kind, false) {
			d.Metrics = append(d.Metrics, metricDef{Metric: name})
		}
	}
	generation, err := d.generation()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	names := d.Metrics.names()
	var own map[string]OwnMetric
	if generation != nil {
		names, own = generation.MetricNames(), generation.Own()
	}
	d.source = d.findSource()
	t := &Task{
		Name: d.Name, Description: d.Description, Version: d.Version, Kind: d.Kind,
		Splits: d.Dataset.Split, Train: d.Dataset.Train, MetricNames: names, Generation: generation, Own: own, Draws: d.Sampler == random,
		Dataset: data.Dataset{
			Path: d.Dataset.Path, Config: d.Dataset.Config, Aliases: d.Dataset.Aliases,
			Base: filepath.Dir(file), Linked: regularfile.LinkedDir(file), Named: d.Dataset.Shared,
		},
		def: &d,
	}
	if len(d.Dataset.Files) > 0 {
		t.Dataset.Files = map[string][]string{}
		for split, globs := range d.Dataset.Files {
			t.Dataset.Files[split] = globs
		}
	}
	// Naming the tested split for examples is what leaving train out once meant: a
	// task that now says so is the one that runs and baselines of before were made of.
	// Which examples a document got is in the hash of its prompt.
	meant := d
	if slices.Contains(d.Dataset.Split, d.Dataset.Train) {
		meant.Dataset.Train = ""
	}
	if t.Digest, err = meant.digest(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	meant.Dataset = datasetDef{}
	if t.Content, err = meant.digest(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return t, nil
}

// digest is the hexadecimal SHA-256 of a definition and of how prompts are made of one.
func (d *definition) digest() (string, error) {
	canonical, err := json.Marshal(struct {
		Prompt int         `json:"prompt_version"`
		Def    *definition `json:"definition"`
	}{promptVersion, d})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}

// check refuses what cannot be run, and keys that would be ignored.
func (d *definition) check() error {
	if !nameForm.MatchString(d.Name) {
		return fmt.Errorf("name is %q; it must be letters, digits, '_', '-' and '.'", shorten(d.Name))
	}
	for _, k := range Kinds {
		if k.Section != "" && strings.EqualFold(d.Name, string(k.Name)) {
			return fmt.Errorf("name is %q, which is the name of %s; choose another", d.Name, k.Section)
		}
	}
	if !slices.Contains(declared(), string(d.Kind)) {
		return fmt.Errorf("kind is %q; the kinds are %s", d.Kind, strings.Join(declared(), ", "))
	}
	if d.Prepare != "" && preparations[d.Prepare] == nil {
		return fmt.Errorf("prepare is %q; the preparations are %s", d.Prepare, strings.Join(preparationNames(), ", "))
	}
	if d.Dataset.Path == "" && len(d.Dataset.Files) == 0 {
		return fmt.Errorf("dataset needs a path (the hub's ORG/NAME) or files")
	}
	for i, m := range d.Metrics {
		name := m.Metric
		if slices.Contains(d.Metrics[:i].names(), name) {
			return fmt.Errorf("metric %q is there twice", name)
		}
		if known := metric.OfKind(d.Kind, true); !slices.Contains(known, name) {
			return fmt.Errorf("metric %q is not one of %s; those are %s", name, d.Kind, strings.Join(known, ", "))
		}
		if len(m.Options) > 0 && d.Kind != metric.GenerateUntil {
			return fmt.Errorf("metric %q has options, which only metrics of generated answers have", name)
		}
	}
	if err := d.checkExamples(); err != nil {
		return err
	}
	return d.checkKeys()
}

// checkKeys says which keys a kind needs and which it has no use for.
func (d *definition) checkKeys() error {
	given := map[string]bool{
		"context": d.Context != nil, "contexts": d.Contexts != nil, "choices": d.Choices != nil,
		"continuation": d.Continuation != nil, "gold": d.Gold != nil, "text": d.Text != nil, "page": d.Page != nil,
		"delimiter": d.Delimiter != nil, "target": d.Target != nil, "targets": d.Targets != nil, "options": d.Options != nil,
		"generation": d.Generation != nil, "filters": d.Filters != nil,
	}
	need, may := kindOf(d.Kind).Keys(given)
	for _, k := range need {
		if !given[k] {
			return fmt.Errorf("a %s task needs the key %q", d.Kind, k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(given)) {
		if given[k] && !slices.Contains(need, k) && !slices.Contains(may, k) {
			return fmt.Errorf("the key %q has no use in this %s task (%s)", k, d.Kind, strings.Join(need, ", "))
		}
	}
	return nil
}

// delimiter stands between a context and a choice.
func (d *definition) delimiter() string {
	if d.Delimiter == nil {
		return " "
	}
	return *d.Delimiter
}
