package eval

import (
	"context"
	"fmt"

	"github.com/softbench/softbench/cuda"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/reports/rundir"
)

// checkResume refuses, before the weights are packed, to go on with a run that another
// process writes, or that has other settings than this one will have. Of a run that is
// complete it returns ErrFinished. What only the packed model says is left to the
// journal: which device --device auto comes to where there is a GPU.
func checkResume(ctx context.Context, m *Model, w *Work, o *RunOptions) error {
	if o.Out == "" || !o.Resume {
		return nil
	}
	was, part, state, err := rundir.Begun(ctx, o.Out)
	if was == nil || err != nil {
		return err
	}
	if err := rundir.SamePart(o.Out, part, o.part.name()); err != nil {
		return err
	}
	now, known, err := foreseen(m, w, o, was)
	if err != nil {
		return err
	}
	now.ModelSHA256 = was.ModelSHA256
	if err := rundir.SameSettings(o.Out, *was, now); err != nil {
		return err
	}
	// The hash is kept for the manifest: it costs no time here.
	if now.ModelSHA256, err = m.Checkpoint.SHA256(ctx); err != nil {
		return err
	}
	if err := rundir.SameSettings(o.Out, *was, now); err != nil {
		return err
	}
	if state == rundir.Complete && known && len(o.Merge) == 0 {
		return rundir.Finished(ctx, o.Out, now)
	}
	return nil
}

// foreseen are the settings but the weights' hash, before the weights are packed. Where
// the device is not known by then, it is taken to be as it was.
func foreseen(m *Model, w *Work, o *RunOptions, was *rundir.Settings) (s rundir.Settings, known bool, err error) {
	dtype, err := parseDType(o.Model.DType, m.Checkpoint.DType)
	if err != nil {
		return s, false, err
	}
	d := engine.Description{Device: was.Device, ISA: was.ISA, DType: dtype.String()}
	switch {
	case o.Model.Device == "cuda":
		d.Device = "cuda"
	case o.Model.Device == "cpu" || cuda.Available() != nil:
		set, err := kernel.FromEnv()
		if err != nil {
			return s, false, err
		}
		d.Device, d.ISA, known = "cpu", set.Name(), true
	}
	return settingsBut(m, w, *o, d), known, nil
}

// finished notes that a complete run is there, and returns it.
func finished(ctx context.Context, o RunOptions) (*rundir.Run, error) {
	o.Note("the run in " + o.Out + " is complete: nothing was computed")
	return rundir.Read(ctx, o.Out)
}

// noShardWanted says that the complete run is there.
func noShardWanted(dir string) error {
	return fmt.Errorf("%s holds the complete run, of which no shard is needed: choose another --out", dir)
}
