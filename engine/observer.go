package engine

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

// Residual is the residual stream of consecutive positions after a block.
type Residual struct {
	Layer    int
	Node     int
	Position int       // absolute position of the first row
	X        []float32 // [rows, hidden]
}
