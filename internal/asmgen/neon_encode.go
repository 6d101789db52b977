package asmgen

import "fmt"

// neon writes code for arm64. Go's assembler lacks many vector instructions, so that all
// of them are written as words, with their name in GNU's notation (Arm ARM, C7.2); what
// is not a vector's is in Go's.
type neon struct{ *file }

// word writes an instruction as a word.
func (v *neon) word(code uint32, format string, operands ...any) {
	fmt.Fprintf(&v.buf, "\tWORD $0x%08x // %s\n", code, fmt.Sprintf(format, operands...))
}

// three are instructions of three vectors of 4 float32 or 16 bytes.
var three = map[string]struct {
	code  uint32
	shape string
}{
	"fadd": {0x4e20d400, "4s"}, "fsub": {0x4ea0d400, "4s"}, "fmul": {0x6e20dc00, "4s"}, "fdiv": {0x6e20fc00, "4s"},
	"fmla": {0x4e20cc00, "4s"}, "fmls": {0x4ea0cc00, "4s"}, "fmax": {0x4e20f400, "4s"}, "fmin": {0x4ea0f400, "4s"},
	"fmaxnm": {0x4e20c400, "4s"}, "faddp": {0x6e20d400, "4s"}, "fcmeq": {0x4e20e400, "4s"},
	"add": {0x4ea08400, "4s"}, "sub": {0x6ea08400, "4s"},
	"and": {0x4e201c00, "16b"}, "orr": {0x4ea01c00, "16b"}, "bic": {0x4e601c00, "16b"}, "bsl": {0x6e601c00, "16b"},
}

// op3 is d = n op m, or d += n·m of fmla, or d = d ? n : m of bsl.
func (v *neon) op3(name string, d, n, m int) {
	o := three[name]
	v.word(o.code|uint32(m<<16|n<<5|d), "%s v%d.%s, v%d.%s, v%d.%s", name, d, o.shape, n, o.shape, m, o.shape)
}

// two are instructions of two vectors of 4 float32.
var two = map[string]uint32{
	"fabs": 0x4ea0f800, "fneg": 0x6ea0f800, "frintn": 0x4e218800, "fcvtzs": 0x4ea1b800,
}

func (v *neon) op2(name string, d, n int) {
	v.word(two[name]|uint32(n<<5|d), "%s v%d.4s, v%d.4s", name, d, n)
}

func (v *neon) mov(d, n int) {
	v.word(0x4ea01c00|uint32(n<<16|n<<5|d), "mov v%d.16b, v%d.16b", d, n)
}

func (v *neon) zero(d int) { v.word(0x4f000400|uint32(d), "movi v%d.4s, #0x0", d) }

// dup copies lane 0 to all lanes.
func (v *neon) dup(d, n int) {
	v.word(0x4e040400|uint32(n<<5|d), "dup v%d.4s, v%d.s[0]", d, n)
}

// first keeps lane 0 and makes the others zero.
func (v *neon) first(d int) { v.word(0x1e204000|uint32(d<<5|d), "fmov s%d, s%d", d, d) }

// compare0 is a mask of the lanes that are above (fcmgt) or below zero (fcmlt); of NaN neither.
func (v *neon) compare0(name string, d, n int) {
	code := map[string]uint32{"fcmgt": 0x4ea0c800, "fcmlt": 0x4ea0e800}[name]
	v.word(code|uint32(n<<5|d), "%s v%d.4s, v%d.4s, #0.0", name, d, n)
}

// shift moves each of four lanes by bits: shl, sshr, ushr.
func (v *neon) shift(name string, d, n, bits int) {
	code, by := uint32(0x4f005400), 32+bits
	switch name {
	case "sshr":
		code, by = 0x4f000400, 64-bits
	case "ushr":
		code, by = 0x6f000400, 64-bits
	}
	v.word(code|uint32(by<<16|n<<5|d), "%s v%d.4s, v%d.4s, #%d", name, d, n, bits)
}

