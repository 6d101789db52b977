package machine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/rescue"
)

// Options say what to measure.
type Options struct {
	Threads int // 0: one per processor
	Set     kernel.Set
	// Rounds is the number of times everything is measured, one after the
	// other and all over again, so that a disturbance of some seconds meets
	// everything alike. At least 1.
	Rounds int
	// Seconds is the time for the loops and products of all rounds together,
	// about; documents take what they take.
	Seconds float64
	DTypes  []kernel.Arithmetic // one of each, or both
	Model   string              // checkpoint directory; "": a small random one
	Tokens  int                 // of a document; at least 1
	// Open puts the checkpoint on another device than this processor; then only
	// documents are measured, one DType at a time since a backend may take all of
	// a device's memory. nil: the processor.
	Open func(ctx context.Context, ck *checkpoint.Checkpoint, dt kernel.Arithmetic) (engine.Backend, error)
	// Progress is told what is measured next; may be nil.
	Progress func(what string)
}

// What may be asked for: more threads than any machine has take memory for
// nothing, and a longer document than any model takes is never finished.
const (
	maxThreads = 4096
	maxTokens  = 1 << 24
)

func (o *Options) check() error {
	switch {
	case o.Threads < 0 || o.Threads > maxThreads:
		return fmt.Errorf("%d threads: want 1 to %d, or 0 for one per processor", o.Threads, maxThreads)
	case o.Rounds < 1 || o.Rounds > 1000:
		return fmt.Errorf("%d rounds: want 1 to 1000", o.Rounds)
	case !(o.Seconds > 0 && o.Seconds <= 3600):
		return fmt.Errorf("%v seconds: want more than 0, at most 3600", o.Seconds)
	case o.Tokens < 1 || o.Tokens > maxTokens:
		return fmt.Errorf("documents of %d tokens: want 1 to %d", o.Tokens, maxTokens)
	case len(o.DTypes) == 0:
		return errors.New("no number format to measure")
	case o.Open != nil && len(o.DTypes) > 1:
		return errors.New("a device is measured in one number format at a time")
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Set == nil {
		o.Set = kernel.Best()
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return nil
}

// timing is one thing to measure: run works for about d and returns the rate in
// units a second. A document is run once, whatever d.
type timing struct {
	name string
	run  func(ctx context.Context, d time.Duration) (float64, error)
	got  []float64 // a round each
}

// Measure measures this machine and the engine on it. It returns early with
// ctx's error, and with an error where a product is wrong: a wrong result is
// not worth timing.
func Measure(ctx context.Context, o Options) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	var peaks []peakTiming
	var gemms []gemmTiming
	if o.Open == nil {
		peaks = peakTimings(o.Threads)
		o.Progress("preparing matrices")
		var err error
		if gemms, err = gemmTimings(o); err != nil {
			return nil, err
		}
	}
	o.Progress("loading the model")
	documents, err := loadDocuments(ctx, o)
	if err != nil {
		return nil, err
	}
	defer documents.close()

	var timings []*timing
	for i := range peaks {
		timings = append(timings, &peaks[i].timing)
	}
	for i := range gemms {
		timings = append(timings, &gemms[i].timing)
	}
	each := time.Duration(o.Seconds / float64(o.Rounds*max(1, len(timings))) * float64(time.Second))
	for i := range documents.list {
		timings = append(timings, &documents.list[i].timing)
	}
	for round := range o.Rounds {
		for _, p := range timings {
			o.Progress(fmt.Sprintf("round %d of %d: %s", round+1, o.Rounds, p.name))
			got, err := p.run(ctx, each)
			if err != nil {
				return nil, err
			}
			p.got = append(p.got, got)
		}
	}
	return assemble(o, peaks, gemms, documents), nil
}

func assemble(o Options, peaks []peakTiming, gemms []gemmTiming, documents *documents) *Report {
	info := kernel.Detect()
	r := &Report{
		Schema: Schema, CPU: info.CPU, System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
		Features: append([]string{}, info.Features...), Threads: o.Threads, Rounds: o.Rounds, ISA: o.Set.Name(),
		Peaks: []Peak{}, GEMM: []GEMM{}, Prefill: []Prefill{},
	}
	for _, p := range info.Paths {
		r.Paths = append(r.Paths, Path{Name: p.Name, Available: p.Reason == "", Used: p.Name == o.Set.Name(), Reason: p.Reason})
	}
	for _, p := range peaks {
		r.Peaks = append(r.Peaks, p.report())
	}
	for _, g := range gemms {
		r.GEMM = append(r.GEMM, g.report(r.peak(g.dtype)))
	}
	if o.Open != nil {
		d := documents.models[0].Describe()
		r.Device, r.ISA = d.Name, d.ISA
	}
	for _, d := range documents.list {
		r.Prefill = append(r.Prefill, d.report(documents, r.peak(d.dtype)))
	}
	return r
}

// peak is the best round of the fastest loop for a format, 0 where there is
// none: other programs can only make a loop slower.
func (r *Report) peak(dt kernel.Arithmetic) float64 {
	best := 0.0
	for _, p := range r.Peaks {
		if p.Unit == "GFLOP/s" && (p.DType == dt.String() || p.DType == kernel.Float32.String()) {
			best = max(best, p.Best)
		}
	}
	return best
}

// rate is the rates of the rounds in units of 1e9.
func rate(got []float64) Rate {
	s := slices.Sorted(slices.Values(got))
	n := len(s)
	return Rate{Median: (s[(n-1)/2] + s[n/2]) / 2 / 1e9, Lowest: s[0] / 1e9, Best: s[n-1] / 1e9}
}

func fraction(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

type peakTiming struct {
	timing
	peak kernel.Peak
}

// peakTimings gives every thread loops of its own.
func peakTimings(threads int) []peakTiming {
	perThread := make([][]kernel.Peak, threads)
	for i := range perThread {
		perThread[i] = kernel.Peaks()
	}
	var list []peakTiming
	for i, p := range perThread[0] {
		loops := make([]func() float64, threads)
		for t := range loops {
			loops[t] = perThread[t][i].Run
		}
		list = append(list, peakTiming{timing{name: p.Name, run: func(ctx context.Context, d time.Duration) (float64, error) {
			return together(ctx, loops, d)
		}}, p})
	}
	return list
}

func (p *peakTiming) report() Peak {
	out := Peak{Name: p.peak.Name, Unit: "GB/s", Rate: rate(p.got)}
	if p.peak.Unit == "FLOP" {
		out.Unit, out.DType = "GFLOP/s", p.peak.Arithmetic.String()
	}
	return out
}

// together runs each loop on a goroutine of its own for about d and returns the
// work done per second of the time they all took.
func together(ctx context.Context, loops []func() float64, d time.Duration) (float64, error) {
	work := make([]float64, len(loops))
	for i, loop := range loops {
		work[i] = loop() * 0 // the first call may allocate
	}
	var wg rescue.Group
	start := time.Now()
	for i, loop := range loops {
		wg.Go(func() {
			for work[i] == 0 || (time.Since(start) < d && ctx.Err() == nil) {
				work[i] += loop()
			}
		})
	}
	wg.Wait()
	seconds := time.Since(start).Seconds()
	sum := 0.0
	for _, w := range work {
		sum += w
	}
	return sum / seconds, ctx.Err()
}
