package checkpoint

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/softbench/softbench/engine/gguf"
	"github.com/softbench/softbench/engine/quantised"
	"github.com/softbench/softbench/engine/safetensors"
)

// Checkpoint is an open checkpoint. Its tensors are views of mapped files,
// valid until Close. It is read-only and safe for concurrent use.
type Checkpoint struct {
	Dir    string
	Config Config

	Embed     *View       // [vocab, hidden]
	Positions *View       // [positions, hidden]; nil where they are not learned
	Norm      NormWeights // [hidden]
	Head      *View       // [vocab, hidden]; Embed itself where they are tied
	HeadBias  *View       // [vocab]
	// ProjectIn and ProjectOut are nil where the embedding is of the residual stream's
	// width; else that of Embed and Head is Config.EmbedWidth.
	ProjectIn, ProjectOut *View // [hidden, width], [width, hidden]
	// Layers has Config.Layers entries.
	Layers []Layer

	Parameters int64  // elements of all weights in use, a tied head counted once
	DType      string // of the matrices, as stored; F32 where they differ, or quantised
	Format     string // of the files: "safetensors", "GGUF", ...
	// Computed says, of a quantised format, what is computed with; "" for the weights
	// as they are stored.
	Computed string
	// Int8 says that some weights are multiplied with activations that are rounded to int8.
	Int8 bool
	// Quantised is nil where Options asked for none.
	Quantised *Quantised
	Notes     []string

	// ConfigText is config.json as it was read.
	ConfigText []byte

	set     *safetensors.Set
	config  string                // what errors call the config: config.json, or the metadata
	used    []*safetensors.Tensor // sorted by name
	threads int
	// bodyAlone: the names lacked what a causal language model puts before those of
	// its body.
	bodyAlone bool
	native    bool            // Mistral's own layout
	fewBits   bool            // the weights were quantised before they were stored
	others    map[string]bool // tensors of a multimodal model's other parts
	small     []watched       // the files that lead to the weights
	// planned is how weights that are not quantised yet will be: the hash is theirs.
	planned map[*safetensors.Tensor]safetensors.DType

	hashing sync.Mutex
	sum     string // once computed
}

// NormWeights are a norm's: nil where it has none.
type NormWeights struct{ Weight, Bias *View }

// MLPWeights are an expert's.
type MLPWeights struct {
	Gate, Up, Down             *View // [width|width|hidden, hidden|hidden|width]
	GateBias, UpBias, DownBias *View
}

// Layer is the weights of one block; nil where the architecture has none.
// q is heads·head_dim and kv is kv_heads·head_dim.
type Layer struct {
	AttnNorm, PostAttnNorm     NormWeights // [hidden]
	MLPNorm, PostMLPNorm       NormWeights // [hidden]
	Q, K, V                    *View       // [q|kv|kv, hidden]
	O                          *View       // [hidden, q]
	QBias, KBias, VBias, OBias *View       // [q|kv|kv|hidden]
	QNorm, KNorm               NormWeights // [head_dim], or [q|kv] by Config.QKNorm
	Gate, Up                   *View       // [intermediate, hidden]; Gate is nil where the MLP has none
	Down                       *View       // [hidden, intermediate]
	GateBias, UpBias, DownBias *View       // [intermediate|intermediate|hidden]
	Scale                      *View       // [heads]: s of the scaled attention kinds
	Sinks                      *View       // [heads]: b of the learned ones
	OutputGate                 *View       // [q, hidden]: of the gated ones
	Router, RouterBias         *View       // [experts, hidden], [experts]; nil without experts
	Experts                    []MLPWeights
	Shared                     MLPWeights
	SharedGate                 *View    // [1, hidden]
	Act                        [4]*View // a, b, β and ε of XIELU, as stored: one number each
}

// Options are choices at load time.
type Options struct {
	// Attention is an attention kind's name that overrides the config's; empty
	// for none.
	Attention string
	// SkipFinite leaves out the search for NaN and infinity, which reads all weights:
	// CheckWeights is it.
	SkipFinite bool
	// ConfigAlone opens no weights, which need not be there: for what depends on the config. A
	// file that holds both, as GGUF, is opened whole.
	ConfigAlone bool
	// Threads is how many read the weights at once; 0: one per processor.
	Threads int
	// StripPrefix is taken off the names of tensors that begin with it; empty for
	// none.
	StripPrefix string
	// Adapter is the directory of a LoRA adapter that is merged into the weights;
	// empty for none.
	Adapter string
	// Quantise is done to the weights, an adapter's included; nil for nothing. A calibrated
	// scheme is only checked: engine.Calibrate does it.
	Quantise *Quantisation
}

