package html

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// A page's number is a field of its document, by its type; the JSON pointer and what the JSON says
// follow from where it is. What is not in the document, or left out of its JSON, is an error.
func TestNumbersAreFieldsOfTheDocument(t *testing.T) {
	type inner struct {
		Left rundir.Number `json:"left"`
		Rest int           `json:"rest,omitempty"`
	}
	type row struct {
		inner
		More *inner `json:"more"`
	}
	var d struct {
		First float64     `json:"first"`
		Rows  []row       `json:"rows"`
		Grid  [][]float64 `json:"grid"`
		Own   int         `json:"-"`
	}
	d.Rows = []row{{}, {inner: inner{Left: rundir.Number(nan)}, More: &inner{Left: 0.5, Rest: 3}}}
	d.Grid = [][]float64{{1}, {2, 1e21}}
	n := newNumbers(&d)
	for pointer, f := range map[string]field{
		"/first": of(&d.First), "/rows/0/left": of(&d.Rows[0].Left), "/rows/1/left": of(&d.Rows[1].Left),
		"/rows/1/more/left": of(&d.Rows[1].More.Left), "/rows/1/more/rest": of(&d.Rows[1].More.Rest), "/grid/1/1": of(&d.Grid[1][1]),
	} {
		v := n.at(text.Figures, f)
		raw, err := json.Marshal(f.v.Interface())
		if v.From != pointer || err != nil || v.Raw != strings.ReplaceAll(string(raw), "null", "") || (v.Text == text.None) != (v.Raw == "") {
			t.Errorf("%s: %+v, in JSON %s", pointer, v, raw)
		}
	}
	if n.err != nil {
		t.Fatal(n.err)
	}
	beside := d.Rows[1]
	for what, f := range map[string]field{"a copy": of(&beside.Left), "left out": of(&d.Rows[0].Rest), "not of the JSON": of(&d.Own)} {
		n := newNumbers(&d)
		if n.at(text.Figures, f); n.err == nil || !strings.Contains(n.err.Error(), "fault of softbench") {
			t.Errorf("%s: %v", what, n.err)
		}
	}
}
