package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/internal/rescue"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/serve"
)

type serveOptions struct {
	io    streams
	model eval.ModelOptions
	batch batchFlags

	host     string
	port     int
	token    string
	name     string
	maxBody  string
	requests int
}

func newServe(io streams, run work[serveOptions]) *cobra.Command {
	o := serveOptions{io: io}
	cmd := &cobra.Command{
		Use:   "serve MODEL",
		Short: "Answer requests of other programs in OpenAI's completions form",
		Long: `Load a checkpoint and answer POST /v1/completions and GET /v1/models, so that
lm-evaluation-harness (its model local-completions) and other clients get the
scores of softbench's engine. Prompts are texts or token ids; echo, logprobs,
max_tokens and stop do what they do at OpenAI's; decoding is greedy. Requests that
arrive together are computed as one, and no answer depends on which do.

The server listens on 127.0.0.1, to which no other machine has a way. With another
--host anyone who reaches it is answered, unless --token is given: requests must
then carry "Authorization: Bearer TOKEN". The variable SOFTBENCH_TOKEN is its
default, which other users of the machine do not see. Ctrl-C ends it. docs/serve.md
has the command with which lm-evaluation-harness asks.`,
		Example: "  softbench serve ./my-model --port 8000",
		Args:    oneArg("model"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.name == "" && len(args) == 1 {
				o.name = args[0]
			}
			if !cmd.Flags().Changed("token") {
				o.token = os.Getenv("SOFTBENCH_TOKEN")
			} else if o.token == "" {
				return usageError(cmd, errors.New("--token is empty: leave it out for a server without one"))
			}
			return ofModel(&o, &o.model.Model, run)(cmd, args)
		},
	}
	addLoadFlags(cmd, &o.model)
	addBatchFlags(cmd, &o.batch)
	f := cmd.Flags()
	f.StringVar(&o.host, "host", "127.0.0.1", "`address` to listen on")
	f.IntVar(&o.port, "port", 8000, "port to listen on, 0 for any that is free")
	f.StringVar(&o.token, "token", "", "`text` that requests must carry (default $SOFTBENCH_TOKEN, or none)")
	f.StringVar(&o.name, "model-name", "", "`name` of the model in requests and answers (default MODEL as given)")
	f.StringVar(&o.maxBody, "max-body", "4MiB", "largest body of a request")
	f.IntVar(&o.requests, "max-requests", 64, "requests that are read or computed at once; others wait")
	return cmd
}

// check refuses what no server can have.
func (o *serveOptions) check() (memory, body int64, err error) {
	const mostRequests, mostBody = 4096, 1 << 30
	if memory, err = o.batch.check(); err != nil {
		return 0, 0, err
	}
	if o.port < 0 || o.port > 65535 {
		return 0, 0, fmt.Errorf("--port %d: want 1 to 65535, or 0 for any that is free", o.port)
	}
	if o.requests < 1 || o.requests > mostRequests {
		return 0, 0, fmt.Errorf("--max-requests %d: want 1 to %d", o.requests, mostRequests)
	}
	if body, err = eval.ParseSize("--max-body", o.maxBody); err != nil {
		return 0, 0, err
	}
	if body < 1 || body > mostBody {
		return 0, 0, fmt.Errorf("--max-body %q: want at most 1GiB", o.maxBody)
	}
	return memory, body, o.model.Check()
}

func (o *serveOptions) execute(ctx context.Context) error {
	memory, body, err := o.check()
	if err != nil {
		return err
	}
	// Before the model is read: a port that is taken is known now.
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", net.JoinHostPort(o.host, strconv.Itoa(o.port)))
	if err != nil {
		return fmt.Errorf("--host %s --port %d: %w", o.host, o.port, err)
	}
	defer l.Close()
	m, err := eval.Load(ctx, o.model)
	if err != nil {
		return err
	}
	defer m.Close()
	m.Note(o.io.note)
	at := l.Addr().(*net.TCPAddr)
	if !at.IP.IsLoopback() && o.token == "" {
		fmt.Fprintf(o.io.err, "note: %s can be reached from other machines, and no --token is asked of them\n", at)
	}
	d := m.Engine.Describe()
	s := serve.New(m.LM, m.Tokenizer, serve.Options{
		Model: o.name, Token: o.token, MaxBody: body, Requests: o.requests, Loopback: at.IP.IsLoopback(), Top: d.Top,
		Run:   lm.RunOptions{BatchTokens: o.batch.tokens, Memory: m.MemoryBound(memory)},
		Fault: func(p *rescue.Panic) { fmt.Fprintln(o.io.err, "softbench:", oneLine(faultText(p, os.Args[1:]))) },
	})
	fmt.Fprintf(o.io.out, "%s is at http://%s/v1 (%s, %s); Ctrl-C ends it\n", oneLine(o.name), at, d.DType, d.Device)
	if err := s.Serve(ctx, l); err != nil {
		return err
	}
	return ctx.Err()
}
