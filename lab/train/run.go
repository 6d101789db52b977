package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/softbench/softbench/engine/kernel"
)

// Options are how a model is trained.
type Options struct {
	Config     Config
	Steps      int
	Batch      int // sequences at once
	Accumulate int // batches a step
	Rate       float64
	Warmup     int // steps
	Decay      float64
	Clip       float64
	Seed       uint64 // of the weights and of the order of the data
	Threads    int
	Set        kernel.Set
	// DType is what matrix products round their operands to, as mixed precision
	// does; sums, attention, norms, weights and the optimiser stay in float32.
	DType kernel.Arithmetic
	// Starts are the positions in the text where windows may begin, such as
	// the beginnings of documents; anywhere if empty.
	Starts []int32
	// First, where not nil, is the token in front of every window: BOS.
	First *int32
	// Begin are the weights before the first step, Adam the optimiser's
	// constants.
	Begin Beginning
	Adam  Adam
	// Exercises, where not nil, may fill a window instead of the text.
	Exercises Exercises
}

// Exercises make windows of their own.
type Exercises interface {
	// Fill fills a window (what follows First, and the token after it) from r
	// and the steps that are done alone, or says that this one is the text's; it
	// draws from r either way.
	Fill(done int, r *rand.Rand, window []int32) (filled bool)
	// Text says whether any window is the text's.
	Text() bool
	// Name tells two Exercises that fill differently apart; a state keeps it.
	Name() string
}

func (o *Options) exercises() string {
	if o.Exercises == nil {
		return ""
	}
	return o.Exercises.Name()
}

// Check refuses numbers that cannot be, whatever the text; a vocabulary of 0 is
// not known yet.
func (o *Options) Check() error {
	switch {
	case o.Steps < 1 || o.Batch < 1 || o.Accumulate < 1 || o.Threads < 1:
		return errors.New("steps, batch, accumulation and threads must be at least 1")
	case !(o.Rate > 0) || o.Warmup < 0 || !(o.Decay >= 0) || !(o.Clip >= 0) || math.IsInf(o.Rate+o.Decay+o.Clip, 0):
		return errors.New("the learning rate must be above zero; warm-up, weight decay and clipping not below; all of them numbers")
	case !(o.Begin.Std >= 0 && o.Begin.QKGain >= 0) || math.IsInf(o.Begin.Std+o.Begin.QKGain, 0):
		return fmt.Errorf("weights that begin with a standard deviation of %v, times %v for q and k: want numbers above zero", o.Begin.Std, o.Begin.QKGain)
	}
	if err := o.Adam.check(); err != nil {
		return err
	}
	c := o.Config
	c.Vocab = max(c.Vocab, 1)
	if err := c.Check(); err != nil {
		return err
	}
	return c.checkBatch(o.Batch)
}

func (o *Options) check(tokens int) error {
	if err := o.Check(); err != nil {
		return err
	}
	switch {
	case o.Exercises != nil && o.First == nil:
		return errors.New("windows of exercises begin with BOS, and this tokenizer names none")
	case tokens <= o.Config.Context && (o.Exercises == nil || o.Exercises.Text()):
		return fmt.Errorf("the text has %d tokens, fewer than one window of %d and the token after it: give more text or a shorter context", tokens, o.Config.Context)
	}
	for _, s := range o.Starts {
		if s < 0 || int(s) >= tokens {
			return fmt.Errorf("a window that starts at token %d of %d", s, tokens)
		}
	}
	if o.First != nil && (*o.First < 0 || int(*o.First) >= o.Config.Vocab) {
		return fmt.Errorf("first token %d is outside the vocabulary of %d", *o.First, o.Config.Vocab)
	}
	return o.Config.Check()
}

// Trainer trains one model on one text.
type Trainer struct {
	Model   *Model
	Done    int // steps
	opts    Options
	optim   *Optimiser
	tokens  []int32
	inputs  []int32
	targets []int32
}

// Report is what a step did.
type Report struct {
	Step     int     // from 1
	Loss     float64 // nats a token, mean over the step's batches, before the step
	Norm     float64 // of the gradient, before clipping
	Rate     float64
	Tokens   int64 // trained on so far
	Finished bool
}

