// Check holds this machine's GPU against softbench's simulated device and the
// CPU, times its kernels, and prints one table. It needs neither Go nor a
// network, only NVIDIA's driver: build it elsewhere with cuda/build-check and
// carry it over.
//
//	cuda-check                  everything, the most telling first
//	cuda-check -budget 8m       as much of it as begins in eight minutes
//	cuda-check -only 'gemm.*wgmma'
//	cuda-check -out DIR         keeps outcomes in a folder that exists; the same command goes on there
//	cuda-check -operands DIR    leaves the smallest shapes' operands, for cuda/peers.py
//	cuda-check -quick           kernels alone, in this process, untimed: for compute-sanitizer
//	cuda-check -on emu:FILE     tries itself on the emulated device (cuda/emu), -on sim on the simulated one
//
// Each outcome is printed as it comes. A check is run in a process that is begun again
// where the device fails or a kernel does not end within -hang. It ends with 0 where all
// holds, 1 where something does not, 2 without a device that opens or with wrong arguments, 3
// where a kernel hung, and 130 where it was interrupted; a second Ctrl-C ends it at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"time"

	"github.com/softbench/softbench/cuda"
	"github.com/softbench/softbench/cuda/conform"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/emu"
	"github.com/softbench/softbench/cuda/sim"
	"github.com/softbench/softbench/cuda/trial"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt)
	go func() {
		<-interrupts
		cancel()
		<-interrupts
		os.Exit(interrupted)
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Exit codes beside 0.
const (
	fails       = 1
	noDevice    = 2
	hung        = 3
	interrupted = 130
)

type options struct {
	quick, child     bool
	on               string
	ordinal          int
	folder, operands string
	only             *regexp.Regexp
	budget, hang     time.Duration
}

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	o, code := parse(args, errs)
	if o == nil {
		return code
	}
	err := func() error {
		if o.on == "gpu" {
			if err := cuda.Available(); err != nil {
				return err
			}
		}
		if o.quick {
			code, err := quick(ctx, out, *o)
			if code != 0 {
				os.Exit(code)
			}
			return err
		}
		return check(ctx, out, args, *o)
	}()
	switch {
	case err == nil:
		return 0
	case errors.Is(err, cuda.ErrNoDevice) || errors.Is(err, trial.ErrStart) || errors.Is(err, trial.ErrNoCheck):
		code = noDevice
	case errors.Is(err, errHung):
		code = hung
	case errors.Is(err, context.Canceled):
		code, err = interrupted, errors.New("interrupted; with -out the same command goes on")
	default:
		code = fails
	}
	fmt.Fprintln(errs, "cuda-check:", strings.ReplaceAll(err.Error(), "\n", "; "))
	return code
}

// parse returns nil and an exit code where there is nothing to do.
func parse(args []string, errs io.Writer) (*options, int) {
	flags := flag.NewFlagSet("cuda-check", flag.ContinueOnError)
	flags.SetOutput(errs)
	var o options
	flags.BoolVar(&o.quick, "quick", false, "the kernels' cases alone, in this process, without models and timings")
	only := flags.String("only", "", "the checks whose names match a regular `expression`")
	flags.DurationVar(&o.budget, "budget", 0, "begin no check after so long, the most telling first (0: no bound)")
	flags.DurationVar(&o.hang, "hang", 20*time.Second, "how long the device may take over a call")
	flags.StringVar(&o.folder, "out", "", "a `folder` to keep outcomes in, and to go on from")
	flags.StringVar(&o.operands, "operands", "", "a `folder` to leave timings' operands in")
	flags.StringVar(&o.on, "on", "gpu", "gpu, sim, or emu:FILE, which emu.Build made")
	flags.IntVar(&o.ordinal, "device", 0, "which device")
	flags.BoolVar(&o.child, "child", false, "run the checks that standard input names (for this program's own use)")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, 0
		}
		return nil, noDevice
	}
	wrong := func(format string, a ...any) (*options, int) {
		fmt.Fprintf(errs, "cuda-check: "+format+"\n", a...)
		return nil, noDevice
	}
	for _, f := range [][2]string{{"-out", o.folder}, {"-operands", o.operands}} {
		if s, err := os.Stat(f[1]); f[1] != "" && (err != nil || !s.IsDir()) {
			return wrong("%s %s is not a folder; make it first", f[0], f[1])
		}
	}
	if flags.NArg() > 0 {
		return wrong("unexpected argument %q", flags.Arg(0))
	}
	if o.on != "gpu" && o.on != "sim" && !strings.HasPrefix(o.on, "emu:") {
		return wrong("-on %s is none of gpu, sim and emu:FILE", o.on)
	}
	if o.hang <= 0 || o.budget < 0 {
		return wrong("-hang must be positive, and -budget not negative")
	}
	if *only != "" {
		var err error
		if o.only, err = regexp.Compile(*only); err != nil {
			return wrong("-only: %v", err)
		}
	}
	if o.quick && (o.folder != "" || o.operands != "" || o.budget != 0) {
		return wrong("-quick takes none of -out, -operands and -budget")
	}
	return &o, 0
}

// place says where checks run in a process of its own, or in this.
func (o options) place() trial.Place {
	p := trial.Place{Size: conform.Small, Memory: 1 << 30, Limit: o.hang, Operands: o.operands}
	switch file, emulated := strings.CutPrefix(o.on, "emu:"); {
	case emulated:
		p.Open = func() (device.Device, error) {
			dev, err := emu.Open(file, 0, 2<<30)
			return trial.Stopwatch{Device: dev}, err
		}
	case o.on == "sim":
		p.Open = func() (device.Device, error) { return trial.Stopwatch{Device: sim.New(2 << 30).Hopper()}, nil }
	default:
		p.Size, p.Memory = conform.Full, 8<<30
		p.Open = func() (device.Device, error) { return openGPU(o.ordinal) }
	}
	return p
}

var errHung = errors.New("a kernel hung")

// check runs everything in processes of this program's.
func check(ctx context.Context, out io.Writer, args []string, o options) error {
	if o.child {
		if code := trial.Child(ctx, os.Stdin, out, o.place()); code != 0 {
			os.Exit(code)
		}
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "date    %s\n", time.Now().UTC().Format(time.DateTime))
	t, err := trial.Run(ctx, out, trial.Options{
		Command: func() *exec.Cmd { return alone(exec.Command(self, append(args, "-child")...)) },
		Size:    o.place().Size, Only: o.only, Budget: o.budget, Folder: o.folder, Quiet: max(5*time.Minute, 2*o.hang),
		Begin: func(i device.Info) { header(out, i, "/proc/driver/nvidia/version") },
	})
	if err != nil {
		return err
	}
	switch bad := t.Count(trial.Wrong) + t.Count(trial.Failed); {
	case ctx.Err() != nil:
		return ctx.Err()
	case t.Count(trial.Hung) > 0:
		return fmt.Errorf("%w in %d of %d checks; %d others fail", errHung, t.Count(trial.Hung), len(t.Rows), bad)
	case bad > 0:
		return fmt.Errorf("%d of %d checks fail", bad, len(t.Rows))
	}
	return nil
}

// quick runs the kernels' cases here, so that a tool which looks at this process sees
// them. An exit code is for a process that cannot go on.
func quick(ctx context.Context, out io.Writer, o options) (int, error) {
	return trial.Quick(ctx, out, o.place(), o.only)
}
