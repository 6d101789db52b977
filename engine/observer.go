package engine

import "github.com/softbench/softbench/engine/kernel"

// An Observer sees the forward pass. It decides what to compute;
// the engine does not know. Slices are valid only during the call.
//
// Calls for one layer, head and node come in ascending order of query and then
// of key position, from one goroutine; different heads may come concurrently.
type Observer interface {
	// Attention receives final weights block by block: no more than one query
	// block by one key block is ever held.
	Attention(AttentionBlock)
	// Residual receives the residual stream after each transformer block.
	Residual(Residual)
}

// AttentionBlock is the weights of some consecutive queries over some
// consecutive keys.
type AttentionBlock struct {
	Layer, Head int
	Node        int
	Query       int // absolute position of the first query
	Queries     int
	Key         int // absolute position of the first key
	Keys        int
	// Weights is [Queries, Keys]: the factors of the values, zero where the
	// query may not see the key.
	Weights []float32
}

// A Tallier is an Observer that needs no single weights: what each query's add up to is enough,
// and the moments of each row of the residual stream. A backend that makes these where the
// numbers are at hand calls TallyAttention and TallyResidual in the place of Attention and
// Residual; others call those.
type Tallier interface {
	Observer
	// Counts says what is counted: weights of at most small, and the weights on so many of the
	// first keys.
	Counts() (small float32, keys int)
	// TallyAttention receives some consecutive queries of one head. Calls for one layer and head
	// come from one goroutine, those for one node in ascending order; different heads may come
	// concurrently.
	TallyAttention(AttentionTally)
	// TallyResidual receives consecutive positions. Calls for one node come in order and one
	// after the other, different nodes may come concurrently.
	TallyResidual(ResidualTally)
}

// AttentionTally is what the final weights of some consecutive queries add up to. A query at
// position i has i+1 of them; those outside a sliding window are 0.
type AttentionTally struct {
	Layer, Head int
	Node        int
	Query       int       // absolute position of the first query
	Sums        []float64 // by query
	Zeros       []int     // weights of exactly 0
	Small       []int     // weights of at most Counts' small, zeros among them
	First       []float32 // [queries, keys]: the weights on Counts' first keys
}

// ResidualTally is a Residual with the moments of each of its rows.
type ResidualTally struct {
	Residual
	Rows []kernel.Moments
}

// Residual is the residual stream of consecutive positions after a block.
type Residual struct {
	Layer    int
	Node     int
	Position int       // absolute position of the first row
	X        []float32 // [rows, hidden]
}
