package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/eval"
)

type tokenizeOptions struct {
	io      streams
	model   string
	text    string
	hasText bool
	bare    bool
	json    bool
}

func newTokenize(io streams, run work[tokenizeOptions]) *cobra.Command {
	o := tokenizeOptions{io: io}
	cmd := &cobra.Command{
		Use:   "tokenize MODEL",
		Short: "Show the token ids of text",
		Long: `Encode --text, or each line of standard input, with a checkpoint's tokenizer and
print ids and pieces, with the special tokens the tokenizer adds by default.`,
		Example: `  softbench tokenize ./my-model --text "The sky is blue."
  softbench tokenize ./my-model --json < prompts.txt`,
		Args: oneArg("model"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.hasText = cmd.Flags().Changed("text")
			return ofModel(&o, &o.model, run)(cmd, args)
		},
	}
	cmd.Flags().StringVar(&o.text, "text", "", "the text to encode, instead of standard input")
	cmd.Flags().BoolVar(&o.bare, "no-special", false, "leave out the special tokens that the tokenizer adds")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object a line: ids, pieces")
	return cmd
}

func (o *tokenizeOptions) execute(ctx context.Context) error {
	dir, err := eval.FindModel(o.model)
	if err != nil {
		return err
	}
	tok, err := tokenizer.LoadContext(ctx, dir)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(o.io.out)
	if o.hasText {
		if err := o.print(out, tok, o.text); err != nil {
			return err
		}
		return out.Flush()
	}
	if err := eachLine(ctx, o.io.in, func(_ int, line string) error { return o.print(out, tok, line) }); err != nil {
		return err
	}
	return out.Flush()
}

func (o tokenizeOptions) print(w io.Writer, tok *tokenizer.Tokenizer, text string) error {
	ids := tok.Encode(text, !o.bare)
	if err := tok.Err(); err != nil {
		return err
	}
	if ids == nil {
		ids = []int32{}
	}
	pieces := make([]string, len(ids))
	for i, id := range ids {
		pieces[i] = tok.Piece(id)
	}
	if o.json {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false) // <s> stays readable
		return enc.Encode(struct {
			IDs    []int32  `json:"ids"`
			Pieces []string `json:"pieces"`
		}{ids, pieces})
	}
	fields := make([]string, len(ids))
	for i, id := range ids {
		fields[i] = fmt.Sprintf("%d %q", id, pieces[i])
	}
	_, err := fmt.Fprintf(w, "%d tokens: %s\n", len(ids), strings.Join(fields, ", "))
	return err
}
