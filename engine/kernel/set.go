package kernel

import "github.com/softbench/softbench/engine/attention"

// KeyBlock is the number of keys that attention handles at once. Blocks start
// at multiples of KeyBlock counted from a sequence's first token, whatever the
// batch, so that sums over keys always have the same order.
const KeyBlock = 64

// KeyGroup is the number of keys whose components lie side by side in the
// transposed key layout: KeyBlock is a multiple of it.
const KeyGroup = 16

// Set is one implementation of the inner loops.
//
// Bit stability: for one Set, an output element depends only on its own
// operands. Splitting a call by rows or columns, or adding neighbours, changes
// no bit. Different Sets may differ in the last bits.
type Set interface {
	// Name is the instruction set's name, as SOFTBENCH_ISA takes it.
	Name() string

	// PanelWidth is the number of columns packed together: column ranges given
	// to PackRows and MatMul start at multiples of it.
	PanelWidth() int

	// QueryTile is the number of queries that attention best takes at once.
	QueryTile() int

	// BatchRows is the number of rows for which products take many times as long
	// as reading the weights does, which a batch does once.
	BatchRows(a Arithmetic) int

	// Multiplies reports whether MatMul takes weights so stored in an arithmetic.
	Multiplies(w Storage, a Arithmetic) bool

	// NewMatrix allocates a weight matrix W [n, k] (n outputs, k inputs).
	NewMatrix(f Storage, n, k int) *Matrix

	// NewCoded allocates a weight matrix W [n, k] of codes, which Matrix.PackCodes
	// fills.
	NewCoded(c Coding, n, k int) *Matrix

	// PackRows fills rows [n0, n1) of W; row writes row j of W into dst, which
	// has length k. n0 is a multiple of PanelWidth; n1 too, or w.N.
	PackRows(w *Matrix, n0, n1 int, row func(j int, dst []float32))

	// PackHalves is PackRows for rows that are bfloat16 already, K of them in
	// little-endian order, as checkpoints have them. W is a bfloat16 matrix, and
	// the bits are those of PackRows.
	PackHalves(w *Matrix, n0, n1 int, row func(j int) []byte)

	// Prepare stores rows [m0, m1) of x, row i at x[i*ldx:][:in.K], in the form
	// MatMul reads.
	Prepare(in *Input, x []float32, ldx, m0, m1 int)

	// MatMul computes rows [m0, m1) and columns [n0, n1) of x·Wᵀ:
	//
	//	for i in m0..m1, j in n0..n1:
	//	    sum := Σ_k in[i,k]·w[j,k]                 (k ascending, from zero)
	//	    y[(i-m0)*ldy + j-n0]  = sum               (add false)
	//	    y[(i-m0)*ldy + j-n0] += sum               (add true)
	MatMul(y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1 int, add bool)

	// NewInt8 allocates a weight matrix W [n, k] of int8, which Matrix.PackInt8 fills; k
	// is at most MaxInt8K.
	NewInt8(n, k int) *Matrix

	// QuantiseInt8 makes rows [m0, m1) of what was prepared, each with a scale of its own, as
	// compressed-tensors does a token at a time, each operation rounded:
	//
	//	scale = max|x| / 127.5, or 2^-23 where all are zero
	//	code = round(x/scale), ties to even, within -128 to 127
	//
	// A row that is not finite has the scale NaN. All Sets make the same codes.
	QuantiseInt8(in *Int8Input, from *Input, m0, m1 int)

	// MatMulInt8 is MatMul of int8 activations and weights, sums in whole numbers:
	//
	//	sum := Σ_k in[i,k]·w[j,k];  y = float32(sum)·scale of row i·scale of row j of W
	//
	// each operation rounded. All Sets give the same bits.
	MatMulInt8(y []float32, ldy int, in *Int8Input, m0, m1 int, w *Matrix, n0, n1 int, add bool)

	// Scores multiplies m queries with groups of KeyGroup transposed keys:
	//
	//	s[i*lds + g*16 + l] = Σ_d q[i*hd+d]·kt[(g*hd+d)*16+l]     (d ascending)
	//
	// q is [m, hd], kt is [groups, hd, 16].
	Scores(s []float32, lds int, q []float32, m, hd int, kt []float32, groups int)

	// Weigh turns the scores s[lo:hi] of one query over one key block (length
	// KeyBlock) into unnormalised weights, in place, and updates the query's
	// running state; s outside [lo, hi) becomes 0. It returns the factor by
	// which what was accumulated before must be multiplied, e^(m_old-m_new),
	// and whether any weight is above zero. See WeighGeneric for the loop.
	Weigh(kind attention.Kind, s []float32, lo, hi int, st *State) (factor float32, any bool)

	// WeighRows is Weigh for m queries over the same key block: query i has
	// the scores s[i*KeyBlock:][:KeyBlock], sees keys [lo[i], hi[i]), none where
	// lo[i] >= hi[i] (which may then lie outside the block), and gets the factor
	// factor[i]. The bits are those of Weigh.
	// It returns whether any weight of any query is above zero.
	WeighRows(kind attention.Kind, s []float32, m int, lo, hi []int, st []State, factor []float32) (any bool)

	// Tally turns the scores of m queries over a key block, as WeighRows takes them, into the
	// final weights, in place, once all blocks have gone through WeighRows: FinalWeight of the
	// query's State, times norm[i] (State.Norm), and 0 where the query does not see the key. What
	// a query's weights give it adds to t[i]; weights of at most small are counted. float64 sums
	// are added up in an order that is the Set's own.
	Tally(kind attention.Kind, s []float32, m int, lo, hi []int, st []State, norm []float32, small float32, t []Tally)

	// Moments sums up a row of at least one number.
	Moments(x []float32) Moments

	// Accumulate adds weighted values to m outputs:
	//
	//	o[i*hd+d] += Σ_j p[i*ldp+j]·v[j*hd+d]         (j ascending)
	//
	// o is [m, hd], v is [keys, hd].
	Accumulate(o []float32, p []float32, ldp, m int, v []float32, keys, hd int)

	// Round writes x, rounded as ToBF16 does, and zeros behind it: dst has
	// PairedK(len(x)) elements.
	Round(dst []uint16, x []float32)

	// ScoresBF16 is Scores for bfloat16, components in pairs and sums in float32:
	//
	//	s[i*lds + g*16 + l] = Σ_d q[i*w+d]·kt[((g*w+d)/2*16+l)*2 + d%2]
	//
	// q is [m, w], kt is [groups, w/2, 16, 2], w a PairedK. How far apart two
	// products are added is the Set's own, the same for every query and key.
	ScoresBF16(s []float32, lds int, q []uint16, m, w int, kt []uint16, groups int)

	// AccumulateBF16 is Accumulate for one whole key block in bfloat16, keys in
	// pairs and sums in float32:
	//
	//	o[i*w+d] += Σ_j p[i*64+j]·v[(j/2*w+d)*2 + j%2]
	//
	// p is [m, KeyBlock], v is [KeyBlock/2, w, 2], o is [m, w], w a PairedK. A key
	// whose weight and value are zero changes no bit, wherever it stands.
	AccumulateBF16(o []float32, p []uint16, m int, v []uint16, w int)

	// Scale multiplies x by a in place.
	Scale(x []float32, a float32)

	// RMSNorm writes weight·x/sqrt(mean(x²)+eps) into dst (may be x).
	RMSNorm(dst, x, weight []float32, eps float32)

	// LayerNorm writes (x-mean)/sqrt(var+eps)·weight + bias into dst (may be x), var being the
	// mean of the squared distances from the mean; weight and bias may be nil.
	LayerNorm(dst, x, weight, bias []float32, eps float32)

	// Rotate applies RoPE to one head in place: the first half of x pairs with
	// the second; cos and sin have half its length.
	//
	//	x[i], x[i+h] = x[i]·cos[i] - x[i+h]·sin[i], x[i+h]·cos[i] + x[i]·sin[i]
	Rotate(x, cos, sin []float32)

	// SwiGLU writes silu(gate)·up into dst (may be gate), silu(g) = g/(1+e^-g).
	SwiGLU(dst, gate, up []float32)

	// SelfGate replaces x by x/(1+e^-(ax+bx³)): SiLU with (1, 0), others with the constants below.
	SelfGate(x []float32, a, b float32)

	// GELU replaces x by x·Φ(x), Φ the normal distribution's.
	GELU(x []float32)

	// MaxSumExp returns the largest element, its lowest index, and
	// Σ e^(x-max), over a row of at least one logit. NaN in x gives NaN in sum.
	MaxSumExp(x []float32) (max float32, arg int, sum float32)
}

// What makes two more activations of SelfGate: QuickGELU, x/(1+e^-1.702x), and GELU with a tanh,
// 0.5x(1+tanh(u)) with u = √(2/π)(x+0.044715x³), which is x/(1+e^-2u).
const (
	QuickGELU = 1.702
	GELUTanhA = 2 * 0.7978845608028654
	GELUTanhB = GELUTanhA * 0.044715
)

// State is the running state of one query over its key blocks: the largest
// score so far (see NewState) and the denominator's sum, scaled by e^-Max.
type State struct {
	Max, Sum float32
}
