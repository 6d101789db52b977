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
	"unicode"

	"github.com/softbench/softbench/internal/rescue"
)

// Exit codes. A gate has two more of its own.
const (
	exitOK          = 0
	exitMisuse      = 2   // misuse or broken input
	exitInterrupted = 130 // Ctrl-C, as shells count it, and every other signal of stops
)

// streams are the process's, or a test's.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// note tells a person something beside the results, in a line.
func (io streams) note(s string) { fmt.Fprintln(io.err, "note:", oneLine(s)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), stops...)
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
	err := rescue.Try(func() error { return root.ExecuteContext(ctx) })
	var code exitError
	var fault *rescue.Panic
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &fault):
		fmt.Fprintln(io.err, "softbench:", oneLine(faultText(fault, args)))
		return exitMisuse
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

// faultText keeps what a fault of softbench left in a file of its own and says
// where it is.
func faultText(p *rescue.Panic, args []string) string {
	text := fmt.Sprintf("this is a fault of softbench (%v): ", p.Value)
	trace := fmt.Appendf(nil, "softbench %s\n%q\n\n%v\n\n%s", version(), args, p.Value, p.Stack)
	f, err := os.CreateTemp("", "softbench-fault-*.txt")
	if err == nil {
		_, err = f.Write(trace)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return text + "its trace could not be kept: " + err.Error()
	}
	return text + "please report it with " + f.Name() + ", which has the trace"
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
