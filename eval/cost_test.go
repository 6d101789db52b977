package eval

import (
	"math"
	"testing"
	"time"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
)

var small = checkpoint.Config{Layers: 12, Hidden: 512, Intermediate: 1536, Heads: 8, KVHeads: 8, HeadDim: 64, Vocab: 32000, MLP: checkpoint.MLP{Gated: true}}

// machine is one whose times are known.
type machine struct{ batch, row, pair, head float64 } // microseconds

func (m machine) takes(w engine.Work) time.Duration {
	us := m.batch*float64(w.Batches) + m.row*float64(w.Rows) + m.pair*float64(w.Pairs) + m.head*float64(w.Heads)
	return time.Duration(us * 1000)
}

// growing are the batches of contexts that become longer: the last tokens cost most.
func growing() (all []engine.Stats, total engine.Stats) {
	for length := 128; length <= 4096; length *= 2 {
		for range 16 {
			for at := 0; at < length; at += 128 {
				total.Batches++
				total.Tokens += 128
				total.Pairs += 12 * 128 * int64(at+64)
				total.Heads += 4
				all = append(all, total)
			}
		}
	}
	return all, total
}

// TestTimeLeft: the time left is right to a tenth from an eighth of the way on, where a time in
// proportion to tokens is far too short, on machines whose attention is cheap or dear.
func TestTimeLeft(t *testing.T) {
	all, total := growing()
	for name, m := range map[string]machine{
		"even": {2000, 100, 0.0012, 90}, "slow attention": {2000, 100, 0.01, 90}, "fast attention": {500, 100, 0.0002, 20},
	} {
		now := time.Unix(0, 0)
		meter := newMeter(&small, total, engine.Stats{}, 500, now)
		worst, proportional := 0.0, 0.0
		for i, done := range all {
			step := done.Work()
			if i > 0 {
				step = step.Minus(all[i-1].Work())
			}
			now = now.Add(m.takes(step))
			p := meter.progress(done, now)
			if p.Of != total.Tokens+500 || p.Tokens != done.Tokens+500 {
				t.Fatalf("%s: %+v of %+v", name, p, total)
			}
			if i < len(all)/8 || i > len(all)*9/10 {
				continue
			}
			want := m.takes(total.Work().Minus(done.Work())).Seconds()
			worst = max(worst, math.Abs(p.Left.Seconds()/want-1))
			even := now.Sub(time.Unix(0, 0)).Seconds() / float64(done.Tokens) * float64(total.Tokens-done.Tokens)
			proportional = max(proportional, math.Abs(even/want-1))
		}
		if worst > 0.1 || name == "slow attention" && proportional < 0.4 {
			t.Errorf("%s: the time left is off by %.3f, in proportion to tokens by %.3f", name, worst, proportional)
		}
	}
}

// TestSpeedOfLate: on a machine that becomes half as fast the time left follows.
func TestSpeedOfLate(t *testing.T) {
	c, m := newCost(&small), machine{2000, 100, 0.001, 90}
	work := engine.Work{Batches: 1, Rows: 512, Pairs: 512 * 12 * 300, Heads: 40}
	for range 200 {
		c.observe(work, m.takes(work))
	}
	for at := 0.0; at < 6*recently; at += 2 * m.takes(work).Seconds() {
		c.observe(work, 2*m.takes(work))
	}
	if got, want := c.takes(work).Seconds(), 2*m.takes(work).Seconds(); math.Abs(got/want-1) > 0.05 {
		t.Errorf("%v a batch, want %v", got, want)
	}
}

// TestTextsThatEnd: the rest of a run follows the lengths that texts came to.
func TestTextsThatEnd(t *testing.T) {
	foreseen := engine.Stats{Tokens: 1000 + 100*99, Batches: 120, Heads: 100 * 100, Decoded: engine.Work{Rows: 100 * 99, Heads: 100 * 99}}
	if got := left(foreseen, engine.Stats{}); got.Rows != 1000+9900 {
		t.Errorf("at the beginning %+v", got)
	}
	// Half of the texts are at their end after a tenth of what they might have taken.
	done := engine.Stats{Tokens: 1000 + 50*10, Decoded: engine.Work{Rows: 50 * 10, Heads: 50 * 10}, Ended: 50 * 10, EndedOf: 50 * 99}
	if got := left(foreseen, done); got.Rows < 490 || got.Rows > 700 {
		t.Errorf("after half of the texts %d rows are left, want about 500", got.Rows)
	}
	over := engine.Stats{Tokens: foreseen.Tokens, Batches: 120, Heads: foreseen.Heads, Decoded: foreseen.Decoded, Ended: 9900, EndedOf: 9900}
	if got := left(foreseen, over); got != (engine.Work{}) {
		t.Errorf("at the end %+v", got)
	}
}