// largest puts the largest lane into lane 0: of float32, ignoring NaN, or of unsigned numbers.
func (v *neon) largest(name string, d, n int) {
	code := map[string]uint32{"fmaxnmv": 0x6e30c800, "umaxv": 0x6eb0a800}[name]
	v.word(code|uint32(n<<5|d), "%s s%d, v%d.4s", name, d, n)
}

// lane0 moves lane 0 to a register of 32 bits.
func (v *neon) lane0(x, n int) { v.word(0x1e260000|uint32(n<<5|x), "fmov w%d, s%d", x, n) }

// byLane is d += n·m[lane] in float32.
func (v *neon) byLane(d, n, m, lane int) {
	v.word(0x4f801000|laneOf(m, lane)|uint32(n<<5|d), "fmla v%d.4s, v%d.4s, v%d.s[%d]", d, n, m, lane)
}

// dot adds to each of four float32 the dot product of a pair of bfloat16 of n with pair lane
// of m (FEAT_BF16).
func (v *neon) dot(d, n, m, lane int) {
	v.word(0x4f40f000|laneOf(m, lane)|uint32(n<<5|d), "bfdot v%d.4s, v%d.8h, v%d.2h[%d]", d, n, m, lane)
}

func laneOf(m, lane int) uint32 { return uint32(lane&1<<21 | m<<16 | lane>>1<<11) }

// shll widens the lower (or upper) four bfloat16.
func (v *neon) shll(d, n int, upper bool) {
	if upper {
		v.word(0x6e613800|uint32(n<<5|d), "shll2 v%d.4s, v%d.8h, #16", d, n)
		return
	}
	v.word(0x2e613800|uint32(n<<5|d), "shll v%d.4s, v%d.4h, #16", d, n)
}

// shrn is the upper halves of four lanes.
func (v *neon) shrn(d, n int) {
	v.word(0x0f108400|uint32(n<<5|d), "shrn v%d.4h, v%d.4s, #16", d, n)
}

// access are loads and stores of one register at an offset, in units of size.
var access = map[string]struct {
	offset, post uint32
	size         int
}{
	"ldr q": {0x3dc00000, 0x3cc00400, 16}, "str q": {0x3d800000, 0x3c800400, 16},
	"ldr d": {0xfd400000, 0xfc400400, 8}, "str d": {0xfd000000, 0xfc000400, 8},
	"ldr s": {0xbd400000, 0xbc400400, 4}, "str s": {0xbd000000, 0xbc000400, 4},
	"str h": {0x7d000000, 0x7c000400, 2},
}

// at loads or stores register t at x + offset bytes.
func (v *neon) at(name string, t, x, offset int) {
	a := access[name]
	where := fmt.Sprintf("[x%d]", x)
	if offset != 0 {
		where = fmt.Sprintf("[x%d, #%d]", x, offset)
	}
	v.word(a.offset|uint32(offset/a.size<<10|x<<5|t), "%s%d, %s", name, t, where)
}

// post loads or stores register t at x, which then moves by the register's size.
func (v *neon) post(name string, t, x int) {
	a := access[name]
	v.word(a.post|uint32(a.size<<12|x<<5|t), "%s%d, [x%d], #%d", name, t, x, a.size)
}

// ldp loads two registers at x + offset bytes, stp stores them.
func (v *neon) pairAt(name string, t, u, x, offset int) {
	code := map[string]uint32{"ldp": 0xad400000, "stp": 0xad000000}[name]
	where := fmt.Sprintf("[x%d]", x)
	if offset != 0 {
		where = fmt.Sprintf("[x%d, #%d]", x, offset)
	}
	v.word(code|uint32(offset/16<<15|u<<10|x<<5|t), "%s q%d, q%d, %s", name, t, u, where)
}

// spread loads a float32 into all lanes.
func (v *neon) spread(t, x int) {
	v.word(0x4d40c800|uint32(x<<5|t), "ld1r {v%d.4s}, [x%d]", t, x)
}
