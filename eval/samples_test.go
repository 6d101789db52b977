package eval

import (
	"slices"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/tasks"
)

// TestSamplesOfManyDocuments: every document gives a sample before one gives a
// second, and each sample keeps its document.
func TestSamplesOfManyDocuments(t *testing.T) {
	docs := []tasks.Doc{{ID: 0, Text: "aaaa"}, {ID: 1, Text: ""}, {ID: 2, Text: "bb"}, {ID: 3, Text: "cccccc"}, {ID: 4, Text: "d"}}
	for most, want := range map[int][]int{
		1: {0}, 3: {0, 2, 3}, 4: {0, 2, 3, 4}, 5: {0, 2, 3, 4, 0}, 9: {0, 2, 3, 4, 0, 2, 3, 0, 3}, 50: {0, 2, 3, 4, 0, 2, 3, 0, 3, 0, 3, 3, 3},
	} {
		p := &ProbeWork{Diagnostics: configs.Diagnostics{Samples: most}}
		cut := 0
		p.takeSamples(docs, func(text string, most int) [][]int32 {
			cut++
			return cutSamples([]int32(text), nil, 1, most)
		})
		var got []int
		for i, d := range p.Docs {
			got = append(got, d.ID)
			if docs[d.ID].Text[0] != byte(p.Samples[i][0]) {
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
