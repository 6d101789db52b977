package checkpoint_test

import (
	"encoding/binary"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/randmodel"
)

// Models whose scores mean nothing load with a note that says why.
func TestOddWeightsAreNoted(t *testing.T) {
	for name, c := range map[string]struct {
		bits uint16
		note string
	}{
		"zeros":   {0, "16 of the weights' matrices"},
		"largest": {0x7f7f, "hold numbers above 1e+15"},
	} {
		m := build(t, randmodel.Options{DType: "bfloat16"})
		for _, e := range m.entries {
			if len(e.Shape) == 2 {
				for i := 0; i < len(e.Data); i += 2 {
					binary.LittleEndian.PutUint16(e.Data[i:], c.bits)
				}
			}
		}
		k := mustOpen(t, m.write(t), Options{})
		if len(k.Notes) != 1 || !strings.Contains(k.Notes[0], c.note) || !strings.Contains(k.Notes[0], "weight") {
			t.Errorf("%s: notes %q", name, k.Notes)
		}
	}
	if k := mustOpen(t, build(t, randmodel.Options{}).write(t), Options{}); len(k.Notes) != 0 {
		t.Errorf("a random model: notes %q", k.Notes)
	}
}