// TestTimeLeftAfterResume: a run that goes on from its middle tells, from its first batches on, how
// long its own rest takes, and counts what an earlier process did as done.
func TestTimeLeftAfterResume(t *testing.T) {
	all, total := growing()
	half := len(all) / 2
	m := machine{2000, 100, 0.01, 90}
	minus := func(s engine.Stats) engine.Stats {
		h := all[half]
		return engine.Stats{Tokens: s.Tokens - h.Tokens, Batches: s.Batches - h.Batches, Pairs: s.Pairs - h.Pairs, Heads: s.Heads - h.Heads}
	}
	now := time.Unix(0, 0)
	meter := newMeter(&small, minus(total), engine.Stats{}, all[half].Tokens, now)
	for i := half + 1; i < len(all)*9/10; i++ {
		now = now.Add(m.takes(all[i].Work().Minus(all[i-1].Work())))
		p := meter.progress(minus(all[i]), now)
		if p.Tokens != all[i].Tokens || p.Of != total.Tokens {
			t.Fatalf("%d of %d tokens, want %d of %d", p.Tokens, p.Of, all[i].Tokens, total.Tokens)
		}
		if speed := float64(all[i].Tokens-all[half].Tokens) / now.Sub(time.Unix(0, 0)).Seconds(); math.Abs(p.Speed/speed-1) > 1e-9 {
			t.Fatalf("%g tokens a second, of which this process computed %g", p.Speed, speed)
		}
		want := m.takes(total.Work().Minus(all[i].Work())).Seconds()
		if i > half+len(all)/16 && math.Abs(p.Left.Seconds()/want-1) > 0.1 {
			t.Errorf("batch %d of %d: %v left, it takes %.1f s", i, len(all), p.Left, want)
		}
	}
}

// TestTimeLeftWithDiagnostics: the time left has what is to be looked at, at the speed of scoring until
// looking has a speed of its own, and is nothing at the end.
func TestTimeLeftWithDiagnostics(t *testing.T) {
	all, total := growing()
	m, slow := machine{2000, 100, 0.001, 90}, machine{4000, 200, 0.002, 180} // looking takes twice as long
	look := engine.Stats{Tokens: 64 * 512, Batches: 64, Pairs: 64 * 12 * 512 * 513 / 2}
	now := time.Unix(0, 0)
	meter := newMeter(&small, total, look, 0, now)
	var p Progress
	for i, done := range all {
		step := done.Work()
		if i > 0 {
			step = step.Minus(all[i-1].Work())
		}
		now = now.Add(m.takes(step))
		p = meter.progress(done, now)
	}
	if want := m.takes(look.Work()).Seconds(); p.Of != total.Tokens+look.Tokens || math.Abs(p.Left.Seconds()/want-1) > 0.15 {
		t.Errorf("before the diagnostics %v of %v, want %d tokens and %.1f s", p.Left, p.Of, total.Tokens+look.Tokens, want)
	}
	for k := int64(1); k <= 64; k++ {
		done := engine.Stats{Tokens: k * 512, Batches: k, Pairs: k * 12 * 512 * 513 / 2}
		now = now.Add(slow.takes(engine.Work{Batches: 1, Rows: 512, Pairs: 12 * 512 * 513 / 2}))
		p = meter.observe(done, now)
		if want := slow.takes(look.Work().Minus(done.Work())).Seconds(); k > 8 && k < 60 && math.Abs(p.Left.Seconds()/want-1) > 0.1 {
			t.Errorf("after %d samples %v left, want %.1f s", k, p.Left, want)
		}
	}
	if p.Left != 0 || p.Tokens != p.Of {
		t.Errorf("at the end %v and %d of %d tokens", p.Left, p.Tokens, p.Of)
	}
}
