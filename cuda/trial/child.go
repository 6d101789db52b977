package trial

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/softbench/softbench/cuda/conform"
	"github.com/softbench/softbench/cuda/device"
)

// Status is how a check ended.
type Status string

// The statuses. Wrong numbers leave the device usable; after a failure, or a kernel
// that hangs, the process that used it ends.
const (
	OK      Status = "ok"
	Wrong   Status = "wrong"
	Failed  Status = "device failed"
	Hung    Status = "hung"
	Skipped Status = "skipped"
)

// Row is one check's outcome.
type Row struct {
	Name   string             `json:"name"`
	Group  string             `json:"group"`
	Status Status             `json:"status"`
	Worst  float64            `json:"worst"` // difference, as a part of what is allowed
	Error  string             `json:"error,omitempty"`
	Kernel string             `json:"kernel,omitempty"` // what was running when the device failed or hung
	Wrong  conform.Mismatches `json:"mismatches,omitempty"`
	Timing *conform.Timing    `json:"timing,omitempty"`
	Took   float64            `json:"seconds"`
}

// request is what the parent asks of the child, a line of JSON.
type request struct {
	Name    string `json:"name"`
	Stepped bool   `json:"stepped,omitempty"` // wait for every launch, to name the one that fails
	Plain   bool   `json:"plain,omitempty"`   // no graphs
}

// line is what the child says, a line of JSON with one of these.
type line struct {
	Device *device.Info `json:"device,omitempty"` // the first
	Row    *Row         `json:"row,omitempty"`
}

// Place says where a child runs checks.
type Place struct {
	Open     func() (device.Device, error)
	Size     conform.Size
	Memory   int64         // bytes of the device's memory that are used, at most
	Limit    time.Duration // of a call to the device: one that takes longer hangs
	Operands string        // folder for operands of the timings that peers repeat; "" for none
}

// Exit codes of a child; 0 where its input ended.
const (
	exitFailed = 4
	exitHung   = 3
)

// site runs checks on one device, in this process.
type site struct {
	place  Place
	dev    *watched
	checks map[string]conform.Check
}

func (p Place) open() (*site, error) {
	dev, err := p.Open()
	if err != nil {
		return nil, err
	}
	w, err := watch(dev, p.Memory)
	if err != nil {
		return nil, err
	}
	s := &site{place: p, dev: w, checks: map[string]conform.Check{}}
	for _, c := range conform.All(dev.Info().Hopper, p.Size) {
		s.checks[c.Name] = c
	}
	return s, nil
}

// do runs one check. The row says Failed where the device did.
func (s *site) do(ctx context.Context, q request) Row {
	c, ok := s.checks[q.Name]
	if !ok {
		return Row{Name: q.Name, Status: Wrong, Error: "there is no such check"}
	}
	s.dev.stepped, s.dev.plain = q.Stepped, q.Plain
	begin := time.Now()
	o := c.Run(ctx, conform.Site{Open: s.dev.lease, Memory: s.dev.size, Twice: true})
	row := Row{Name: c.Name, Group: c.Group, Status: OK, Worst: o.Worst, Timing: o.Timing, Took: time.Since(begin).Seconds()}
	if o.Err != nil {
		row.Status, row.Error = Wrong, strings.ReplaceAll(o.Err.Error(), "\n", "; ")
		errors.As(o.Err, &row.Wrong)
	}
	if blame, err := s.dev.failed(); err != nil {
		row.Status, row.Kernel = Failed, blame
	}
	if err := s.keep(o); err != nil && row.Status == OK {
		row.Status, row.Error = Wrong, err.Error()
	}
	return row
}

// keep writes a timing's operands.
func (s *site) keep(o conform.Outcome) error {
	if s.place.Operands == "" || o.Timing == nil {
		return nil
	}
	for i, data := range o.Operands {
		if err := os.WriteFile(filepath.Join(s.place.Operands, operandFile(*o.Timing, i)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// operandFile names an operand as peers.py looks for it.
func operandFile(t conform.Timing, i int) string {
	return strings.NewReplacer(" ", "_", ",", "").Replace(fmt.Sprintf("%s %s %d", t.Kernel, t.Shape, i))
}

// hung watches over a device until stop is closed, and tells what hangs, once.
func (s *site) hung(stop <-chan struct{}, tell func(kernel string)) {
	tick := time.NewTicker(min(time.Second, s.place.Limit/4))
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			if kernel := s.dev.hung(s.place.Limit); kernel != "" {
				tell(kernel)
				return
			}
		}
	}
}

// Child runs the checks that in names and says to out what came of them. It returns the
// process's exit code: where the device fails or hangs, the process must end with it.
func Child(ctx context.Context, in io.Reader, out io.Writer, p Place) int {
	s, err := p.open()
	if err != nil {
		fmt.Fprintln(os.Stderr, strings.ReplaceAll(err.Error(), "\n", "; "))
		return exitFailed
	}
	var mu sync.Mutex
	say := func(l line) {
		mu.Lock()
		defer mu.Unlock()
		text, err := json.Marshal(l)
		if err == nil {
			_, err = out.Write(append(text, '\n'))
		}
		if err != nil {
			os.Exit(exitFailed) // nobody listens
		}
	}
	info := s.dev.dev.Info()
	say(line{Device: &info})
	requests := bufio.NewScanner(in)
	for requests.Scan() {
		var q request
		if err := json.Unmarshal(requests.Bytes(), &q); err != nil {
			say(line{Row: &Row{Name: requests.Text(), Status: Wrong, Error: err.Error()}})
			continue
		}
		begin, stop := time.Now(), make(chan struct{})
		go s.hung(stop, func(kernel string) {
			say(line{Row: &Row{Name: q.Name, Group: s.checks[q.Name].Group, Status: Hung, Kernel: kernel, Took: time.Since(begin).Seconds(),
				Error: fmt.Sprintf("no answer from the device for %v", p.Limit)}})
			os.Exit(exitHung)
		})
		row := s.do(ctx, q)
		close(stop)
		say(line{Row: &row})
		if row.Status == Failed {
			return exitFailed
		}
	}
	if err := s.dev.dev.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return 0
}
