package engine

import "context"

// Backend computes batches of packed rows on one kind of device. Each method is
// a whole stage, so that a device keeps its activations to itself.
type Backend interface {
	// Describe says what computes, for people and for the run's manifest.
	Describe() Description
	// NewSegment allocates keys and values of all layers for n positions from
	// absolute position start.
	NewSegment(start, n int) (Segment, error)
	// SegmentBytes is what NewSegment would allocate.
	SegmentBytes(start, n int) int64
	// Forward runs the batch's rows through the model, writes their keys and
	// values into their own segments and fills in the scores.
	Forward(ctx context.Context, b *Batch) error
	// Close releases the weights.
	Close() error
}

// Ahead is a backend that makes a batch ready while another is under way.
type Ahead interface {
	Backend
	// Prepare makes a batch ready and starts nothing. The batch stays as it is until it
	// has been waited for.
	Prepare(b *Batch) (Prepared, error)
}

// Prepared is a batch that is ready. One is under way at a time, in the order in which
// they were made ready.
type Prepared interface {
	// Start begins the batch and returns.
	Start()
	// Wait returns when the batch is done, as Forward does.
	Wait(ctx context.Context) error
}

// Description names a backend's device and number formats.
type Description struct {
	Device  string // "cpu" or "cuda"
	ISA     string // instruction set or compute capability
	DType   string // "float32" or "bfloat16"
	Name    string // the device's own name; "" for a processor
	Threads int
	Bytes   int64 // packed weights
	KVBytes int64 // most bytes of keys and values the device can hold; 0: no bound of its own
	// Windows are the layers' attention windows in tokens; 0: none. They are for counting work.
	Windows []int
	// BatchTokens is the rows of a batch that keep the device busy; 0 means
	// DefaultBatchTokens.
	BatchTokens int
	// Top is how many of a row's most probable tokens it can give with their log-probabilities.
	Top int
}

// Segment is the keys and values of one node's positions, in all layers.
type Segment interface {
	// Range gives the absolute position of the first token and the count.
	Range() (start, n int)
	// Release gives the memory back.
	Release()
}

// Batch is a block of rows from any number of sequences, without padding.
type Batch struct {
	Tokens []int32 // [rows]
	Spans  []Span  // consecutive, covering all rows
	Heads  []HeadRow
	// HeadLater: the scored rows are made ready for the head and not scored (see Beside).
	HeadLater bool
	// Observer is nil unless something observes.
	Observer Observer
}

// Span is a run of rows that belong to one node.
type Span struct {
	Node     int // index in the forest, for the observer
	Row, N   int // rows [Row, Row+N) of the batch
	Position int // absolute position of the first row
	// Path is every segment from the root to the node's own, which comes last.
	// Positions before the span's are filled, by earlier batches or by spans
	// before this one.
	Path []Segment
}

// HeadRow is a row whose next token is scored.
type HeadRow struct {
	Row      int
	Targets  []int32
	LogProbs []float32   // out, as Targets
	Argmax   int32       // out
	Top      int         // how many candidates are wanted, at most Description.Top
	Best     []Candidate // out: as Score.Best
	Others   []Other     // out, of the models beside the first
}
