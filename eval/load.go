package eval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/internal/rescue"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/tasks/chat"
)

// ModelOptions say which checkpoint to load and how to compute with it.
type ModelOptions struct {
	Model     string // a directory, or the name of a model in the hub's cache
	Device    string // "auto", "cpu" or "cuda"
	DType     string // "auto", "float32" or "bfloat16"
	Attention string // overrides the checkpoint's kind; "" keeps it
	Threads   int    // 0: one per processor
	MaxLength int    // 0: what the checkpoint says
	// StripPrefix is taken off the names of tensors that begin with it.
	StripPrefix string
	Adapter     string // directory of a LoRA adapter that is merged into the weights
	// Quantise is how weights are quantised as they are read, method:bits[:group]; "" for
	// not at all. QuantiseInclude names what is beside the blocks' linear layers.
	Quantise        string
	QuantiseInclude []string
	Calibrate       string // the file of text that a calibrated method is shown; "" of others
	Chat            bool   // the checkpoint's chat template is applied
	// StripThinking cuts off what a model thinks before its answer; nil: where a chat template is
	// applied that marks it.
	StripThinking *bool
	Strict        bool // a request that would be truncated is an error
	// AllowUnscored counts a request that cannot be scored, instead of failing: an
	// empty continuation, one longer than the context, a context of no tokens.
	AllowUnscored bool

	Revision    string                  // of a model of the hub; "": its main one
	Download    bool                    // fetch a model that is not in the hub's cache
	Note        func(string)            // told of a download, in a line; may be nil
	Downloading func(done, total int64) // its bytes; may be nil
	Calibrating func(done, total int)   // blocks of a calibration; may be nil

	course      *Course // of which the model is a part; may be nil
	configAlone bool    // no weights are opened, and no option about them counts
}

// MaxThreads bounds what may be asked for: each thread has working memory of its
// own, and no machine has as many processors.
const MaxThreads = 4096

// CheckThreads refuses a number of threads that no machine has.
func CheckThreads(n int) error {
	if n < 0 || n > MaxThreads {
		return fmt.Errorf("--threads %d: want 1 to %d, or 0 for one per processor", n, MaxThreads)
	}
	return nil
}

// MaxContext bounds the length of a context that may be asked for, in tokens.
const MaxContext = 1 << 28

// Check refuses options that no model can have, without looking at any.
func (o *ModelOptions) Check() error {
	if err := CheckThreads(o.Threads); err != nil {
		return err
	}
	if o.MaxLength < 0 || o.MaxLength > MaxContext {
		return fmt.Errorf("--max-length %d: want 1 to %d tokens, or 0 for the checkpoint's own", o.MaxLength, MaxContext)
	}
	if _, err := parseDType(o.DType, ""); err != nil {
		return err
	}
	if _, err := o.quantisation(); err != nil {
		return err
	}
	if o.Attention != "" {
		if _, err := attention.Parse(o.Attention); err != nil {
			return fmt.Errorf("--attention: %w", err)
		}
	}
	return checkDevice(o.Device)
}

// quantisation reads Quantise; nil for none.
func (o *ModelOptions) quantisation() (*checkpoint.Quantisation, error) {
	if o.Quantise == "" {
		if len(o.QuantiseInclude) > 0 {
			return nil, errors.New("--quantize-include is about --quantize, which is not given")
		}
		return nil, checkCalibration(nil, o.Calibrate)
	}
	s, err := quantise.Parse(o.Quantise)
	if err != nil {
		return nil, fmt.Errorf("--quantize %w", err)
	}
	if err := checkCalibration(&s, o.Calibrate); err != nil {
		return nil, fmt.Errorf("--quantize %w", err)
	}
	q := &checkpoint.Quantisation{Scheme: s}
	for _, part := range checkpoint.Includable { // in this order, each once
		if slices.Contains(o.QuantiseInclude, part) {
			q.Include = append(q.Include, part)
		}
	}
	for _, part := range o.QuantiseInclude {
		if !slices.Contains(checkpoint.Includable, part) {
			return nil, fmt.Errorf("--quantize-include %q: want some of %s", part, strings.Join(checkpoint.Includable, ", "))
		}
	}
	return q, nil
}

// Model is a checkpoint ready to score text.
type Model struct {
	Dir        string
	LM         *lm.LM
	Engine     *engine.Model
	Checkpoint *checkpoint.Checkpoint
	Tokenizer  *tokenizer.Tokenizer
	encoder    lm.Tokenizer // the same, with what a course has encoded already
	Generation checkpoint.Generation
	Chat       *chat.Template // nil: not applied
	thinking   lm.Thinking
	DeviceNote string // why --device auto came to the CPU, "" where there is nothing to say

	beyond []string // notes on the vocabulary

	calibration *calibration // nil where nothing is calibrated
	quantising  *checkpoint.Quantising
}

// DefaultMaxLength is used where neither the config nor the tokenizer says how
// long a context may be, as in lm-evaluation-harness.
const DefaultMaxLength = 2048

