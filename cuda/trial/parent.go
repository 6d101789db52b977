package trial

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/softbench/softbench/cuda/conform"
	"github.com/softbench/softbench/cuda/device"
)

// Options choose what is tried.
type Options struct {
	// Command makes the process that runs Child.
	Command func() *exec.Cmd
	Size    conform.Size
	Only    *regexp.Regexp // checks with such names; nil: all
	Budget  time.Duration  // no check begins later; 0: no bound
	Folder  string         // where outcomes are kept, and taken from; "" for nowhere
	Quiet   time.Duration  // a child that says nothing for so long is killed
	Begin   func(device.Info)
}

// ErrStart is in the chain of errors of a child that never said what device it has.
var ErrStart = errors.New("the process that uses the device does not start")

// ErrNoCheck is the error where no check has a name that was asked for.
var ErrNoCheck = errors.New("no check has such a name")

// mostHangs is the kernels of a group that may hang before the rest of it is skipped.
const mostHangs = 2

// Run tries everything, tells w each outcome as it comes and the table at its end, and
// returns all rows. The context's end is no error: what is done is told.
func Run(ctx context.Context, w io.Writer, o Options) (*Trial, error) {
	t := &Trial{w: w, o: o, begun: time.Now(), bad: map[string]int{}, hangs: map[string]int{}}
	defer t.stop()
	if err := t.start(); err != nil {
		return nil, err
	}
	if o.Begin != nil {
		o.Begin(t.Device)
	}
	if err := t.keepIn(o.Folder); err != nil {
		return nil, err
	}
	list := ordered(conform.All(t.Device.Hopper, o.Size), o.Only)
	if len(list) == 0 {
		return nil, ErrNoCheck
	}
	for i, c := range list {
		if ctx.Err() != nil || o.Budget > 0 && time.Since(t.begun) > o.Budget {
			t.Left = len(list) - i
			break
		}
		if t.had(c.Name) {
			continue
		}
		if err := t.try(ctx, c); err != nil {
			return t, err
		}
	}
	return t, t.table()
}

// Trial is what was found.
type Trial struct {
	Device device.Info `json:"device"`
	Rows   []Row       `json:"checks"`
	Left   int         `json:"left"` // checks that were not tried

	w     io.Writer
	o     Options
	begun time.Time
	kept  *journal
	bad   map[string]int // of each group: checks that do not hold
	hangs map[string]int

	child *exec.Cmd
	in    io.WriteCloser
	lines chan line
	says  *strings.Builder // the child's standard error
}

// try runs one check and tells its outcome.
func (t *Trial) try(ctx context.Context, c conform.Check) error {
	fmt.Fprintf(t.w, "%s ... ", c.Name)
	row := Row{Name: c.Name, Group: c.Group, Status: Skipped}
	switch {
	case c.Needs != "" && t.bad[c.Needs] > 0:
		row.Error = c.Needs + " does not hold: not timed"
	case t.hangs[c.Group] >= mostHangs:
		row.Error = fmt.Sprintf("%d others of %s hung", t.hangs[c.Group], c.Group)
	default:
		var err error
		if row, err = t.ask(ctx, c, request{Name: c.Name}); err != nil {
			return err
		}
		if row, err = t.closer(ctx, c, row); err != nil {
			return err
		}
	}
	if ctx.Err() != nil && row.Status != OK { // whoever interrupted it is to blame
		t.Left++
		fmt.Fprintln(t.w, "interrupted")
		return nil
	}
	if row.Status != OK && row.Status != Skipped {
		t.bad[c.Group]++
	}
	if row.Status == Hung {
		t.hangs[c.Group]++
	}
	t.Rows = append(t.Rows, row)
	fmt.Fprintln(t.w, row.text())
	return t.kept.add(row)
}

// closer looks into a model that does not hold: where the device fails it is run again,
// each launch waited for, to name the kernel; and where that says nothing, or numbers are
// wrong, without graphs, to say whether those are to blame.
func (t *Trial) closer(ctx context.Context, c conform.Check, row Row) (Row, error) {
	if c.Group != conform.GroupModels || row.Status != Failed && row.Status != Wrong || ctx.Err() != nil {
		return row, nil
	}
	if row.Status == Failed {
		again, err := t.ask(ctx, c, request{Name: c.Name, Stepped: true})
		if err != nil || again.Status != OK {
			return again, err
		}
		row.Error += "; not where every launch is waited for"
	}
	plain, err := t.ask(ctx, c, request{Name: c.Name, Plain: true})
	if err == nil && plain.Status == OK {
		row.Error += "; not without graphs, so graphs are to blame (SOFTBENCH_CUDA=no-graphs)"
	}
	return row, err
}

