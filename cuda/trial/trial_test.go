package trial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/cuda/conform"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/sim"
)

// TestMain makes this binary the child where the environment says so: on a simulated
// device that goes wrong as it says.
func TestMain(m *testing.M) {
	fault, child := os.LookupEnv("SOFTBENCH_TRIAL_CHILD")
	if !child {
		os.Exit(m.Run())
	}
	os.Exit(Child(context.Background(), os.Stdin, os.Stdout, Place{
		Size: conform.Small, Memory: 640 << 20, Limit: 2 * time.Second,
		Open: func() (device.Device, error) {
			if fault == "open" {
				return nil, errors.New("no device today")
			}
			if what, ok := strings.CutPrefix(fault, "graph "); ok {
				return graphless{sim.NewStream(sim.New(2 << 30)), what}, nil
			}
			return Stopwatch{faulty{Device: sim.New(2 << 30), fault: fault}}, nil
		},
	}))
}

// faulty goes wrong where sb_qkv is launched for bfloat16, or where that is waited for.
type faulty struct {
	*sim.Device
	fault string
}

func (f faulty) Launch(l *device.Launch) error {
	if l.Kernel != "sb_qkv_bf16" {
		return f.Device.Launch(l)
	}
	switch f.fault {
	case "fail":
		return errors.New("CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access)")
	case "hang":
		select {}
	case "die":
		fmt.Fprintln(os.Stderr, "the driver gave up\ngoroutine 1")
		os.Exit(1)
	case "wrong":
		l.Args[16] = device.F(l.Args[16].Float() * 1.5)
	}
	return f.Device.Launch(l)
}

// graphless goes wrong where launches may become a graph.
type graphless struct {
	*sim.Stream
	fault string
}

func (g graphless) Start(w *device.Work) (wait func() error) {
	if !w.Again {
		return g.Stream.Start(w)
	}
	if g.fault == "fails" {
		return func() error { return errors.New("CUDA_ERROR_INVALID_VALUE (invalid argument)") }
	}
	once := *w
	once.Again, once.Launches = false, nil // what was computed before is read again
	for _, l := range w.Launches {
		if !strings.HasPrefix(l.Kernel, "sb_embed") {
			once.Launches = append(once.Launches, l)
		}
	}
	return g.Stream.Start(&once)
}

// TestGraphsAreBlamed: a model that fails, or is wrong, by graphs alone says so.
func TestGraphsAreBlamed(t *testing.T) {
	for _, c := range []struct {
		fault string
		bad   Status
		says  string
	}{
		{"graph fails", Failed, "; not where every launch is waited for; not without graphs, so graphs are to blame"},
		{"graph lags", Wrong, "; not without graphs, so graphs are to blame"},
		{"wrong", Wrong, ""},
	} {
		trial, out, err := try(t, t.Context(), c.fault, "^model, softpick", Options{})
		if err != nil || len(trial.Rows) != 1 || trial.Rows[0].Status != c.bad {
			t.Fatalf("%s: %v\n%s", c.fault, err, out)
		}
		if _, after, blamed := strings.Cut(trial.Rows[0].Error, "; not "); blamed != (c.says != "") || !strings.Contains("; not "+after, c.says) {
			t.Errorf("%s: %s", c.fault, trial.Rows[0].Error)
		}
	}
}

// try runs some checks with a child that goes wrong so, and returns what was printed.
func try(t *testing.T, ctx context.Context, fault, only string, o Options) (*Trial, string, error) {
	t.Helper()
	o.Command = func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SOFTBENCH_TRIAL_CHILD="+fault)
		return cmd
	}
	o.Size, o.Quiet, o.Only = conform.Small, 10*time.Minute, regexp.MustCompile(only)
	var out strings.Builder
	trial, err := Run(ctx, &out, o)
	return trial, out.String(), err
}

// TestGoesOnAfterEveryFault: the check in which it happens, and the kernel, are named;
// the next one is tried on a device that is opened anew.
func TestGoesOnAfterEveryFault(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes that hang")
	}
	for _, c := range []struct {
		fault string
		bad   Status
		says  string
	}{
		{"", OK, "qkv bfloat16, 1 rows of 8, 1+1 heads of 32 ... ok, 0.00 of what is allowed\n"},
		{"wrong", Wrong, "elements are wrong, the first (row 0, column 0) is"},
		{"fail", Failed, "DEVICE FAILED in sb_qkv_bf16, grid 1 x 1 x 1 of 256 threads: "},
		{"hang", Hung, "HUNG in sb_qkv_bf16, grid 1 x 1 x 1 of 256 threads: no answer from the device for 2s\n"},
		{"die", Failed, "DEVICE FAILED: it ended without an answer: the driver gave up\n"},
	} {
		trial, out, err := try(t, t.Context(), c.fault, "^(qkv bfloat16, |rmsnorm bfloat16, 1 rows of (8|64)|model, softpick)", Options{})
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.fault, err, out)
		}
		if len(trial.Rows) != 13 || !strings.Contains(out, c.says) || c.fault != "" && trial.Count(c.bad) == 0 {
			t.Errorf("%s: %d checks, want 13, and %q in\n%s", c.fault, len(trial.Rows), c.says, out)
		}
		for _, r := range trial.Rows {
			if bad := strings.HasPrefix(r.Name, "qkv") || r.Group == conform.GroupModels; bad != (r.Status != OK) && c.fault != "" {
				t.Errorf("%s: %s is %s", c.fault, r.Name, r.Status)
			}
			if r.Group == conform.GroupModels && c.fault == "fail" && !strings.HasPrefix(r.Kernel, "sb_qkv_bf16") {
				t.Errorf("a model on which the device fails names %q: %+v", r.Kernel, r)
			}
		}
	}
}

