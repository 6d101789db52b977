package engine

import (
	"cmp"
	"context"
	"fmt"
)

// Revision names the engine's numerics: runs of different revisions may differ
// in their last bits and are never mixed. Change it with them.
const Revision = "5"

// DefaultBatchTokens is the number of rows packed into one batch when neither the
// caller nor the backend says: enough to keep matrix kernels busy.
const DefaultBatchTokens = 512

// Model is a checkpoint loaded into a backend.
type Model struct {
	backend Backend
	vocab   int
}

// New makes a model of vocab token ids from a backend that holds its weights.
func New(b Backend, vocab int) *Model { return &Model{backend: b, vocab: vocab} }

// Describe says what device and formats the model runs on.
func (m *Model) Describe() Description { return m.backend.Describe() }

// Vocab is the number of token ids.
func (m *Model) Vocab() int { return m.vocab }

// Close releases the weights.
func (m *Model) Close() error { return m.backend.Close() }

// RunOptions shape a run; none of them changes a bit of the results.
type RunOptions struct {
	// BatchTokens is the number of rows a batch holds; 0 means what keeps the
	// backend busy (Model.BatchTokens).
	BatchTokens int
	// Memory bounds the bytes of keys and values alive at once; 0: without a bound.
	Memory int64
	// Observer, where not nil, sees every layer.
	Observer Observer
	// Score receives each scored row, in the order computed.
	Score func(node, scored int, s Score) error
	// Generated receives what a node with Generate > 0 decoded.
	Generated func(node int, tokens []int32) error
	// Decoded receives the candidates for each token that a node with Generate and Top decodes,
	// the first of which is the token; before Enough is asked about it.
	Decoded func(node int, best []Candidate)
	// Enough, where not nil, is asked after each token that a node decodes: true ends it
	// before its Generate tokens.
	Enough func(node int, decoded []int32) bool
	// Progress is told what is computed so far, after each batch; its error stops the run.
	Progress func(done Stats) error

	remedy string // against a sequence that Memory does not hold
}

// Stats counts what a run did.
type Stats struct {
	Tokens  int64 // rows computed, decoded ones included
	Batches int64
	PeakKV  int64 // largest number of bytes of keys and values alive at once
	Pairs   int64 // as Work.Pairs
	Heads   int64 // as Work.Heads
	// Decoded is the part of decoding: its rows, and what goes with them but the batches. Ended is
	// what the nodes took that decode no more, and EndedOf what they might have taken.
	Decoded        Work
	Ended, EndedOf int64 // rows
}

// BatchTokens is the number of rows of a batch: what is asked for, and for 0 what
// keeps the backend busy.
func (m *Model) BatchTokens(asked int) int {
	if asked > 0 {
		return asked
	}
	return cmp.Or(m.backend.Describe().BatchTokens, DefaultBatchTokens)
}

// Run computes every token of the forest once and hands the scores and the
// decoded tokens to the callbacks. It stops at the first error, at a callback's
// error, and within a block of work when ctx ends.
func (m *Model) Run(ctx context.Context, f *Forest, o RunOptions) (Stats, error) {
	if err := f.validate(m.vocab, m.backend.Describe().Top); err != nil {
		return Stats{}, err
	}
	o.BatchTokens = m.BatchTokens(o.BatchTokens)
	o.remedy = "raise --memory or shorten the context"
	if d := m.backend.Describe(); d.KVBytes > 0 && (o.Memory <= 0 || d.KVBytes < o.Memory) {
		o.Memory, o.remedy = d.KVBytes, "the device has no more: shorten the context or use --device cpu"
	}
	if o.Observer != nil { // which is told the nodes' numbers
		return m.run(ctx, f, o)
	}
	j := join(f)
	stats, err := m.run(ctx, j.forest, j.options(o))
	return stats, j.original(err)
}

func (m *Model) run(ctx context.Context, f *Forest, o RunOptions) (Stats, error) {
	s := newSchedule(m.backend, f, m.vocab, o)
	defer s.releaseAll()
	if a, ok := m.backend.(Ahead); ok && o.Observer == nil {
		err := s.runAhead(ctx, a)
		return s.stats, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return s.stats, err
		}
		more, err := s.fill()
		if err != nil || !more {
			return s.stats, err
		}
		if err := m.backend.Forward(ctx, &s.batch); err != nil {
			return s.stats, fmt.Errorf("forward pass: %w", err)
		}
		if err := s.deliver(&s.batch, s.heads); err != nil {
			return s.stats, err
		}
	}
}
