package eval

import (
	"testing"

	"github.com/softbench/softbench/passkey"
)

// A cell counts its trials, right by ids and by text, and has Wilson's interval.
func TestPasskeyCells(t *testing.T) {
	at := passkey.Trial{Length: 200, Depth: 0.5}
	got := cells([]passkey.Outcome{{Trial: at, Right: true, RightText: true}, {Trial: at, RightText: true}, {Trial: at}, {Trial: at, Right: true, RightText: true}})
	if len(got) != 1 || got[0].N != 4 || got[0].Right != 2 || got[0].RightText != 3 || got[0].Accuracy != 0.5 {
		t.Errorf("cells %+v", got)
	}
	if c := got[0]; c.Low < 0.15 || c.Low > 0.1501 || c.High < 0.8499 || c.High > 0.85 {
		t.Errorf("the Wilson interval of 2 in 4 is [%v, %v]; want [0.1500, 0.8500]", c.Low, c.High)
	}
}
