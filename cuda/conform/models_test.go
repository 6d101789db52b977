package conform

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/forward"
	"github.com/softbench/softbench/cuda/sim"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
)

// on opens backends on a device of 40 MiB beside what the driver is left.
func on(dev func() device.Device) OpenBackend {
	return func(ctx context.Context, ck *checkpoint.Checkpoint, dt kernel.Arithmetic) (engine.Backend, error) {
		return forward.New(ctx, dev(), ck, forward.Options{Formats: kernel.FormatsOf(dt), Rows: 600})
	}
}

const free = 512<<20 + 40<<20

// TestModels: the check that GPUs must pass passes here, and fails where the
// device's numbers depend on the rows of a launch, or are a little wrong.
func TestModels(t *testing.T) {
	v := variants()[0].small()
	if testing.Short() {
		t.Skip("computes a model many times")
	}
	worst, err := v.check(context.Background(), on(func() device.Device { return sim.New(free) }), 3, 10)
	if err != nil {
		t.Fatalf("%s: %v", v.name, err)
	}
	t.Logf("%s: %.1e from the CPU", v.name, worst)
	for what, change := range map[string]func(l *device.Launch){
		"an epsilon that depends on the batch": func(l *device.Launch) {
			if l.Args[4].Int()%2 == 1 {
				l.Args[6] = device.F(l.Args[6].Float() * 1.01)
			}
		},
		"a wrong epsilon": func(l *device.Launch) { l.Args[6] = device.F(0.01) },
	} {
		dev := func() device.Device { return faulty{sim.New(free), "sb_rmsnorm", change} }
		if _, err := v.check(context.Background(), on(dev), 3, 10); err == nil {
			t.Errorf("%s is not found", what)
		}
	}
}

// TestRoundedIsTheSpecifications: what a device's bfloat16 is allowed follows from the
// simulated device, on the models that a device must pass.
func TestRoundedIsTheSpecifications(t *testing.T) {
	if testing.Short() {
		t.Skip("computes models of 128 dimensions on the simulated device")
	}
	for i, v := range variants() {
		r, err := v.compute(t.Context(), uint64(i), modelNodes)
		if err != nil {
			t.Fatal(err)
		}
		b, err := on(func() device.Device { return sim.New(1 << 30) })(t.Context(), r.ck, kernel.BFloat16)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := scores(t.Context(), b, r.ck, r.forest, engine.RunOptions{BatchTokens: 4096})
		if err := errors.Join(err, b.Close(), r.ck.Close()); err != nil {
			t.Fatal(err)
		}
		worst, mean := r.apart(got)
		if math.Abs(mean-v.rounded) > 0.01*v.rounded || worst > mostRounded/1.5 {
			t.Errorf("%s: %.5f on average and %.3f at most from the CPU's float32, declared are %.5f and half as much again below %v", v.name, mean, worst, v.rounded, mostRounded)
		}
	}
}
