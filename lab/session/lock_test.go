//go:build darwin || linux || windows

package session

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/softbench/softbench/lab/train"
)

// TestOneProcessTrains: while a training runs, another in its directory is
// refused before it writes anything, whether it would begin or go on; afterwards
// nothing of the lock is left.
func TestOneProcessTrains(t *testing.T) {
	dir := t.TempDir()
	o := small(t, dir, "busy")
	tried := 0
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.Step = func(r train.Report) {
		if r.Step != 5 {
			return
		}
		state, err := os.ReadFile(HistoryPath(o.Out))
		if err != nil {
			t.Error(err)
		}
		for _, resume := range []bool{true, false} {
			again := small(t, dir, "busy")
			again.Resume = resume
			_, err := Run(context.Background(), again)
			if err == nil || resume && !strings.Contains(err.Error(), "another process is training here") {
				t.Errorf("a second training, resume %v: %v", resume, err)
			}
			tried++
		}
		if now, err := os.ReadFile(HistoryPath(o.Out)); err != nil || string(now) != string(state) {
			t.Errorf("the second training changed the history: %v", err)
		}
		cancel()
	}
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) || tried != 2 {
		t.Fatalf("%d tries, %v", tried, err)
	}
	r := run{Options: o}
	if _, err := os.Stat(r.path(lockFile)); !os.IsNotExist(err) {
		t.Errorf("the lock is still there: %v", err)
	}
	o.Resume, o.Step = true, nil
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
}
