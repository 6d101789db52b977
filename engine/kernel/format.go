package kernel

import "fmt"

// Number formats are three choices, each a type of its own: how packed weights lie in memory, what
// products round their operands to, and how keys and values are kept. Kernels are looked up by
// them: a Set has a product for some pairs of Storage and Arithmetic (see Formats.Check), the
// engine a way for each KV.

// Storage is how a packed weight matrix lies in memory.
type Storage uint8

const (
	// StoredFloat32 keeps weights in IEEE single precision.
	StoredFloat32 Storage = iota
	// StoredBFloat16 keeps weights rounded to bfloat16.
	StoredBFloat16
	// StoredCodes keeps codes of few bits, with scales (Coding). Each Set has a product of them in
	// each arithmetic: that of the numbers they stand for, to the bit.
	StoredCodes
	// StoredInt8 keeps whole numbers of eight bits, which MatMulInt8 alone multiplies.
	StoredInt8

	storages // how many there are
)

// Arithmetic is what the operands of products are rounded to; sums are float32 in each.
type Arithmetic uint8

const (
	// Float32 rounds nothing.
	Float32 Arithmetic = iota
	// BFloat16 rounds the activations that enter a matrix multiply to bfloat16, and takes weights
	// that are rounded so.
	BFloat16

	arithmetics // how many there are
)

// KV is how keys and values of a sequence are kept until queries meet them, and what the products
// of attention round their operands to.
type KV uint8

const (
	// KVFloat32 keeps them in IEEE single precision.
	KVFloat32 KV = iota
	// KVBFloat16 keeps them, and rounds queries and attention's weights, in bfloat16.
	KVBFloat16
)

// Formats are a run's three choices. The zero value rounds nothing.
type Formats struct {
	Storage    Storage
	Arithmetic Arithmetic
	KV         KV
}

// usual are the formats of each arithmetic when nothing else is asked for.
var usual = [...]Formats{
	Float32:  {StoredFloat32, Float32, KVFloat32},
	BFloat16: {StoredBFloat16, BFloat16, KVBFloat16},
}

// FormatsOf are the formats that --dtype chooses by an arithmetic's name: nothing is kept more
// exactly than it is computed with, and nothing less.
func FormatsOf(a Arithmetic) Formats { return usual[a] }

// arithmeticNames are as users write them, in --dtype.
var arithmeticNames = [...]string{Float32: "float32", BFloat16: "bfloat16"}

var storageNames = [...]string{StoredFloat32: "float32", StoredBFloat16: "bfloat16", StoredCodes: "codes", StoredInt8: "int8"}

// A format that lacks its row in one of the tables does not compile.
var (
	_ = [1]int{}[len(usual)-int(arithmetics)]
	_ = [1]int{}[len(arithmeticNames)-int(arithmetics)]
	_ = [1]int{}[len(storageNames)-int(storages)]
)

// String returns the name users write, as in --dtype.
func (a Arithmetic) String() string { return arithmeticNames[a] }

// String names the format.
func (s Storage) String() string { return storageNames[s] }

// Check is the error of a Set that has no product of such weights in such an arithmetic. Whoever
// takes formats from elsewhere calls it before anything is packed.
func (f Formats) Check(s Set) error {
	if s.Multiplies(f.Storage, f.Arithmetic) {
		return nil
	}
	return fmt.Errorf("the %s kernels have no product of weights kept as %v with %v arithmetic", s.Name(), f.Storage, f.Arithmetic)
}

// products are a Set's matrix products, each of a type F, by what they multiply; the zero F where
// there is none.
type products[F any] [storages][arithmetics]F

// noProduct is the fault of a caller that did not ask Check.
func noProduct(set string, w *Matrix, in *Input) string {
	return fmt.Sprintf("kernel: %s has no product of %v weights with %v arithmetic", set, w.Storage, in.Arithmetic)
}
