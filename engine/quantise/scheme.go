package quantise

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/safetensors"
)

// Method is a rule by which weights become codes.
type Method string

// The methods, with the reference whose numbers they have.
const (
	RTN           Method = "rtn"      // round to nearest, symmetric: compressed-tensors
	RTNAsymmetric Method = "rtn-asym" // round to nearest with a zero point: compressed-tensors
	HQQ           Method = "hqq"      // half-quadratic: the hqq package
	NF4           Method = "nf4"      // bitsandbytes
	FP4           Method = "fp4"      // bitsandbytes
	FP8           Method = "fp8"      // E4M3: compressed-tensors' float-quantized

	// W8A8 is RTN by rows, with activations that are rounded to eight bits too, a token at a
	// time: compressed-tensors' int-quantized.
	W8A8 Method = "w8a8"

	GPTQ           Method = "gptq"      // round to nearest as RTN, errors made up for (QuantiseWith)
	GPTQAsymmetric Method = "gptq-asym" // the same as RTNAsymmetric

	AWQ           Method = "awq"      // round to nearest as RTN, of inputs that are scaled (SearchScales)
	AWQAsymmetric Method = "awq-asym" // the same as RTNAsymmetric
)

// rule is what a method does.
type rule struct {
	bits []int // that it makes; the only one may be left out
	// prepare finds what the method needs of a whole matrix; nil where each group
	// stands alone.
	prepare func(s *Scheme, w *weights) error
	// group quantises x, group g of the matrix, into codes.
	group func(w *weights, g int, x []float32, codes []uint8)
	// about sets what all groups share.
	about func(m *Matrix)
	// byRow is true where rows share a scale and nothing less does.
	byRow bool
	// ordered is true where QuantiseWith makes the codes, column after column.
	ordered bool
	// scaled is true where SearchScales finds what inputs are multiplied by before.
	scaled bool
}

var whole = []int{2, 3, 4, 8}

var rules = map[Method]rule{
	RTN:           {bits: whole, group: (*weights).roundSymmetric, about: half},
	RTNAsymmetric: {bits: whole, group: (*weights).roundAsymmetric, about: zeroPoints},
	HQQ:           {bits: whole, prepare: halfQuadratic, group: (*weights).halfQuadraticGroup, about: zeroPoints},
	NF4:           {bits: []int{4}, group: (*weights).table, about: func(m *Matrix) { m.Levels = nf4[:] }},
	FP4:           {bits: []int{4}, group: (*weights).table, about: func(m *Matrix) { m.Levels = fp4[:] }},
	FP8:           {bits: []int{8}, group: (*weights).eightBitFloat, about: func(m *Matrix) { m.Levels = e4m3() }},
	W8A8:          {bits: []int{8}, group: (*weights).roundSymmetric, about: int8Inputs, byRow: true},

	GPTQ:           {bits: whole, group: (*weights).roundSymmetric, about: half, ordered: true},
	GPTQAsymmetric: {bits: whole, group: (*weights).roundAsymmetric, about: zeroPoints, ordered: true},
	AWQ:            {bits: whole, group: (*weights).roundScaled, about: half, scaled: true},
	AWQAsymmetric:  {bits: whole, group: (*weights).roundScaledAsymmetric, about: zeroPoints, scaled: true},
}

// Methods are the names of all, in the order of help texts.
var Methods = []Method{RTN, RTNAsymmetric, HQQ, NF4, FP4, FP8, W8A8, GPTQ, GPTQAsymmetric, AWQ, AWQAsymmetric}

// Groups are the numbers of columns that may share a scale; 0 is a whole row.
var Groups = []int{32, 64, 128, 0}

// defaultGroup is that of hqq and of bitsandbytes.
const defaultGroup = 64

// Scheme says how weights are quantised.
type Scheme struct {
	Method Method
	Bits   int
	Group  int // columns that share a scale; 0: a row's
	// ActOrder takes the inputs that matter most first, in GPTQ.
	ActOrder bool
	// ToLast is SearchScales' finding that symmetric codes do better where a group's largest magnitude
	// has the last code. It is no part of the scheme's text.
	ToLast bool
	// Format is what scales and numbers are rounded to; the weights' own format where it is empty.
	// It is no part of the scheme's text.
	Format safetensors.DType
}

// rule is that of the method.
func (s Scheme) rule() rule {
	r := rules[s.Method]
	if s.ToLast {
		r.group = (*weights).roundToLast
	}
	return r
}

// Calibrated reports whether the method needs text that shows what weights are multiplied
// with.
func (s Scheme) Calibrated() bool { return s.Ordered() || s.Scaled() }

// Ordered reports whether QuantiseWith makes the codes.
func (s Scheme) Ordered() bool { return rules[s.Method].ordered }

// Scaled reports whether SearchScales finds scales of what the weights read.
func (s Scheme) Scaled() bool { return rules[s.Method].scaled }

// Int8 reports whether activations are quantised too, to int8.
func (s Scheme) Int8() bool { return s.Method == W8A8 }

