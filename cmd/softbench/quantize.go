package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/eval"
)

type quantizeOptions struct {
	io      streams
	model   string
	method  string
	bits    int
	group   string
	act     bool
	text    string
	layout  string
	output  string
	threads int
	json    bool
}

func newQuantize(io streams, run work[quantizeOptions]) *cobra.Command {
	o := quantizeOptions{io: io}
	cmd := &cobra.Command{
		Use:   "quantize MODEL",
		Short: "Write a checkpoint with weights of few bits",
		Long: `Quantise the linear layers of a checkpoint's blocks and write it as a new one, which
transformers, vLLM and softbench load: rtn, gptq and awq, each with -asym for zero points, fp8
and w8a8 as compressed-tensors, nf4 and fp4 as bitsandbytes; rtn, gptq and awq also in GPTQ's own
layout, with --layout gptq. Embeddings, head, norms and routers stay as they are, but that awq divides
norms by the scales of what the weights read. The directory appears whole or not at all, and the same
input gives the same bytes. gptq and awq are shown the first 65,536 tokens of a text, which must not be
what the model is tested with; stopped, they go on from the blocks that they keep in DIR.partial.
'softbench run --quantize' does the same to weights as they are read, and HQQ too.`,
		Example: `  softbench quantize ./my-model --method rtn --bits 4 -o ./my-model-4
  softbench quantize ./my-model --method nf4 -o ./my-model-nf4
  softbench quantize ./my-model --method gptq --bits 3 --calibrate train.txt -o ./my-model-3
  softbench quantize ./my-model --method awq-asym --bits 4 --calibrate train.txt -o ./my-model-awq
  softbench quantize ./my-model --method rtn --bits 4 --layout gptq -o ./my-model-gptq`,
		Args: oneArg("model"),
		RunE: ofModel(&o, &o.model, run),
	}
	f := cmd.Flags()
	f.StringVar(&o.method, "method", "", "rtn, rtn-asym, gptq, gptq-asym, awq, awq-asym, fp8, w8a8, nf4 or fp4 (required)")
	f.IntVar(&o.bits, "bits", 0, "`bits` of a weight: 2, 3, 4 or 8; may be left out where the method has one number of them")
	f.StringVar(&o.group, "group", "", "`columns` that share a scale: 32, 64, 128, or row for a whole row; 64 where it is not given, and a row with w8a8")
	f.StringVar(&o.layout, "layout", "", "whose `layout` the files have: compressed-tensors, bitsandbytes or gptq; the method's usual one where it is not given")
	f.StringVar(&o.text, "calibrate", "", "`file` of text that gptq, gptq-asym, awq and awq-asym are shown")
	f.BoolVar(&o.act, "act-order", false, "gptq and gptq-asym round the inputs that matter most first")
	f.StringVarP(&o.output, "output", "o", "", "`directory` to write, which must be new or empty (required)")
	f.IntVar(&o.threads, "threads", 0, "threads, 0 for one per processor; no byte depends on it")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func (o *quantizeOptions) execute(ctx context.Context) error {
	if o.method == "" {
		return errors.New("no method given: --method rtn, rtn-asym, gptq, gptq-asym, awq, awq-asym, fp8, w8a8, nf4 or fp4 says how to quantise")
	}
	if o.output == "" {
		return errors.New("no directory given: -o DIR says where the checkpoint goes")
	}
	if err := eval.CheckThreads(o.threads); err != nil {
		return err
	}
	bits := ""
	if o.bits != 0 {
		bits = strconv.Itoa(o.bits)
	}
	scheme := o.method + ":" + bits
	if o.group != "" {
		scheme += ":" + o.group
	}
	if o.act {
		scheme += ":act"
	}
	s, layout, err := eval.CheckQuantise(scheme, o.layout)
	if err != nil {
		return fmt.Errorf("--method, --bits, --group, --layout and --act-order: %w", err)
	}
	what := "parameters"
	if s.Calibrated() {
		what = "blocks"
	}
	made, err := eval.Quantise(ctx, eval.QuantiseOptions{
		Model: o.model, Out: o.output, Scheme: s, Layout: layout, Calibrate: o.text, Threads: o.threads, Note: func(s string) { fmt.Fprintln(o.io.err, "note: "+oneLine(s)) },
		Progress: bar(o.io, "quantising", what),
	})
	if err != nil {
		return err
	}
	if o.json {
		return writeJSON(o.io.out, made)
	}
	_, err = fmt.Fprintf(o.io.out, "%s: %s in %s, %s bytes of tensors where there were %s\n", oneLine(made.Dir), made.Scheme, made.Format, commas(made.Bytes), commas(made.Before))
	return err
}
