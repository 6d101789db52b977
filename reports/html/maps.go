package html

import (
	"fmt"
	"strconv"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// AttentionMap is one head's weights on one text: Weights[i][j] is query i's on
// key j, j <= i.
type AttentionMap struct {
	Layer   int         `json:"layer"`
	Head    int         `json:"head"`
	Tokens  []string    `json:"tokens"`
	Weights [][]float64 `json:"weights"`
}

// Bounds of the weights of attention maps, of a run's and of all on a page: some 30 bytes each,
// in the page's JSON and in the drawing.
const (
	maxWeights  = 10_000
	pageWeights = 30_000
)

// roomFor is how many weights each of n runs may show.
func roomFor(n int) int { return min(maxWeights, pageWeights/max(n, 1)) }

func checkMaps(maps []AttentionMap, room int) error {
	total := 0
	for _, m := range maps {
		if len(m.Weights) != len(m.Tokens) {
			return fmt.Errorf("attention map of layer %d head %d: %d rows for %d tokens", m.Layer, m.Head, len(m.Weights), len(m.Tokens))
		}
		for i, row := range m.Weights {
			if total += len(row); total > room {
				return fmt.Errorf("attention maps of more than %d weights: give fewer of them, or shorter texts", room)
			}
			if len(row) > i+1 {
				return fmt.Errorf("attention map of layer %d head %d: query %d has %d weights, want at most %d", m.Layer, m.Head, i, len(row), i+1)
			}
		}
	}
	return nil
}

// MapsOf turns a run's attention maps into those of a page of so many runs, as many
// as it has room for, and says how many it left out.
func MapsOf(rows []rundir.MapRow, runs int) (maps []AttentionMap, left int) {
	room := roomFor(runs)
	for _, r := range rows {
		if room -= len(r.Weights); room < 0 {
			left++
			continue
		}
		m := AttentionMap{Layer: int(r.Layer), Head: int(r.Head), Tokens: r.Tokens}
		at := 0
		for i := range r.Tokens {
			row := make([]float64, i+1)
			for j := range row {
				row[j] = shortest(r.Weights[at+j])
			}
			at += i + 1
			m.Weights = append(m.Weights, row)
		}
		maps = append(maps, m)
	}
	return maps, left
}

// shortest is the number of the fewest decimals that is w in float32: a page has a third of the
// digits that w has in float64, none of which is w's own.
func shortest(w float32) float64 {
	x, _ := strconv.ParseFloat(strconv.FormatFloat(float64(w), 'g', -1, 32), 64)
	return x
}

// empty is the map's chart without its numbers and names.
func (m AttentionMap) empty() chart.Heat {
	return chart.Heat{Unit: chart.Weight, X: chart.Axis{Name: "key"}, Y: chart.Axis{Name: "query"}, Bare: true}
}

// chart is the map with exact zeros left blank.
func (m AttentionMap) chart(tokens []string) chart.Heat {
	h := m.empty()
	h.Columns, h.Rows = tokens, tokens
	for q, row := range m.Weights {
		for k, w := range row {
			if w != 0 {
				h.Cells = append(h.Cells, chart.Cell{Column: k, Row: q, Value: w, Detail: tokens[q] + " on " + tokens[k] + ": " + text.Figures(w)})
			}
		}
	}
	return h
}

// visibleTokens are tokens as they can be shown.
func visibleTokens(tokens []string) (out []string) {
	for _, t := range tokens {
		out = append(out, text.Visible(t))
	}
	return out
}
