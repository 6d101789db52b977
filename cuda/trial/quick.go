package trial

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/softbench/softbench/cuda/conform"
)

// Quick runs every kernel's cases in this process. The exit code is not 0 where the
// device fails, after which nothing more can be run.
func Quick(ctx context.Context, w io.Writer, p Place, only *regexp.Regexp) (int, error) {
	s, err := p.open()
	if err != nil {
		return 0, err
	}
	stop := make(chan struct{})
	defer close(stop)
	go s.hung(stop, func(kernel string) {
		fmt.Fprintf(w, "HUNG in %s: no answer from the device for %v\n", kernel, p.Limit)
		os.Exit(exitHung)
	})
	bad, n := 0, 0
	for _, c := range ordered(conform.Kernels(s.dev.dev.Info().Hopper), only) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		fmt.Fprintf(w, "%s ... ", c.Name)
		row := s.do(ctx, request{Name: c.Name})
		fmt.Fprintln(w, row.text())
		n++
		switch row.Status {
		case OK:
		case Failed:
			return exitFailed, nil
		default:
			bad++
		}
	}
	if n == 0 {
		return 0, ErrNoCheck
	}
	fmt.Fprintf(w, "%d of %d kernel cases fail\n", bad, n)
	if bad > 0 {
		return 0, fmt.Errorf("%d of %d kernel cases fail", bad, n)
	}
	return 0, s.dev.dev.Close()
}
