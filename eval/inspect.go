package eval

import (
	"context"
	"fmt"
	"slices"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/tokenizer"
)

// Inspection is what `softbench inspect` shows; its JSON field names are stable.
type Inspection struct {
	Dir             string `json:"dir"`
	ModelType       string `json:"model_type"`
	TextOf          string `json:"text_of,omitempty"` // the multimodal model_type that it is the text part of
	Parameters      int64  `json:"parameters"`
	DType           string `json:"dtype"`
	Format          string `json:"format"`             // of the weights' files
	Stored          string `json:"stored"`             // the types of the stored tensors, and how many of each
	Computed        string `json:"computed,omitempty"` // what is computed with, where that is not what is stored
	Attention       string `json:"attention"`
	Layers          int    `json:"layers"`
	Hidden          int    `json:"hidden_size"`
	Intermediate    int    `json:"intermediate_size"`
	Heads           int    `json:"num_heads"`
	KVHeads         int    `json:"num_kv_heads"`
	HeadDim         int    `json:"head_dim"`
	Vocab           int    `json:"vocab_size"`
	TiedEmbeddings  bool   `json:"tie_word_embeddings"`
	MaxLength       int    `json:"max_length"`
	Rope            string `json:"rope"`
	SlidingWindow   int    `json:"sliding_window"`
	Tokenizer       string `json:"tokenizer"`
	TokenizerSize   int    `json:"tokenizer_size"`
	BOS             string `json:"bos"`
	EOS             string `json:"eos"`
	KVBytes         int64  `json:"kv_bytes_per_token"`
	Device          string `json:"device,omitempty"` // what a run would compute on: DeviceText
	ModelSHA256     string `json:"model_sha256"`
	TokenizerSHA256 string `json:"tokenizer_sha256"`
	// TokenizerContent is the hash of what the tokenizer's files say, not of their bytes.
	TokenizerContent string   `json:"tokenizer_content_sha256"`
	Notes            []string `json:"notes"`
}

// Inspect opens a checkpoint and its tokenizer and checks both; of the options, it
// takes those that say what to open. Device is left to the caller.
func Inspect(ctx context.Context, o ModelOptions) (*Inspection, error) {
	dir, err := FindModel(o.Model)
	if err != nil {
		return nil, err
	}
	tok, err := tokenizer.LoadContext(ctx, dir)
	if err != nil {
		return nil, err
	}
	ck, err := checkpoint.OpenContext(ctx, dir, checkpoint.Options{Attention: o.Attention, Threads: o.Threads, StripPrefix: o.StripPrefix, Adapter: o.Adapter})
	if err != nil {
		return nil, err
	}
	defer ck.Close()
	sum, err := ck.SHA256(ctx)
	if err != nil {
		return nil, err
	}
	c := &ck.Config
	window := 0 // the narrowest
	for _, b := range c.Blocks {
		if b.Window > 0 && (window == 0 || b.Window < window) {
			window = b.Window
		}
	}
	in := &Inspection{
		Dir: dir, ModelType: c.ModelType, TextOf: c.TextOf, Parameters: ck.Parameters, DType: ck.DType, Format: ck.Format, Stored: ck.Stored(), Computed: ck.Computed, Attention: c.Attention.String(),
		Layers: c.Layers, Hidden: c.Hidden, Intermediate: c.Intermediate, Heads: c.Heads, KVHeads: c.KVHeads, HeadDim: c.HeadDim,
		Vocab: c.Vocab, TiedEmbeddings: c.TieEmbeddings, MaxLength: maxLength(c, tok), Rope: ropeText(c), SlidingWindow: window,
		Tokenizer: tok.Kind(), TokenizerSize: tok.VocabSize(), KVBytes: int64(c.Layers) * int64(c.KVHeads) * int64(c.HeadDim) * 2 * 4,
		ModelSHA256: sum, TokenizerSHA256: tok.SHA256(), TokenizerContent: tok.ContentSHA256(), Notes: append([]string{}, ck.Notes...),
	}
	special := func(id int32, ok bool) string {
		if !ok {
			return "none"
		}
		return fmt.Sprintf("%d %q", id, tok.Piece(id))
	}
	in.BOS, in.EOS = special(tok.BOS()), special(tok.EOS())
	beyond, err := vocabulary(dir, tok, c)
	if err != nil {
		beyond = []string{err.Error()}
	}
	in.Notes = append(in.Notes, beyond...)
	return in, nil
}

func ropeText(c *checkpoint.Config) string {
	if len(c.Rotary) == 0 {
		return "none"
	}
	r := &c.Rotary[0]
	text := fmt.Sprintf("theta %g", r.Theta)
	if r.Dim != c.HeadDim {
		text += fmt.Sprintf(", %d of %d components", r.Dim, c.HeadDim)
	}
	if r.Type != "" && r.Type != "default" {
		text += fmt.Sprintf(", %s scaling by %g", r.Type, r.Factor)
	}
	return text
}

// vocabulary is an error where a tokenizer gives ids that a model does not have,
// and a note where only tokens added to it lie beyond: a padding token, most often,
// which no text gives.
func vocabulary(dir string, tok *tokenizer.Tokenizer, c *checkpoint.Config) (notes []string, err error) {
	if tok.VocabSize() <= c.Vocab {
		return nil, nil
	}
	used := tok.Encode("a", true) // with what is put around every text
	for _, special := range []func() (int32, bool){tok.BOS, tok.EOS} {
		if id, ok := special(); ok {
			used = append(used, id)
		}
	}
	if tok.ModelSize() > c.Vocab || int(slices.Max(append(used, 0))) >= c.Vocab {
		return nil, fmt.Errorf("%s: the tokenizer has ids up to %d, but the model's vocabulary holds %d: tokenizer and checkpoint do not belong together",
			dir, tok.VocabSize()-1, c.Vocab)
	}
	first := int32(c.Vocab)
	for tok.Piece(first) == "" {
		first++
	}
	return []string{fmt.Sprintf("added tokens from %q, id %d, on are outside the model's vocabulary of %d: a text that holds one cannot be scored", tok.Piece(first), first, c.Vocab)}, nil
}

// maxLength is the longest context: what the config says, else the tokenizer,
// else DefaultMaxLength, in the order of lm-evaluation-harness.
func maxLength(c *checkpoint.Config, tok *tokenizer.Tokenizer) int {
	for _, known := range []int{c.Context, tok.MaxLength()} {
		if known > 0 {
			return known
		}
	}
	return DefaultMaxLength
}
