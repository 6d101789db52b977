package passkey

import (
	"fmt"
	"math"
)

// Grid is what a run of passkey retrieval tries: every length at every depth, Trials times.
type Grid struct {
	Lengths []int     // of the prompt, in tokens, exactly
	Depths  []float64 // 0 = right after the instruction, 1 = right before the question
	Trials  int       // keys tried in each cell
	Seed    uint64    // of the keys
}

// MinLength is the least length a grid may ask for; a tokenizer may need more.
const MinLength = 16

// MaxLength and MaxTrials keep a slip of the keyboard from asking for a year's work.
const (
	MaxLength = 16 << 20
	MaxTrials = 1 << 20
)

// Check refuses a grid that is empty, doubled or out of range.
func (g Grid) Check() error {
	if len(g.Lengths) == 0 || len(g.Depths) == 0 {
		return fmt.Errorf("passkey: lengths and depths must not be empty")
	}
	if g.Trials < 1 || g.Trials > MaxTrials {
		return fmt.Errorf("passkey: trials is %d; it must be 1 to %d", g.Trials, MaxTrials)
	}
	seen := map[float64]bool{}
	for _, l := range g.Lengths {
		if l < MinLength || l > MaxLength {
			return fmt.Errorf("passkey: length %d; lengths are in tokens, %d to %d", l, MinLength, MaxLength)
		}
		if seen[float64(l)] {
			return fmt.Errorf("passkey: length %d is there twice", l)
		}
		seen[float64(l)] = true
	}
	seen = map[float64]bool{}
	for _, d := range g.Depths {
		if math.IsNaN(d) || d < 0 || d > 1 {
			return fmt.Errorf("passkey: depth %v; depths are 0 (start) to 1 (end)", d)
		}
		if seen[d] {
			return fmt.Errorf("passkey: depth %v is there twice", d)
		}
		seen[d] = true
	}
	return nil
}
