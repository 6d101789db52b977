package stats

import (
	"math"
	"testing"
)

// Published: airway hyper-responsiveness before and after transplantation, 21
// patients of whom 1 and 7 changed (Fagerland, Lydersen, Laake 2014, table IV), and
// the closed form without changes.
func TestTangoPublished(t *testing.T) {
	low, high := tango(21, 7, 1, 0.05)
	t.Logf("[%.4f, %.4f]", low, high)
	if math.Abs(low+0.517) > 5e-4 || math.Abs(high+0.026) > 5e-4 {
		t.Errorf("[%v, %v]; published [-0.517, -0.026]", low, high)
	}
	const z2 = 1.959963984540054 * 1.959963984540054
	for _, n := range []float64{1, 20, 50, 1000} {
		low, high := tango(n, 0, 0, 0.05)
		near(t, "no document changed", high, z2/(n+z2), 1e-12)
		if low != -high {
			t.Errorf("%v documents: [%v, %v]", n, low, high)
		}
	}
}