func TestADeviceThatDoesNotOpen(t *testing.T) {
	if _, _, err := try(t, t.Context(), "open", "", Options{}); !errors.Is(err, ErrStart) || !strings.HasSuffix(err.Error(), "no device today") {
		t.Error(err)
	}
	if _, _, err := try(t, t.Context(), "", "no such name", Options{}); err == nil {
		t.Error("no check, and no error")
	}
}

// TestGoesOnWhereItStopped: outcomes that are kept are not tried again, a line cut off
// counts as none, and those of another device are refused.
func TestGoesOnWhereItStopped(t *testing.T) {
	dir := t.TempDir()
	const only = "^(gather|rope bfloat16, 5)"
	whole, _, err := try(t, t.Context(), "", only, Options{Folder: dir})
	if err != nil || len(whole.Rows) != 9 {
		t.Fatalf("%d rows, %v", len(whole.Rows), err)
	}
	name := filepath.Join(dir, Outcomes)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	cut := strings.Join(lines[:4], "") + lines[4][:20]
	if err := os.WriteFile(name, []byte(cut), 0o644); err != nil {
		t.Fatal(err)
	}
	again, out, err := try(t, t.Context(), "", only, Options{Folder: dir})
	if err != nil || len(again.Rows) != 9 || strings.Count(out, " ... ") != 6 {
		t.Fatalf("%d rows, %v\n%s", len(again.Rows), err, out)
	}
	if text, err = os.ReadFile(name); err != nil || strings.Count(string(text), "\n") != 10 {
		t.Errorf("kept %s, %v", text, err)
	}
	if err := os.WriteFile(name, []byte(`{"device":"another"}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := try(t, t.Context(), "", only, Options{Folder: dir}); err == nil || !strings.Contains(err.Error(), "name another folder") {
		t.Error(err)
	}
}

// TestBudgetAndInterruption: what was not tried is counted, and the table is printed.
func TestBudgetAndInterruption(t *testing.T) {
	trial, out, err := try(t, t.Context(), "", "^gather", Options{Budget: 1})
	if err != nil || trial.Left != 3 || !strings.Contains(out, "not tried  3") {
		t.Errorf("%v, %+v\n%s", err, trial, out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if trial, _, err = try(t, ctx, "", "^gather", Options{}); err != nil || trial.Left != 3 {
		t.Errorf("%v, %+v", err, trial)
	}
}

// TestOrder: of each group the first before the second of any; kernels before models
// before timings; nothing lost.
func TestOrder(t *testing.T) {
	list := ordered(conform.All(true, conform.Full), nil)
	if want := conform.All(true, conform.Full); len(list) != len(want) {
		t.Fatalf("%d of %d checks", len(list), len(want))
	}
	groups := map[string]int{}
	var first []string
	for _, c := range list {
		if groups[c.Group]++; groups[c.Group] == 1 {
			first = append(first, c.Group)
		}
	}
	if n := len(first); n < 12 || first[n-1] != conform.GroupTimings || first[n-2] != conform.GroupModels {
		t.Errorf("groups in the order of their first: %q", first)
	}
	seen := map[string]int{}
	for i, c := range list[:len(list)/2] {
		seen[c.Group]++
		if i == len(first)-1 && len(seen) != len(first) {
			t.Errorf("after %d checks, %d of %d groups are begun", i+1, len(seen), len(first))
		}
	}
	for g, n := range groups {
		if d := seen[g] - n/2; d > 1 || d < -1 {
			t.Errorf("half-way, %d of %d of %s are done", seen[g], n, g)
		}
	}
}

// TestTimingsNeedTheirKernel: what does not hold is not timed.
func TestTimingsNeedTheirKernel(t *testing.T) {
	var out strings.Builder
	trial := &Trial{w: &out, bad: map[string]int{"gemm bfloat16": 1}, hangs: map[string]int{}, kept: &journal{}}
	for _, c := range conform.Timings(false, conform.Small) {
		if c.Needs == "gemm bfloat16" {
			if err := trial.try(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	if trial.Count(Skipped) != 2 || !strings.Contains(out.String(), "SKIPPED: gemm bfloat16 does not hold: not timed") {
		t.Errorf("%+v\n%s", trial.Rows, out.String())
	}
}