// NewTrainer begins a training on tokens.
func NewTrainer(tokens []int32, o Options) (*Trainer, error) {
	if err := o.check(len(tokens)); err != nil {
		return nil, err
	}
	if o.Set == nil {
		o.Set = kernel.Best()
	}
	m, err := NewModel(o.Config, o.Batch, o.Set, o.Threads)
	if err != nil {
		return nil, err
	}
	m.ops.formats = kernel.FormatsOf(o.DType)
	if err := m.ops.formats.Check(o.Set); err != nil {
		return nil, err
	}
	o.Begin, o.Adam = o.Begin.filled(), o.Adam.filled()
	m.Params.Init(o.Seed, o.Begin)
	n := o.Batch * o.Config.Context
	return &Trainer{
		Model: m, opts: o, optim: NewOptimiser(m.Params, o.Decay, o.Adam), tokens: tokens,
		inputs: make([]int32, n), targets: make([]int32, n),
	}, nil
}

// ErrDiverged says that the loss is not a number any more.
var ErrDiverged = errors.New("the loss or its gradient is not a number")

// Step trains one step. A loss that is not a number leaves the weights as they
// were and is ErrDiverged. Where ctx is cancelled before the weights move, they
// stay as they were too, and the step can be taken anew.
func (t *Trainer) Step(ctx context.Context) (Report, error) {
	clear(t.Model.Grads.All)
	var loss float64
	for part := range t.opts.Accumulate {
		t.draw(t.Done*t.opts.Accumulate + part)
		l, err := t.Model.Step(ctx, t.inputs, t.targets, 1/float32(t.opts.Accumulate))
		if err != nil {
			return Report{}, err
		}
		loss += l / float64(t.opts.Accumulate)
	}
	norm := clip(t.Model.Grads.All, t.opts.Clip)
	if math.IsNaN(loss) || math.IsInf(loss, 0) || math.IsNaN(norm) || math.IsInf(norm, 0) {
		return Report{}, fmt.Errorf("step %d: %w: the weights stay as they were; try a lower learning rate", t.Done+1, ErrDiverged)
	}
	rate := schedule(t.Done, t.opts.Warmup, t.opts.Steps, t.opts.Rate)
	t.optim.Step(t.Model.Params.All, t.Model.Grads.All, rate, t.Model.ops)
	t.Done++
	return Report{
		Step: t.Done, Loss: loss, Norm: norm, Rate: rate, Finished: t.Done >= t.opts.Steps,
		Tokens: int64(t.Done) * int64(t.opts.Accumulate) * int64(len(t.inputs)),
	}, nil
}

// Check computes the loss of the next batch and moves nothing. ErrDiverged says
// that the weights as they are give none, and are not worth keeping.
func (t *Trainer) Check(ctx context.Context) error {
	t.draw(t.Done * t.opts.Accumulate)
	loss, err := t.Model.Loss(ctx, t.inputs, t.targets)
	if err != nil {
		return err
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("after step %d: %w: try a lower learning rate", t.Done, ErrDiverged)
	}
	return nil
}

// draw fills the batch with windows of the text, drawn by the seed and the
// batch's number alone: a resumed training sees what an uninterrupted one does.
func (t *Trainer) draw(number int) {
	r := rand.New(rand.NewPCG(t.opts.Seed, uint64(number)+1))
	n, starts := t.opts.Config.Context, t.opts.Starts
	for b := range t.opts.Batch {
		in, out := t.inputs[b*n:][:n], t.targets[b*n:][:n]
		if e := t.opts.Exercises; e != nil && e.Fill(number/t.opts.Accumulate, r, out) {
			in[0] = *t.opts.First
			copy(in[1:], out)
			continue
		}
		var at int
		if len(starts) > 0 {
			at = int(starts[r.IntN(len(starts))])
		} else {
			at = r.IntN(len(t.tokens) - n)
		}
		if t.opts.First != nil {
			in[0] = *t.opts.First
			t.copy(in[1:], at)
			t.copy(out, at)
		} else {
			t.copy(in, at)
			t.copy(out, at+1)
		}
	}
}

// copy fills dst with the text from a position on, and on from its beginning
// where it ends.
func (t *Trainer) copy(dst []int32, at int) {
	for len(dst) > 0 {
		at %= len(t.tokens)
		n := copy(dst, t.tokens[at:])
		dst, at = dst[n:], at+n
	}
}
