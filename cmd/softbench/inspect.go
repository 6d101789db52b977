package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/reports/text"
)

type inspectOptions struct {
	io          streams
	model       string
	attention   string
	stripPrefix string
	adapter     string
	device      string
	json        bool
}

func newInspect(io streams, run work[inspectOptions]) *cobra.Command {
	o := inspectOptions{io: io}
	cmd := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Show what is in a checkpoint",
		Long: `Open a checkpoint, check every tensor (names, shapes, NaN and infinity) and show its
architecture, size, number format, attention kind, context length and tokenizer.`,
		Example: `  softbench inspect ./my-model
  softbench inspect ./my-model --json | jq .parameters`,
		Args: oneArg("model"),
		RunE: ofModel(&o, &o.model, run),
	}
	cmd.Flags().StringVar(&o.attention, "attention", "", "attention `kind` instead of the checkpoint's")
	addStripPrefix(cmd, &o.stripPrefix)
	cmd.Flags().StringVar(&o.adapter, "adapter", "", "merge the LoRA adapter in this `directory` into the weights")
	cmd.Flags().StringVar(&o.device, "device", "auto", "the device to ask about: auto, cpu or cuda")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func (o *inspectOptions) execute(ctx context.Context) error {
	device, err := eval.DeviceText(o.device)
	if err != nil {
		return err
	}
	in, err := eval.Inspect(ctx, eval.ModelOptions{Model: o.model, Attention: o.attention, StripPrefix: o.stripPrefix, Adapter: o.adapter})
	if err != nil {
		return err
	}
	in.Device = device
	if o.json {
		return writeJSON(o.io.out, in)
	}
	var rows [][2]string
	row := func(name, format string, args ...any) {
		rows = append(rows, [2]string{name, oneLine(fmt.Sprintf(format, args...))})
	}
	row("model", "%s", in.Dir)
	row("architecture", "%s", eval.Architecture(in.ModelType, in.TextOf))
	row("parameters", "%s (%s)", commas(in.Parameters), in.DType)
	row("format", "%s: %s", in.Format, in.Stored)
	if in.Computed != "" {
		row("computed", "%s", in.Computed)
	}
	row("attention", "%s", in.Attention)
	row("layers", "%d, width %d, MLP %d", in.Layers, in.Hidden, in.Intermediate)
	row("heads", "%d of size %d, %d for keys and values", in.Heads, in.HeadDim, in.KVHeads)
	row("context", "%s tokens", commas(int64(in.MaxLength)))
	row("RoPE", "%s", in.Rope)
	if in.SlidingWindow > 0 {
		row("sliding window", "%d", in.SlidingWindow)
	}
	row("vocabulary", "%s, embeddings %s", commas(int64(in.Vocab)), map[bool]string{true: "tied", false: "not tied"}[in.TiedEmbeddings])
	row("tokenizer", "%s", in.Tokenizer)
	row("begin, end", "%s, %s", in.BOS, in.EOS)
	row("keys and values", "%s bytes a token in float32", commas(in.KVBytes))
	row("device", "%s", in.Device)
	row("weights", "sha256 %s", in.ModelSHA256)
	row("tokenizer files", "sha256 %s", in.TokenizerSHA256)
	for _, n := range in.Notes {
		row("note", "%s", n)
	}
	var b strings.Builder
	text.List(&b, rows, 0, text.TerminalWidth(o.io.out))
	_, err = io.WriteString(o.io.out, b.String())
	return err
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// commas groups digits in threes.
func commas(n int64) string {
	s := fmt.Sprint(n)
	var out strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 && s[i-1] != '-' {
			out.WriteByte(',')
		}
		out.WriteRune(r)
	}
	return out.String()
}