// Open is OpenContext without a context.
func Open(dir string, o Options) (*Checkpoint, error) {
	return OpenContext(context.Background(), dir, o)
}

// OpenContext reads config.json, maps the weights and checks them against each
// other. It ends with the context's error soon after the context does.
func OpenContext(ctx context.Context, dir string, o Options) (*Checkpoint, error) {
	k := &Checkpoint{Dir: dir, threads: o.Threads, Format: "safetensors", config: "config.json"}
	err := safetensors.Guard(func() error {
		weights, err := k.openFiles(ctx, o)
		if err != nil || weights == "" {
			return err
		}
		if err := k.names(weights, o); err != nil {
			return err
		}
		if o.Adapter != "" {
			if err := k.merge(ctx, o.Adapter); err != nil {
				return err
			}
		}
		if o.Quantise != nil {
			if err := k.quantisable(o.Quantise); err != nil {
				return err
			}
		}
		if err := k.load(ctx, weights, o); err != nil || o.Quantise == nil || o.Quantise.Scheme.Calibrated() {
			return err
		}
		return k.quantise(ctx, o.Quantise)
	})
	if err != nil {
		if k.set != nil {
			_ = k.set.Close() // the error that matters is err
		}
		return nil, err
	}
	return k, nil
}

// openFiles reads the config and maps the weights, by their format. weights is the
// file that leads to them; "" where the config alone is wanted.
func (k *Checkpoint) openFiles(ctx context.Context, o Options) (weights string, err error) {
	if gguf.Is(k.Dir) {
		return k.Dir, k.openGGUF(o)
	}
	if weights, err = k.survey(ctx, o); err != nil {
		return "", err
	}
	if o.ConfigAlone {
		k.set = &safetensors.Set{}
		return "", nil
	}
	if name := filepath.Base(weights); name == torchFile || name == torchIndex {
		err = k.openTorch(weights)
	} else {
		k.set, err = safetensors.OpenSet(weights)
	}
	if err != nil {
		return "", err
	}
	k.Notes = append(k.Notes, k.set.Notes...)
	if k.native {
		if err := k.ownNames(); err != nil {
			return "", err
		}
	}
	return weights, k.dequantise()
}

// dequantise makes weights of quantised tensors, where config.json says that there
// are some.
func (k *Checkpoint) dequantise() error {
	f, err := parseFields(k.ConfigText)
	if err != nil || !f.has("quantization_config") {
		return err
	}
	path := filepath.Join(k.Dir, k.config)
	config, err := quantised.ParseConfig(f.values["quantization_config"])
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	tensors, err := quantised.Decode(config, k.set.All())
	if err != nil {
		return err
	}
	k.Format += ", " + config.Name()
	k.Computed, k.fewBits = dequantised, true
	switch {
	case config.Int8():
		k.Computed, k.Int8 = int8Computed, true
		k.Notes = append(k.Notes, "computed with "+k.Computed)
	case config.Activations():
		k.Computed = "the dequantised weights, each number as the format's reference makes it, and activations in full precision, though the format means them to be quantised: scores are those of the weights, not of that arithmetic"
		k.Notes = append(k.Notes, "computed with "+k.Computed)
	}
	return k.set.Replace(tensors)
}

// Close unmaps the weights: no tensor may be touched afterwards.
func (k *Checkpoint) Close() error { return k.set.Close() }

