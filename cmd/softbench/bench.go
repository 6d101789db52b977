package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/internal/machine"
)

type benchOptions struct {
	io      streams
	measure machine.Options
	dtype   string
	device  string
	json    bool
	timed   bool // --seconds was given
}

// benchReport is what --json prints.
type benchReport struct {
	Softbench string `json:"softbench"`
	*machine.Report
}

func newBench(io streams, run work[benchOptions]) *cobra.Command {
	o := benchOptions{io: io}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine, and the engine against it",
		Long: `Measure this machine's own peaks (multiply instructions on registers, reading
memory), the matrix kernels at the shapes of a 340M model, and whole documents on
--model (else on a small random one): tokens/s, GFLOP/s and the fraction of the
measured peak. Products are checked before they are timed. Everything is measured
in rounds, and the median is shown. SOFTBENCH_ISA forces an instruction set. On a
GPU, documents alone are measured.`,
		Example: `  softbench bench
  softbench bench --model ./my-model --tokens 2048 --json | jq .prefill`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.timed = cmd.Flags().Changed("seconds")
			return run(&o, cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.measure.Model, "model", "", "checkpoint directory, organisation/name of a model in the hub's cache, or a built-in one: twin/softmax, twin/softpick")
	f.StringVar(&o.device, "device", "auto", "what to measure: cpu, cuda, or auto: a GPU where there is one")
	f.StringVar(&o.dtype, "dtype", "both", "number format: both, float32 or bfloat16")
	f.IntVar(&o.measure.Threads, "threads", 0, "threads, 0 for one per processor")
	f.IntVar(&o.measure.Tokens, "tokens", 2048, "length of a document")
	f.IntVar(&o.measure.Rounds, "rounds", 5, "times everything is measured")
	f.Float64Var(&o.measure.Seconds, "seconds", 10, "time for the loops and products, of all rounds together")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func (o *benchOptions) execute(ctx context.Context) error {
	switch o.dtype {
	case "both":
		o.measure.DTypes = []kernel.Arithmetic{kernel.BFloat16, kernel.Float32}
	case "bfloat16":
		o.measure.DTypes = []kernel.Arithmetic{kernel.BFloat16}
	case "float32":
		o.measure.DTypes = []kernel.Arithmetic{kernel.Float32}
	default:
		return fmt.Errorf("--dtype %q: want both, float32 or bfloat16", o.dtype)
	}
	var err error
	if o.measure.Set, err = kernel.FromEnv(); err != nil {
		return err
	}
	if o.measure.Model, err = builtIn(o.measure.Model, nil); err != nil {
		return err
	}
	if o.measure.Model != "" {
		if o.measure.Model, err = eval.FindModel(o.measure.Model); err != nil {
			return err
		}
	}
	clear := func() {}
	if f, ok := o.io.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.measure.Progress = func(what string) { fmt.Fprintf(f, "\r\x1b[K%s", oneLine(what)) }
		clear = func() { fmt.Fprint(f, "\r\x1b[K") }
	}
	r, err := o.measureOn(ctx)
	clear()
	if err != nil {
		return err
	}
	if o.json {
		return writeJSON(o.io.out, benchReport{version(), r})
	}
	return writeBench(o.io.out, r)
}

// measureOn measures the processor, or the documents on a GPU.
func (o *benchOptions) measureOn(ctx context.Context) (*machine.Report, error) {
	open, err := eval.OpenGPU(o.device)
	if err != nil || open == nil {
		if err == nil {
			return machine.Measure(ctx, o.measure)
		}
		return nil, err
	}
	if o.timed {
		fmt.Fprintln(o.io.err, "note: --seconds is about the processor's loops and products, and on a GPU documents alone are measured")
	}
	var all *machine.Report
	o.measure.Open = open
	for _, dt := range o.measure.DTypes {
		one := o.measure
		one.DTypes = []kernel.Arithmetic{dt}
		r, err := machine.Measure(ctx, one)
		if err != nil {
			return nil, err
		}
		if all != nil {
			r.Prefill = append(all.Prefill, r.Prefill...)
		}
		all = r
	}
	return all, nil
}

// writeBench prints the report as tables.
func writeBench(out io.Writer, r *machine.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "machine\t%s, %s, %s, %d threads\n", r.CPU, r.System, r.Go, r.Threads)
	if r.Device != "" {
		return writeDevice(w, r)
	}
	for _, p := range r.Paths {
		state := "available"
		switch {
		case p.Used:
			state = "measured here"
		case !p.Available:
			state = p.Reason
		}
		fmt.Fprintf(w, "%s\t%s\n", p.Name, state)
	}
	fmt.Fprintf(w, "\npeak\tmedian\tlowest\tbest\t\n")
	for _, p := range r.Peaks {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", p.Name, digits(p.Median), digits(p.Lowest), digits(p.Best), p.Unit)
	}
	if len(r.Peaks) == 0 {
		fmt.Fprintf(w, "none: this build has no loop for this machine\n")
	}
	fmt.Fprintf(w, "\nmatrix multiply\tGFLOP/s\tlowest\tbest\tof peak\n")
	for _, g := range r.GEMM {
		fmt.Fprintf(w, "%s %d x %dx%d\t%s\t%s\t%s\t%s\n", g.DType, g.Rows, g.Inputs, g.Outputs, digits(g.Median), digits(g.Lowest), digits(g.Best), share(g.OfPeak))
	}
	writeDocuments(w, r)
	return w.Flush()
}

// writeDevice prints what was measured on a GPU.
func writeDevice(w *tabwriter.Writer, r *machine.Report) error {
	fmt.Fprintf(w, "device\t%s (%s)\n", r.Device, r.ISA)
	writeDocuments(w, r)
	return w.Flush()
}

func writeDocuments(w io.Writer, r *machine.Report) {
	fmt.Fprintf(w, "\ndocument\ttokens/s\tGFLOP/s\tlowest\tbest\tof peak\t2·parameters·tokens\n")
	for _, p := range r.Prefill {
		fmt.Fprintf(w, "%s %d tokens, %d scored\t%s\t%s\t%s\t%s\t%s\t%s\n", p.DType, p.Tokens, p.Scored, digits(p.TokensPerSecond),
			digits(p.Median), digits(p.Lowest), digits(p.Best), share(p.OfPeak), share(p.ByParameters))
	}
	for _, p := range r.Prefill[:min(1, len(r.Prefill))] {
		fmt.Fprintf(w, "\nmodel\t%s, %s parameters\n", oneLine(p.Model), commas(p.Parameters))
	}
}

// digits shows three significant digits, and all of those before the point.
func digits(x float64) string {
	switch {
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return commas(int64(x + 0.5))
}

// share shows a fraction; none where there is nothing to compare with.
func share(x float64) string {
	if x == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", x)
}