// Symmetric reports whether all groups have the same zero.
func (s Scheme) Symmetric() bool {
	return s.Method != RTNAsymmetric && s.Method != GPTQAsymmetric && s.Method != AWQAsymmetric && s.Method != HQQ
}

// actOrder at a scheme's end asks for ActOrder.
const actOrder = ":act"

// FormatOf is what weights stored as d are quantised in: the scheme's own format, or else d, where it
// is one of 16 bits, or else F32.
func (s Scheme) FormatOf(d safetensors.DType) safetensors.DType {
	if d = cmp.Or(s.Format, d); d == safetensors.BF16 || d == safetensors.F16 {
		return d
	}
	return safetensors.F32
}

// Parse reads method:bits[:group][:act], such as hqq:4 or rtn:8:row. The bits of a method
// that has one number of them may be left out.
func Parse(text string) (Scheme, error) {
	text, act := strings.CutSuffix(text, actOrder)
	parts := strings.Split(text, ":")
	s := Scheme{ActOrder: act, Method: Method(parts[0]), Group: defaultGroup}
	r, known := rules[s.Method]
	if !known || len(parts) > 3 {
		return s, fmt.Errorf("%q: want method:bits[:group], the method one of %s", text, join(Methods))
	}
	if act && !r.ordered {
		return s, fmt.Errorf("%q: %s has no order of columns: %s is for gptq and gptq-asym", text+actOrder, s.Method, actOrder)
	}
	if len(parts) == 1 || parts[1] == "" {
		if len(r.bits) > 1 {
			return s, fmt.Errorf("%q does not say how many bits: want %s:%d or another of %v", text, s.Method, 4, r.bits)
		}
		s.Bits = r.bits[0]
	} else if n, err := strconv.Atoi(parts[1]); err != nil || !slices.Contains(r.bits, n) {
		return s, fmt.Errorf("%q: %s has no %s bits: want one of %v", text, s.Method, parts[1], r.bits)
	} else {
		s.Bits = n
	}
	if r.byRow {
		if s.Group = 0; len(parts) == 3 && parts[2] != "row" {
			return s, fmt.Errorf("%q: %s has a scale for each row, and no groups", text, s.Method)
		}
		return s, nil
	}
	if len(parts) < 3 {
		return s, nil
	}
	if parts[2] == "row" {
		s.Group = 0
		return s, nil
	}
	n, err := strconv.Atoi(parts[2])
	if err != nil || n == 0 || !slices.Contains(Groups, n) {
		return s, fmt.Errorf("%q: a group of %s: want 32, 64, 128 or row", text, parts[2])
	}
	s.Group = n
	return s, nil
}

// String is what Parse reads.
func (s Scheme) String() string {
	group := "row"
	if s.Group > 0 {
		group = strconv.Itoa(s.Group)
	}
	text := fmt.Sprintf("%s:%d:%s", s.Method, s.Bits, group)
	if s.ActOrder {
		text += actOrder
	}
	return text
}

func join(methods []Method) string {
	var names []string
	for _, m := range methods {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}

// weights are a matrix on its way to codes.
type weights struct {
	*Matrix
	x     []float32 // [rows, cols]
	round func(float32) float32
	eps   float32 // of the format: a scale of zero becomes it
	each  func(count int, one func(i int) error) error
}

// Quantise makes codes of w [rows, cols]. The arithmetic of round-to-nearest and
// FP8, and every decoded number, is rounded to format, in which the weights are
// stored (F32, BF16, F16), as the references do. each runs tasks 0..count-1, side by
// side or not: no number depends on it.
func (s Scheme) Quantise(w []float32, rows, cols int, format safetensors.DType, each func(count int, one func(i int) error) error) (*Matrix, error) {
	r := s.rule()
	if s.Int8() && cols > kernel.MaxInt8K {
		return nil, fmt.Errorf("%s of %d columns: want at most %d, whose sums stay below 2^31", s.Method, cols, kernel.MaxInt8K)
	}
	m := newMatrix(rows, cols, s.Bits, s.Group, format)
	r.about(m)
	q := &weights{Matrix: m, x: w, round: rounder(format), eps: epsilon(format), each: each}
	if r.prepare != nil {
		if err := r.prepare(&s, q); err != nil {
			return nil, err
		}
	}
	err := q.eachRow(func(i int) {
		codes := make([]uint8, cols)
		for g := range m.across {
			j0, j1 := m.columns(g)
			r.group(q, i*m.across+g, q.x[i*cols+j0:i*cols+j1], codes[j0:j1])
		}
		m.pack(i, codes)
	})
	return m, err
}

// rows runs one for every row, some at a time.
func (w *weights) eachRow(one func(i int)) error {
	step := max(1, 1<<16/w.Cols)
	return w.each((w.Rows+step-1)/step, func(n int) error {
		for i := n * step; i < min(w.Rows, (n+1)*step); i++ {
			one(i)
		}
		return nil
	})
}
