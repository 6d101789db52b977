package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/kernel"
)

// countdown is a context that is cancelled when it has been asked so many times.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancelledStepIsNone: a step that is cancelled anywhere in it is
// ctx's error, leaves weights, optimiser and count as they were, and taken anew
// gives the bits of one that was not.
func TestCancelledStepIsNone(t *testing.T) {
	tokens := pattern(400)
	whole, err := NewTrainer(tokens, smallOptions(attention.Softpick))
	if err != nil {
		t.Fatal(err)
	}
	steps(t, whole, 6)
	asked := &countdown{Context: context.Background()}
	asked.left.Store(math.MaxInt64)
	tr, err := NewTrainer(tokens, smallOptions(attention.Softpick))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Step(asked); err != nil {
		t.Fatal(err)
	}
	most := math.MaxInt64 - asked.left.Load()
	if most < 100 {
		t.Fatalf("a step asks its context %d times only: not within its layers", most)
	}
	for range 5 {
		weights, first, second := slices.Clone(tr.Model.Params.All), slices.Clone(tr.optim.first), slices.Clone(tr.optim.second)
		for n := int64(0); n < most-2; n += most/23 + 1 { // the last two may come after the gradient
			c := &countdown{Context: context.Background()}
			c.left.Store(n)
			done := tr.Done
			if _, err := tr.Step(c); !errors.Is(err, context.Canceled) {
				t.Fatalf("cancelled at question %d of %d: error %v", n, most, err)
			}
			if tr.Done != done || tr.optim.Steps != done || !slices.Equal(weights, tr.Model.Params.All) || !slices.Equal(first, tr.optim.first) || !slices.Equal(second, tr.optim.second) {
				t.Fatalf("cancelled at question %d of %d: something moved", n, most)
			}
		}
		steps(t, tr, 1)
	}
	if !slices.Equal(whole.Model.Params.All, tr.Model.Params.All) {
		t.Error("cancelled steps, taken anew, gave other weights")
	}
}

// TestCancelIsQuick: a cancelled step of a shape that takes long ends in a
// small part of it, wherever it was.
func TestCancelIsQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("times whole steps")
	}
	tr, err := NewTrainer(pattern(4000), Options{
		Config: Config{Hidden: 512, Intermediate: 1376, Layers: 2, Heads: 4, Vocab: 512, Context: 256, Attention: attention.Softpick, RopeTheta: 10000, NormEps: 1e-5, Tie: true},
		Steps:  10, Batch: 4, Accumulate: 1, Rate: 1e-3, Clip: 1, Threads: 1, DType: kernel.Float32,
	})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	steps(t, tr, 1)
	took := time.Since(start)
	var worst time.Duration
	for _, share := range []float64{0.2, 0.7} {
		ctx, cancel := context.WithCancel(context.Background())
		var at time.Time
		timer := time.AfterFunc(time.Duration(share*float64(took)), func() { at = time.Now(); cancel() })
		_, err := tr.Step(ctx)
		end := time.Now()
		if timer.Stop() || err == nil {
			t.Logf("the step ended before %v of it: this machine is uneven", share)
			cancel()
			continue
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		worst = max(worst, end.Sub(at))
	}
	t.Logf("a step takes %v; cancelled, it ends after at most %v", took, worst)
	if worst > took/4+100*time.Millisecond {
		t.Errorf("a cancelled step goes on for %v of %v", worst, took)
	}
}

// TestCheckSeesWeightsThatGiveNoLoss: and moves nothing.
func TestCheckSeesWeightsThatGiveNoLoss(t *testing.T) {
	tokens, o := pattern(400), smallOptions(attention.Softmax)
	o.Accumulate = 1
	tr, err := NewTrainer(tokens, o)
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewTrainer(tokens, o)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		steps(t, tr, 1)
		if err := tr.Check(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	steps(t, other, 3)
	if !slices.Equal(tr.Model.Params.All, other.Model.Params.All) {
		t.Error("checking changed the training")
	}
	report := steps(t, other, 1)
	if loss, err := tr.Model.Loss(context.Background(), tr.inputs, tr.targets); err != nil || loss != report.Loss {
		t.Errorf("loss %v (%v), that of a step %v", loss, err, report.Loss)
	}
	tr.Model.Params.norm[0] = float32(math.Inf(1))
	if err := tr.Check(context.Background()); !errors.Is(err, ErrDiverged) {
		t.Errorf("error %v, want %v", err, ErrDiverged)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := tr.Check(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
