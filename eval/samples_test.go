package eval

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/tasks"
)

// TestSamplesOfManyDocuments: every document gives a sample before one gives a
// second, and each sample keeps its document.
func TestSamplesOfManyDocuments(t *testing.T) {
	var docs []tasks.Doc
	for i, text := range []string{"aaaa", "", "bb", "cccccc", "d"} {
		docs = append(docs, tasks.Doc{ID: i, Requests: []tasks.Request{{Ask: tasks.WholeText, Text: text}}})
	}
	for most, want := range map[int][]int{
		1: {0}, 3: {0, 2, 3}, 4: {0, 2, 3, 4}, 5: {0, 2, 3, 4, 0}, 9: {0, 2, 3, 4, 0, 2, 3, 0, 3}, 50: {0, 2, 3, 4, 0, 2, 3, 0, 3, 0, 3, 3, 3},
	} {
		p := &DiagnosticsWork{Diagnostics: configs.Diagnostics{Samples: most}}
		cut := 0
		if err := p.takeSamples(t.Context(), docs, func(text string, most int) [][]int32 {
			cut++
			return cutSamples([]int32(text), nil, 1, most)
		}); err != nil {
			t.Fatal(err)
		}
		var got []int
		for i, d := range p.Docs {
			got = append(got, d.ID)
			if docs[d.ID].Text()[0] != byte(p.Samples[i][0]) {
				t.Errorf("%d samples: number %d is not of document %d", most, i, d.ID)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d samples of the documents %v, want %v", most, got, want)
		}
		if most == 1 && cut != 1 {
			t.Errorf("%d texts were read for one sample", cut)
		}
	}
}

// TestSamplingIsCancelled: documents too short for a sample, however many, are not all
// read once the run is told to stop.
func TestSamplingIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := &DiagnosticsWork{Diagnostics: configs.Diagnostics{Samples: 8}}
	read := 0
	err := p.takeSamples(ctx, make([]tasks.Doc, 100_000), func(string, int) [][]int32 {
		if read++; read == 10 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || read != 10 {
		t.Errorf("%v, and %d documents were read", err, read)
	}
}
