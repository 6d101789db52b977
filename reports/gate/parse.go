package gate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/pythonjson"
	"github.com/softbench/softbench/reports/compare"
)

// maxValues bounds the values of a baseline: three bytes of text make one that takes a
// hundred in memory.
const maxValues = 1 << 22

// Parse reads a baseline. It refuses another format, and results that were
// edited: only the allowed drops are the user's to change.
func Parse(text []byte) (*Baseline, error) {
	if n, _ := pythonjson.Count(text); n > maxValues {
		return nil, fmt.Errorf("not a baseline: %d values; it has at most %d", n, maxValues)
	}
	var f baselineFile
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var version struct {
		Format *int `json:"softbench_baseline"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return nil, fmt.Errorf("not a baseline: %w", where(text, err))
	}
	if version.Format == nil {
		return nil, errors.New("not a baseline: it has no softbench_baseline version")
	}
	if *version.Format != Format {
		return nil, fmt.Errorf("baseline format %d, this version of softbench reads %d: make it again with --update", *version.Format, Format)
	}
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("not a baseline: %w", where(text, err))
	}
	if err := noKeyTwice(text); err != nil {
		return nil, err
	}
	b := &Baseline{Settings: f.Settings, Model: f.Model}
	seen := map[string]bool{}
	for _, t := range f.Tasks {
		if t.Name == "" || seen[t.Name] {
			return nil, fmt.Errorf("task %q is there twice, or has no name", t.Name)
		}
		if len(t.Metrics) == 0 {
			return nil, fmt.Errorf("task %s has no metrics", t.Name)
		}
		seen[t.Name] = true
		bt := BaselineTask{Name: t.Name, Settings: t.Settings, N: t.N, Documents: t.Documents, Prompts: t.Prompts, Answers: t.Answers}
		names := map[string]bool{}
		for _, m := range t.Metrics {
			if m.Name == "" || names[m.Name] {
				return nil, fmt.Errorf("task %s: metric %q is there twice, or has no name", t.Name, m.Name)
			}
			names[m.Name] = true
			bm, err := m.metric(t.N)
			if err != nil {
				return nil, fmt.Errorf("task %s: metric %s: %w", t.Name, m.Name, err)
			}
			bt.Metrics = append(bt.Metrics, bm)
		}
		b.Tasks = append(b.Tasks, bt)
	}
	if len(b.Tasks) == 0 {
		return nil, errors.New("not a baseline: it has no tasks")
	}
	for i := range f.Groups {
		if err := b.parseGroup(&f.Groups[i]); err != nil {
			return nil, err
		}
	}
	if f.checksum() != f.Checksum {
		return nil, errors.New("the baseline was edited: only allowed_drop may be changed by hand; make it again with --update")
	}
	return b, nil
}

// metric reads one metric of a task of n documents.
func (f *metricFile) metric(n int) (BaselineMetric, error) {
	m := BaselineMetric{Name: f.Name, HigherIsBetter: f.HigherIsBetter, Formula: f.Formula}
	switch {
	case f.Value == nil || f.AllowedDrop == nil:
		return m, errors.New("it has no value or no allowed_drop")
	case *f.AllowedDrop < 0:
		return m, fmt.Errorf("allowed_drop %v: want 0 or more, in the metric's own unit", *f.AllowedDrop)
	case f.Formula != compare.Mean && f.Formula != compare.Perplexity && f.Formula != compare.Bits:
		return m, fmt.Errorf("formula %q is not known", f.Formula)
	case (f.Right == nil) == (f.Numbers == nil):
		return m, errors.New("want its results by document either as right or as numbers")
	}
	m.Value, m.AllowedDrop = *f.Value, *f.AllowedDrop
	values, err := f.values()
	if err != nil {
		return m, err
	}
	if m.Values = values; len(values) != n {
		return m, fmt.Errorf("%d results for %d documents", len(values), n)
	}
	value, scored := compare.AggregateValues(m.Formula, m.Values)
	switch {
	case scored != f.N:
		return m, fmt.Errorf("n is %d, but %d documents have a result", f.N, scored)
	case scored == 0:
		return m, errors.New("no document has a result")
	case !finite(value) || math.Abs(value-m.Value) > 1e-9*max(math.Abs(value), math.Abs(m.Value)):
		return m, fmt.Errorf("its value is %v, but its results give %v: one of them was edited; make the baseline again with --update", m.Value, value)
	}
	return m, nil
}

// values reads the results by document.
func (f *metricFile) values() (values []compare.Value, err error) {
	if f.Right != nil {
		if f.Weights != nil {
			return nil, errors.New("results that are 0 or 1 have no weights")
		}
		for i, c := range []byte(strings.Join(f.Right, "")) {
			switch c {
			case '0', '1':
				values = append(values, compare.Value{Value: float64(c - '0'), Weight: 1, Scored: true})
			case '-':
				values = append(values, compare.Value{})
			default:
				return nil, fmt.Errorf("result %d is %q: want 0, 1 or -", i, c)
			}
		}
		return values, nil
	}
	words := strings.Fields(strings.Join(f.Numbers, " "))
	var weights []string // nil: all are 1
	if f.Weights != nil {
		if weights = strings.Fields(strings.Join(f.Weights, " ")); len(weights) != len(words) {
			return nil, fmt.Errorf("%d weights for %d results", len(weights), len(words))
		}
	}
	for i, word := range words {
		v := compare.Value{Weight: 1, Scored: true}
		switch {
		case word == "-" && (weights == nil || weights[i] == "-"):
			v = compare.Value{}
		default:
			if v.Value, err = number(word); err != nil {
				return nil, fmt.Errorf("result %d: %w", i, err)
			}
			if weights != nil {
				if v.Weight, err = number(weights[i]); err != nil || v.Weight < 0 {
					return nil, fmt.Errorf("weight %d is %q: want a number of at least 0", i, weights[i])
				}
			}
		}
		values = append(values, v)
	}
	return values, nil
}

func number(word string) (float64, error) {
	v, err := strconv.ParseFloat(word, 64)
	if err != nil || !finite(v) {
		return 0, fmt.Errorf("%q is not a finite number", word)
	}
	return v, nil
}

// where says in one line, with its number, what encoding/json found.
func where(text []byte, err error) error {
	if kind := new(json.UnmarshalTypeError); errors.As(err, &kind) {
		return fmt.Errorf("line %d: %s: %s stands where another kind of value belongs", jsonplace.Line(text, kind.Offset), cmp.Or(kind.Field, "the file"), kind.Value)
	}
	return jsonplace.Locate(text, err)
}

// noKeyTwice refuses an object with two members of one name, as a merge may leave
// behind: which of them counts would be anyone's guess.
func noKeyTwice(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	var open []map[string]bool // the names seen in each open object, nil for an array
	key := false               // a name comes next
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return where(text, err)
		}
		switch v := tok.(type) {
		case json.Delim:
			switch v {
			case '{':
				open, key = append(open, map[string]bool{}), true
				continue
			case '[':
				open, key = append(open, nil), false
				continue
			}
			open = open[:len(open)-1]
		case string:
			if key {
				names, name := open[len(open)-1], strings.ToLower(v)
				if names[name] {
					return fmt.Errorf("line %d: %q is there twice", jsonplace.Line(text, d.InputOffset()), v)
				}
				names[name], key = true, false
				continue
			}
		}
		key = len(open) > 0 && open[len(open)-1] != nil
	}
}
