package metric

import (
	"encoding/json"
	"math"
	"strconv"
)

// Result is a metric over a task's documents, with how sure it is: as a task computes it, a run
// keeps it and tables show it. What cannot be given is NaN, and null in JSON.
type Result struct {
	Name           string `json:"name"`
	Value          Number `json:"value"`
	Stderr         Number `json:"stderr"` // as lm-evaluation-harness has it: documents are independent
	Low            Number `json:"low"`    // 95% interval, of clusters where there are any
	High           Number `json:"high"`
	N              int    `json:"n"` // documents it is over
	HigherIsBetter bool   `json:"higher_is_better"`
	OfAll          bool   `json:"of_all,omitempty"` // of all documents together: no document has a value
	// Clusters of documents that are not independent and the standard error that
	// allows for them; 0 and nil where every document stands alone.
	Clusters        int     `json:"clusters,omitempty"`
	ClusteredStderr *Number `json:"stderr_clustered,omitempty"`
}

// Number is a float64 that is null in JSON where it is not finite.
type Number float64

func (n Number) MarshalJSON() ([]byte, error) {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(f)
}

func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	*n = Number(f)
	return err
}
