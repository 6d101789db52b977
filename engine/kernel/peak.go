package kernel

// Peak is a loop that does one kind of work and nothing else: the measure of
// what a kernel could reach on one thread.
type Peak struct {
	// Name is the instruction: "float32 FMA", "bfloat16 VDPBF16PS", "bfloat16
	// TDPBF16PS", or "memory read".
	Name string
	// Unit is what Run counts: "FLOP", or "byte".
	Unit string
	// Arithmetic is that of the operands, for FLOP.
	Arithmetic Arithmetic
	// Run does a share of the work on the calling thread, some ten
	// microseconds long, and returns how much that was. It is safe to call
	// from several goroutines, each with a Run of its own (see Peaks).
	Run func() float64
}
