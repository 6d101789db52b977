package kernel

import (
	"testing"
	"time"
)

// TestPeaks would break if a loop counted work that it does not do: no
// processor multiplies float32 at a teraflop a thread, and none needs a second
// for a share.
func TestPeaks(t *testing.T) {
	if len(Peaks()) == 0 && len(Available()) > 1 {
		t.Fatal("this machine has vector instructions, but no peak")
	}
	for _, p := range Peaks() {
		p.Run()
		best := 0.0
		for range 20 {
			start := time.Now()
			work := p.Run()
			best = max(best, work/time.Since(start).Seconds())
		}
		limit := map[string]float64{"FLOP": 1e12, "byte": 1e12}[p.Unit]
		if p.Arithmetic == BFloat16 {
			limit = 16e12
		}
		if best <= 0 || best > limit {
			t.Errorf("%s: %.3g %s/s", p.Name, best, p.Unit)
		}
		t.Logf("%s: %.1f G%s/s", p.Name, best/1e9, p.Unit)
	}
}
