package html

import "fmt"

// AttentionMap is one head's weights on one text: Weights[i][j] is query i's on
// key j, j <= i.
type AttentionMap struct {
	Layer   int         `json:"layer"`
	Head    int         `json:"head"`
	Tokens  []string    `json:"tokens"`
	Weights [][]float64 `json:"weights"`
}

// maxWeights bounds a run's attention maps, each weight being a table's cell.
const maxWeights = 10_000

func checkMaps(maps []AttentionMap) error {
	total := 0
	for _, m := range maps {
		if len(m.Weights) != len(m.Tokens) {
			return fmt.Errorf("attention map of layer %d head %d: %d rows for %d tokens", m.Layer, m.Head, len(m.Weights), len(m.Tokens))
		}
		for i, row := range m.Weights {
			if total += len(row); total > maxWeights {
				return fmt.Errorf("attention maps of more than %d weights: give fewer of them, or shorter texts", maxWeights)
			}
			if len(row) > i+1 {
				return fmt.Errorf("attention map of layer %d head %d: query %d has %d weights, want at most %d", m.Layer, m.Head, i, len(row), i+1)
			}
		}
	}
	return nil
}