// load fills the weights' places and looks at every tensor of the files.
func (k *Checkpoint) load(ctx context.Context, weights string, o Options) error {
	for _, w := range k.Config.outer() {
		if err := k.place(weights, w, nil); err != nil {
			return err
		}
	}
	// Layer by layer, so that a config claiming a billion fails at the first
	// that is missing.
	for i := range k.Config.Layers {
		var l Layer
		for _, w := range k.Config.layer(i) {
			if err := k.place(weights, w, &l); err != nil {
				return err
			}
		}
		k.Layers = append(k.Layers, l)
	}
	if k.Config.TieEmbeddings {
		k.Head = k.Embed
	}
	slices.SortFunc(k.used, func(a, b *safetensors.Tensor) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	if err := k.extras(ctx, o); err != nil {
		return err
	}
	if o.SkipFinite {
		return nil
	}
	return k.searchWeights(ctx)
}

// CheckWeights refuses weights that are NaN or infinite, naming the first found, and
// notes odd ones: what OpenContext does by itself unless SkipFinite.
func (k *Checkpoint) CheckWeights(ctx context.Context) error {
	return safetensors.Guard(func() error { return k.searchWeights(ctx) })
}

func (k *Checkpoint) searchWeights(ctx context.Context) error {
	if err := k.checkFinite(ctx); err != nil {
		return err
	}
	return k.oddWeights(ctx)
}

// Stored says in which types the tensors in use are stored, and how many of each,
// the most frequent first.
func (k *Checkpoint) Stored() string {
	counts := map[safetensors.DType]int{}
	seen := map[*safetensors.Tensor]bool{}
	for _, t := range k.used {
		for _, part := range t.Stored() {
			if !seen[part] {
				seen[part] = true
				counts[part.DType]++
			}
		}
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b safetensors.DType) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var text []string
	for _, n := range names {
		text = append(text, fmt.Sprintf("%d %s", counts[n], n))
	}
	return strings.Join(text, ", ")
}

// place finds the tensor for w, checks its type and shape, and puts it in its
// slot.
func (k *Checkpoint) place(weights string, w Weight, l *Layer) error {
	t := k.set.Tensor(w.Name)
	if t == nil {
		return k.missing(weights, w)
	}
	file := k.set.FileOf(t)
	if !slices.Equal(t.Shape, w.Shape) {
		return fmt.Errorf("%s: tensor %q has shape %v, %s calls for %v", file, w.Name, t.Shape, k.config, w.Shape)
	}
	if !t.Readable() {
		return fmt.Errorf("%s: tensor %q has dtype %s: softbench reads numbers of 8 to 64 bits, and the quantised formats that config.json names in quantization_config", file, w.Name, t.DType)
	}
	if w.Matrix {
		switch d := string(t.DType); {
		case k.DType == "":
			k.DType = d
		case k.DType == d:
		case t.Decoded() || k.DType == "quantised":
			k.DType = "quantised" // in types that Stored tells apart
		default:
			k.DType = "F32"
			const note = "the matrices are of several dtypes; each is read as its own"
			if !slices.Contains(k.Notes, note) {
				k.Notes = append(k.Notes, note)
			}
		}
	}
	if t.DType.Whole() {
		const note = "a weight is stored as whole numbers (%s %s): it is read as they are, as transformers casts it"
		if !slices.ContainsFunc(k.Notes, func(n string) bool { return strings.Contains(n, "stored as whole numbers") }) {
			k.Notes = append(k.Notes, fmt.Sprintf(note, w.Name, t.DType))
		}
	}
	k.Parameters += int64(t.Elements())
	k.used = append(k.used, t)
	for _, u := range w.uses {
		v := u.view
		v.Stored = t
		*u.place(k, l) = &v
	}
	return nil
}

// missing says which tensor is absent, and guesses why.
func (k *Checkpoint) missing(weights string, w Weight) error {
	hint := "the checkpoint is incomplete or " + k.config + " is another's"
	switch {
	case scaleVector.MatchString(w.Name):
		hint = fmt.Sprintf("%s needs it; choose an unscaled kind with --attention", k.Config.Attention)
	case w.Name == k.Config.Names.headName() && k.bodyAlone:
		hint = fmt.Sprintf("the files name their tensors without %q: save the whole causal language model, not its body alone", k.Config.Names.base())
	case w.Name == k.Config.Names.headName():
		hint = "if the head shares the embedding, set tie_word_embeddings to true in config.json"
	}
	return fmt.Errorf("%s: tensor %q (shape %v) is missing: %s", weights, w.Name, w.Shape, hint)
}

// checkLogTable compares a stored logn buffer, [positions, 1, 1], with
// ln(position+2), to what bfloat16 can hold: another table would mean another
// attention.
func checkLogTable(t *safetensors.Tensor) error {
	if !t.Readable() || len(t.Shape) == 0 || t.Elements() != t.Shape[0] {
		return fmt.Errorf("dtype %s and shape %v: want one float per position", t.DType, t.Shape)
	}
	var v [1]float32
	for i := range t.Shape[0] {
		t.RowF32(i, v[:])
		want := math.Log(float64(i) + 2)
		if !(math.Abs(float64(v[0])-want) <= want/256) {
			return fmt.Errorf("position %d holds %v, want ln(%d) = %.4f: this is not the scaled attention softbench knows", i, v[0], i+2, want)
		}
	}
	return nil
}
