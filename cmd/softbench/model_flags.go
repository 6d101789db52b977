package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/eval"
)

// ofModel runs a command whose one argument is a model, built in or a path, and becomes *model.
func ofModel[Options any](o *Options, model *string, run work[Options]) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		if *model, err = builtIn(args[0], nil); err != nil {
			return err
		}
		return run(o, cmd.Context())
	}
}

// addModelFlags adds the flags that say how to load a model.
func addModelFlags(cmd *cobra.Command, o *eval.ModelOptions) {
	addLoadFlags(cmd, o)
	f := cmd.Flags()
	f.BoolVar(&o.AllowUnscored, "allow-unscored", false, "count a request that cannot be scored (an empty continuation, one longer than the model's context, a context of no tokens) instead of failing")
	f.BoolVar(&o.Strict, "strict-length", false, "fail where a request is longer than the context, instead of cutting its beginning off")
}

// addLoadFlags adds those of them that any request is under.
func addLoadFlags(cmd *cobra.Command, o *eval.ModelOptions) {
	f := cmd.Flags()
	f.StringVar(&o.Device, "device", "auto", "where to compute: cpu, cuda, or auto: a GPU where there is one")
	f.StringVar(&o.DType, "dtype", "auto", "number format: auto (the checkpoint's), float32 or bfloat16")
	f.StringVar(&o.Attention, "attention", "", "attention `kind` instead of the checkpoint's: "+attention.Names())
	f.IntVar(&o.Threads, "threads", 0, "threads, 0 for one per processor; no score depends on it")
	f.IntVar(&o.MaxLength, "max-length", 0, "longest context in `tokens`, 0 for the checkpoint's own")
	addStripPrefix(cmd, &o.StripPrefix)
	f.StringVar(&o.Adapter, "adapter", "", "merge the LoRA adapter in this `directory` (adapter_config.json, adapter_model.safetensors) into the weights")
	f.StringVar(&o.Quantise, "quantize", "", "quantise the linear layers of the blocks as they are read: `method:bits[:group]`, such as hqq:4 or rtn:8:row; methods rtn, rtn-asym, hqq, nf4, fp4, fp8, w8a8, and gptq, gptq-asym, awq, awq-asym with --calibrate")
	f.StringVar(&o.Calibrate, "calibrate", "", "`file` of text, of which the first 65,536 tokens show --quantize gptq or awq what weights are multiplied with; it must not be what is tested")
	f.StringSliceVar(&o.QuantiseInclude, "quantize-include", nil, "quantise these `parts` too: embeddings, head, norms")
}

// addStripPrefix adds the flag for names that a wrapper changed.
func addStripPrefix(cmd *cobra.Command, prefix *string) {
	cmd.Flags().StringVar(prefix, "strip-prefix", "", "take this `prefix` off the names of the checkpoint's tensors, such as _orig_mod. or module.")
}

// addBatchFlags adds the flags that shape a computation without changing it.
func addBatchFlags(cmd *cobra.Command, b *batchFlags) {
	f := cmd.Flags()
	f.IntVar(&b.tokens, "batch-tokens", 0, "rows of a batch, packed without padding, 0 for what keeps the device busy; no score depends on it")
	f.StringVar(&b.memory, "memory", "", "most memory for keys and values, such as 4GiB (default half of what is free)")
}

type batchFlags struct {
	tokens int
	memory string
}

// check refuses what no batch can have, and returns the memory bound in bytes.
func (b *batchFlags) check() (memory int64, err error) {
	const most = 1 << 20 // rows; each takes memory in every stage of the model
	if b.tokens < 0 || b.tokens > most {
		return 0, fmt.Errorf("--batch-tokens %d: want 1 to %d rows, or 0 for what keeps the device busy", b.tokens, most)
	}
	return eval.ParseMemory(b.memory)
}
