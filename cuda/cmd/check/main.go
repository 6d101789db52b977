// Check holds this machine's GPU against softbench's simulated device and the
// CPU, times its kernels, and prints one table. It needs neither Go nor a
// network, only NVIDIA's driver: build it elsewhere with cuda/build-check and
// carry it over.
//
//	cuda-check            everything
//	cuda-check -quick     kernels alone, untimed: for compute-sanitizer
//	cuda-check -out DIR   leaves timings, and the smallest shapes' operands, in a
//	                      folder that exists, for cuda/peers.py
//
// It ends with 0 where all holds, 1 where something fails, 2 without a device.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/softbench/softbench/cuda"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("cuda-check", flag.ContinueOnError)
	flags.SetOutput(errs)
	quick := flags.Bool("quick", false, "the kernels' cases alone, without models and timings")
	verbose := flags.Bool("v", false, "print every case, not only those that fail")
	folder := flags.String("out", "", "a folder to leave timings and operands in")
	ordinal := flags.Int("device", 0, "which device")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if s, err := os.Stat(*folder); *folder != "" && (err != nil || !s.IsDir()) {
		fmt.Fprintf(errs, "cuda-check: -out %s is not a folder; make it first\n", *folder)
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(errs, "cuda-check: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	err := check(ctx, out, options{*quick, *verbose, *ordinal, *folder})
	switch {
	case err == nil:
		return 0
	case errors.Is(err, cuda.ErrNoDevice):
		fmt.Fprintln(errs, "cuda-check:", err)
		return 2
	}
	fmt.Fprintln(errs, "cuda-check:", err)
	return 1
}

type options struct {
	quick, verbose bool
	ordinal        int
	folder         string
}