// Load opens a checkpoint and its tokenizer and packs the weights.
func Load(ctx context.Context, o ModelOptions) (*Model, error) {
	m, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := m.load(ctx, o); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// open is what of Load takes no reading of weights: a Model with config and tokenizer,
// whose LM tokenizes and does not score.
func open(ctx context.Context, o ModelOptions) (*Model, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if _, err := kernel.FromEnv(); err != nil {
		return nil, err
	}
	dir, err := Locate(ctx, o)
	if err != nil {
		return nil, err
	}
	tok, err := tokenizer.LoadContext(ctx, dir)
	if err != nil {
		return nil, err
	}
	if o.configAlone {
		o.Adapter, o.Quantise, o.QuantiseInclude, o.Calibrate = "", "", nil, ""
	}
	q, err := o.quantisation()
	if err != nil {
		return nil, err
	}
	ck, err := checkpoint.OpenContext(ctx, dir, checkpoint.Options{Attention: o.Attention, Threads: o.Threads, StripPrefix: o.StripPrefix, Adapter: o.Adapter, Quantise: q, SkipFinite: true, ConfigAlone: o.configAlone})
	if err != nil {
		return nil, err
	}
	m := &Model{Dir: dir, Checkpoint: ck, Tokenizer: tok}
	if m.Generation, err = ck.Generation(ctx); err != nil {
		m.Close()
		return nil, err
	}
	if err = m.openChat(ctx, o); err != nil {
		m.Close()
		return nil, err
	}
	beyond, err := vocabulary(m.Dir, m.Tokenizer, &ck.Config)
	if err == nil {
		err = m.newLM(o)
	}
	if err == nil && o.Calibrate != "" {
		err = m.planCalibration(ctx, o.Calibrate, q)
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	m.beyond = beyond
	return m, nil
}

// Note tells what there is to say of a model that is loaded: its device, its checkpoint.
func (m *Model) Note(tell func(string)) {
	if m.DeviceNote != "" {
		tell(m.DeviceNote)
	}
	if m.Chat != nil && m.Chat.Dated() {
		tell("the chat template asks for the day's date, which it is not given here: prompts are the same on every day, and differ from transformers' in the date")
	}
	for _, n := range m.Checkpoint.Notes {
		tell(n)
	}
}

// load checks and packs the weights.
func (m *Model) load(ctx context.Context, o ModelOptions) error {
	set, err := kernel.FromEnv()
	if err != nil {
		return err
	}
	if err := m.Checkpoint.CheckWeights(ctx); err != nil {
		return err
	}
	m.Checkpoint.Notes = append(m.Checkpoint.Notes, m.beyond...)
	dtype, err := parseDType(o.DType, m.Checkpoint.DType)
	if err != nil {
		return err
	}
	processor := engine.CPUOptions{Formats: kernel.FormatsOf(dtype), Threads: o.Threads, Set: set}
	if m.calibration != nil {
		if err := m.calibrate(ctx, engine.CalibrateOptions{CPUOptions: processor, Progress: o.Calibrating}); err != nil {
			return err
		}
	}
	backend, note, err := OpenBackend(ctx, m.Checkpoint, o.Device, processor)
	if err != nil {
		return err
	}
	m.DeviceNote = note
	m.Checkpoint.Forget()
	m.Engine = engine.New(backend, m.Checkpoint.Config.Vocab)
	if err := m.settled(); err != nil {
		return err
	}
	return m.newLM(o)
}

// openChat reads the chat template where it is to be applied, and settles what of a generated text is
// thinking.
func (m *Model) openChat(ctx context.Context, o ModelOptions) (err error) {
	if o.Chat {
		if m.Chat, err = readTemplate(ctx, m.Dir); err != nil {
			return err
		}
	}
	if o.StripThinking != nil && !*o.StripThinking {
		return nil
	}
	if m.Chat != nil {
		if begin, end, ok := m.Chat.Thinking(); ok {
			m.thinking = lm.Thinking{Begin: begin, End: end}
		}
	}
	if m.thinking.End == "" && o.StripThinking != nil {
		m.thinking = lm.Thinking{Begin: "<think>", End: "</think>"}
	}
	return nil
}

// readTemplate reads the chat template that is to be applied.
func readTemplate(ctx context.Context, dir string) (*chat.Template, error) {
	t, err := chat.Read(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("--apply-chat-template: %w", err)
	}
	return t, nil
}

func (m *Model) newLM(o ModelOptions) (err error) {
	if m.encoder == nil {
		m.encoder = o.course.remember(m.Tokenizer)
	}
	length := o.MaxLength
	if length == 0 {
		length = maxLength(&m.Checkpoint.Config, m.Tokenizer)
	}
	m.LM, err = lm.New(m.Engine, m.encoder, lm.Options{
		MaxLength: length, StrictLength: o.Strict, AllowUnscored: o.AllowUnscored, Threads: o.Threads, End: m.Generation.End, Thinking: m.thinking,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", m.Dir, err)
	}
	return nil
}

// settled is an error where a file that was loaded changed meanwhile.
func (m *Model) settled() error {
	if err := m.Tokenizer.Settled(); err != nil {
		return err
	}
	return m.Checkpoint.Settled()
}

// Close releases weights and files.
func (m *Model) Close() {
	if m.Engine != nil {
		m.Engine.Close()
	}
	m.Checkpoint.Close()
}

// parseDType reads --dtype; auto is bfloat16 for a bfloat16 checkpoint and
// float32 for the others, so that no weight is rounded unasked.
func parseDType(name, stored string) (kernel.Arithmetic, error) {
	switch name {
	case "", "auto":
		if stored == "BF16" {
			return kernel.BFloat16, nil
		}
		return kernel.Float32, nil
	case "float32":
		return kernel.Float32, nil
	case "bfloat16":
		return kernel.BFloat16, nil
	}
	return 0, fmt.Errorf("--dtype %q: want auto, float32 or bfloat16", name)
}

// await returns what work returns, or the context's error as soon as the context
// ends: for work of many seconds that does not look at one. It then goes on
// unheard, until the process ends.
func await[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		r.err = rescue.Try(func() (err error) { r.v, err = work(); return err })
		done <- r
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
