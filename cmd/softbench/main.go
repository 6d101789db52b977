// Softbench says whether one language model is better than another: it runs
// task suites on checkpoints, compares the results and guards them in CI.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode"
)

// Exit codes. A gate has two more of its own.
const (
	exitOK          = 0
	exitMisuse      = 2   // misuse or broken input
	exitInterrupted = 130 // Ctrl-C, as shells count it
)

// streams are the process's, or a test's.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the process at once
	}()
	os.Exit(execute(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// execute runs one command line and returns the exit code.
func execute(ctx context.Context, args []string, io streams) int {
	root := newRoot(io)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var code exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		if code.message != "" {
			fmt.Fprintln(io.err, "softbench:", oneLine(code.message))
		}
		return code.code
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(io.err, "softbench: interrupted")
		return exitInterrupted
	default:
		fmt.Fprintln(io.err, "softbench:", oneLine(err.Error()))
		return exitMisuse
	}
}

// exitError carries an exit code of its own; an empty message prints nothing.
type exitError struct {
	code    int
	message string
}

func (e exitError) Error() string { return e.message }

// oneLine keeps text on one line of the terminal and as it is read, whatever a file
// name or a document put into it: no control characters, of which U+009B begins an
// escape sequence, none that turn the direction of writing, none without a width.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\u2028', r == '\u2029', r == '\u0085':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return '\uFFFD'
		}
		return r
	}, s)
}
