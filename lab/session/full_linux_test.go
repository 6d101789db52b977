package session

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const limitVariable = "SOFTBENCH_TEST_FILE_LIMIT"

// TestNoRoom: a state or a checkpoint that cannot be written, as on a full disk,
// is an error that names the file; the checkpoint and the state before stay
// whole, and the training goes on from them where there is room.
func TestNoRoom(t *testing.T) {
	if limit := os.Getenv(limitVariable); limit != "" {
		noRoom(t, limit)
		return
	}
	dir := t.TempDir()
	whole := small(t, dir, "whole")
	if _, err := Run(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	o := small(t, dir, "out")
	ctx, cancel := context.WithCancel(context.Background())
	o.Line = func(l Line) {
		if l.Step == 6 { // after the save at 5
			cancel()
		}
	}
	if _, err := Run(ctx, o); err == nil {
		t.Fatal("not stopped")
	}
	cancel()
	model, state := filepath.Join(o.Out, "model.safetensors"), filepath.Join(o.Out, trainingDir, stateFile)
	weights, saved := read(t, model), read(t, state)
	for _, room := range []int{len(saved) / 2, 2000} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestNoRoom$", "-test.v")
		cmd.Env = append(os.Environ(), limitVariable+"="+strconv.Itoa(room), "DIR="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "refused: ") || !strings.Contains(string(out), o.Out) || !strings.Contains(string(out), "file too large") {
			t.Fatalf("%v: %s", err, out)
		}
		if !bytes.Equal(weights, read(t, model)) || !bytes.Equal(saved, read(t, state)) {
			t.Fatalf("%d bytes of room: the files from before are not whole", room)
		}
		for _, d := range []string{o.Out, filepath.Join(o.Out, trainingDir)} {
			entries, err := os.ReadDir(d)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if strings.HasPrefix(e.Name(), ".") {
					t.Errorf("left behind: %s", e.Name())
				}
			}
		}
	}
	o.Line, o.Resume = nil, true
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, model), read(t, filepath.Join(whole.Out, "model.safetensors"))) {
		t.Error("the resumed training's weights differ")
	}
}

// noRoom goes on with the training where no file may grow beyond a limit.
func noRoom(t *testing.T, limit string) {
	n, err := strconv.ParseUint(limit, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	o := small(t, os.Getenv("DIR"), "out")
	o.Resume = true
	signal.Ignore(syscall.SIGXFSZ) // writes then fail with EFBIG
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: n, Max: n}); err != nil {
		t.Fatal(err)
	}
	_, err = Run(context.Background(), o)
	if err == nil {
		t.Fatal("no error")
	}
	t.Log("refused: " + err.Error())
}
