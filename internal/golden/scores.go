package golden

import (
	"encoding/json"
	"fmt"
)

// decode fills Sequences from Raw.
func (r *Run) decode(sequences []Sequence) error {
	if len(r.Raw) != len(sequences) {
		return fmt.Errorf("%d sequences, the model has %d", len(r.Raw), len(sequences))
	}
	r.Sequences = make([]Scores, len(r.Raw))
	for i, raw := range r.Raw {
		s, err := decodeScores(raw, r.DType)
		if err != nil {
			return fmt.Errorf("sequence %d: %w", i, err)
		}
		if len(s.LogProb) != len(sequences[i].IDs) {
			return fmt.Errorf("sequence %d: %d log-probabilities for %d tokens", i, len(s.LogProb), len(sequences[i].IDs))
		}
		r.Sequences[i] = s
	}
	r.Raw = nil
	return nil
}

func decodeScores(raw []byte, dtype string) (Scores, error) {
	var s struct {
		LogProb json.RawMessage `json:"logprob"`
		ArgMax  Int32s          `json:"argmax"`
		Top     Float32s        `json:"top"`
		Gap     Float32s        `json:"gap"`
		LSE     Float32s        `json:"lse"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return Scores{}, err
	}
	out := Scores{ArgMax: s.ArgMax, Top: s.Top, Gap: s.Gap, LSE: s.LSE}
	switch dtype {
	case "float64":
		return out, json.Unmarshal(s.LogProb, &out.LogProb)
	case "float32":
		var narrow Float32s
		if err := json.Unmarshal(s.LogProb, &narrow); err != nil {
			return Scores{}, err
		}
		for _, v := range narrow {
			out.LogProb = append(out.LogProb, float64(v))
		}
		return out, nil
	}
	return Scores{}, fmt.Errorf("dtype %q: want float32 or float64", dtype)
}