// text is a row's outcome in a line.
func (r Row) text() string {
	switch {
	case r.Status == OK && r.Timing != nil:
		return fmt.Sprintf("%.3f ms, %.1f TFLOP/s", r.Timing.Median, r.Timing.TFLOPS)
	case r.Status == OK:
		return fmt.Sprintf("ok, %.2f of what is allowed", r.Worst)
	case r.Kernel != "":
		return fmt.Sprintf("%s in %s: %s", strings.ToUpper(string(r.Status)), r.Kernel, r.Error)
	}
	return fmt.Sprintf("%s: %s", strings.ToUpper(string(r.Status)), r.Error)
}

// ask has a child run a check. A child that ends without an answer failed in it.
func (t *Trial) ask(ctx context.Context, c conform.Check, q request) (Row, error) {
	if t.child == nil {
		if err := t.start(); err != nil {
			return Row{}, err
		}
	}
	text, err := json.Marshal(q)
	if err != nil {
		return Row{}, err
	}
	begin := time.Now()
	if _, err := t.in.Write(append(text, '\n')); err != nil {
		return t.ended(c, begin, "it ended before it was asked"), nil
	}
	select {
	case l, ok := <-t.lines:
		if !ok || l.Row == nil {
			return t.ended(c, begin, "it ended without an answer"), nil
		}
		if l.Row.Status == Failed || l.Row.Status == Hung {
			t.stop()
		}
		return *l.Row, nil
	case <-ctx.Done():
		t.stop()
		return Row{Name: c.Name, Group: c.Group, Status: Skipped, Error: "interrupted"}, nil
	case <-time.After(t.o.Quiet):
		t.stop()
		return Row{Name: c.Name, Group: c.Group, Status: Hung, Took: time.Since(begin).Seconds(), Error: fmt.Sprintf("no word from the process for %v", t.o.Quiet)}, nil
	}
}

// ended is the row of a check in which the child died.
func (t *Trial) ended(c conform.Check, begin time.Time, what string) Row {
	t.stop()
	if said := strings.TrimSpace(t.says.String()); said != "" {
		first, _, _ := strings.Cut(said, "\n")
		what += ": " + first
	}
	return Row{Name: c.Name, Group: c.Group, Status: Failed, Error: what, Took: time.Since(begin).Seconds()}
}

// start begins a child and waits for its word on the device.
func (t *Trial) start() error {
	cmd := t.o.Command()
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	t.says = &strings.Builder{}
	cmd.Stderr = t.says
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: %w", ErrStart, err)
	}
	lines := make(chan line, 1)
	go func() {
		defer close(lines)
		s := bufio.NewScanner(out)
		s.Buffer(nil, 16<<20)
		for s.Scan() {
			var l line
			if err := json.Unmarshal(s.Bytes(), &l); err != nil {
				l = line{}
			}
			lines <- l
		}
	}()
	t.child, t.in, t.lines = cmd, in, lines
	select {
	case l := <-lines:
		if l.Device != nil {
			t.Device = *l.Device
			return nil
		}
	case <-time.After(t.o.Quiet):
	}
	t.stop()
	return fmt.Errorf("%w: %s", ErrStart, strings.TrimSpace(t.says.String()))
}

// patience is how long a child may take to end once its input has.
const patience = 5 * time.Second

// stop ends the child; one that a hanging device holds is left behind.
func (t *Trial) stop() {
	if t.child == nil {
		return
	}
	_ = t.in.Close() // it may be gone
	done := make(chan struct{})
	go func(child *exec.Cmd, lines chan line) {
		for range lines { // so that it is not held up by what nobody reads
		}
		_ = child.Wait() // its answers said how it went
		close(done)
	}(t.child, t.lines)
	select {
	case <-done:
	case <-time.After(patience):
		_ = t.child.Process.Kill()
		select {
		case <-done:
		case <-time.After(patience):
		}
	}
	t.child = nil
}
