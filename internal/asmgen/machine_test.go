package asmgen

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// machine reads assembly as it is written, for instructions that this processor may lack: some of
// AVX-512 and AVX2. It is for tests.
type machine struct {
	mem     []byte
	gpr     map[string]uint64
	vec     [32][64]byte
	mask    uint64            // K1
	masks   map[string]uint64 // those of words
	symbols map[string]uint64 // addresses, fields' offsets
	zero    bool              // of the last comparison
	less    bool
}

var memoryOperand = regexp.MustCompile(`^(-?\d+)?\((\w+)\)(?:\((\w+)\*(\d)\))?$`)

// address is that of a memory operand; ok where it is one.
func (m *machine) address(o string) (at uint64, ok bool) {
	if i := strings.Index(o, "(AX)"); i > 0 && o[0] > '9' {
		offset, known := m.symbols[o[:i]]
		return m.gpr["AX"] + offset, known
	}
	f := memoryOperand.FindStringSubmatch(o)
	if f == nil {
		return 0, false
	}
	at = m.gpr[f[2]]
	if f[1] != "" {
		d, _ := strconv.ParseInt(f[1], 10, 64)
		at += uint64(d)
	}
	if f[3] != "" {
		scale, _ := strconv.ParseUint(f[4], 10, 64)
		at += m.gpr[f[3]] * scale
	}
	return at, true
}

// value is an operand of a general instruction.
func (m *machine) value(o string) uint64 {
	if o[0] == '$' {
		if v, ok := m.symbols[o[1:]]; ok {
			return v
		}
		v, err := strconv.ParseUint(o[1:], 0, 64)
		if err != nil {
			panic(err)
		}
		return v
	}
	if at, ok := m.address(o); ok {
		return binary.LittleEndian.Uint64(m.mem[at:])
	}
	return m.gpr[o]
}

// size is the bytes of a vector register's name.
func size(r string) int { return map[byte]int{'X': 16, 'Y': 32, 'Z': 64}[r[0]] }

func number(r string) int { n, _ := strconv.Atoi(r[1:]); return n }

// words reads a vector operand of n words of 32 bits.
func (m *machine) words(o string, n int) []uint32 {
	x := make([]uint32, n)
	from := []byte(nil)
	if at, ok := m.address(o); ok {
		from = m.mem[at:]
	} else {
		from = m.vec[number(o)][:]
	}
	for i := range x {
		x[i] = binary.LittleEndian.Uint32(from[4*i:])
	}
	return x
}

// put writes words to a vector operand; a register's rest becomes zero.
func (m *machine) put(o string, x []uint32) {
	to := []byte(nil)
	if at, ok := m.address(o); ok {
		to = m.mem[at:]
	} else {
		m.vec[number(o)] = [64]byte{}
		to = m.vec[number(o)][:]
	}
	for i, w := range x {
		binary.LittleEndian.PutUint32(to[4*i:], w)
	}
}

func floats(a, b uint32, op func(a, b float32) float32) uint32 {
	return math.Float32bits(op(math.Float32frombits(a), math.Float32frombits(b)))
}

// fma is a·b + c, which float64 rounds but for the last float32 place.
func fma(a, b, c float32) float32 {
	return float32(math.FMA(float64(a), float64(b), float64(c)))
}

// half rounds to float16, or widens it.
func half(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	a := math.Abs(float64(x))
	_, e := math.Frexp(a)
	place := math.Ldexp(1, max(e-11, -24))
	a = math.RoundToEven(a/place) * place
	if a < math.Ldexp(1, -14) {
		return sign | uint16(a*math.Ldexp(1, 24))
	}
	f, e := math.Frexp(a)
	return sign | uint16(e+14)<<10 | uint16((f*2-1)*1024)
}

func widened(h uint16) float32 {
	e, f := int(h>>10&31), float64(h&1023)
	x := math.Ldexp(1+f/1024, e-15)
	if e == 0 {
		x = math.Ldexp(f, -24)
	}
	if h >= 0x8000 {
		x = -x
	}
	return float32(x)
}

// run executes a function's text until it returns.
func (m *machine) run(text string) error {
	lines := strings.Split(text, "\n")
	labels := map[string]int{}
	for i, l := range lines {
		if strings.HasSuffix(l, ":") {
			labels[strings.TrimSuffix(l, ":")] = i
		}
	}
	for pc, steps := 0, 0; ; pc, steps = pc+1, steps+1 {
		if steps > 1<<20 {
			return fmt.Errorf("does not end")
		}
		l := strings.TrimSpace(lines[pc])
		if l == "" || strings.HasSuffix(l, ":") || strings.HasPrefix(l, "//") || strings.HasPrefix(l, "TEXT") {
			continue
		}
		name, rest, _ := strings.Cut(l, " ")
		o := strings.Split(rest, ", ")
		switch name {
		case "RET":
			return nil
		case "JNE", "JNZ", "JEQ", "JMP", "JLE":
			if map[string]bool{"JNE": !m.zero, "JNZ": !m.zero, "JEQ": m.zero, "JMP": true, "JLE": m.zero || m.less}[name] {
				pc = labels[o[0]]
			}
		case "BYTE":
			_, intel, vex := strings.Cut(l, "// {vex} vpdpbusd ")
			if vex {
				f := strings.Split(strings.ReplaceAll(intel, "ymm", "Y"), ", ")
				if err := m.three("VPDPBUSD", []string{f[2], f[1], f[0]}, 8); err != nil {
					return err
				}
				continue
			}
			_, intel, _ = strings.Cut(l, "// vdpbf16ps ")
			f := strings.Split(strings.ReplaceAll(intel, "zmm", "Z"), ", ")
			a, b, c := m.words(f[1], 16), m.words(f[2], 16), m.words(f[0], 16)
			for i := range c {
				c[i] = math.Float32bits(dot(math.Float32frombits(c[i]), a[i], b[i]))
			}
			m.put(f[0], c)
		default:
			if err := m.step(name, o); err != nil {
				return fmt.Errorf("%s: %w", l, err)
			}
		}
	}
}

// dot is VDPBF16PS but for its rounding, which no test here asks for.
func dot(c float32, a, b uint32) float32 {
	hi, lo := math.Float32frombits, func(x uint32) float32 { return math.Float32frombits(x << 16) }
	return fma(hi(a&0xffff0000), hi(b&0xffff0000), fma(lo(a), lo(b), c))
}

// step executes one instruction that does not jump.
func (m *machine) step(name string, o []string) error {
	if m.lookupStep(name, o) {
		return nil
	}
	last := o[len(o)-1]
	switch name {
	case "VZEROUPPER", "PREFETCHT0":
		return nil
	case "LEAQ":
		at, ok := m.address(o[0])
		if !ok {
			at = m.symbols[o[0]]
		}
		m.gpr[last] = at
		return nil
	case "MOVQ":
		if strings.HasSuffix(o[0], "+0(FP)") {
			return nil
		}
		m.gpr[last] = m.value(o[0])
		return nil
	case "MOVL":
		m.gpr[last] = m.value(o[0]) & 0xffffffff
		return nil
	case "XORL":
		m.gpr[last] = 0
		return nil
	case "TESTQ":
		m.zero, m.less = m.gpr[last] == 0, int64(m.gpr[last]) < 0
		return nil
	case "CMPQ":
		a, b := m.value(o[0]), m.value(o[1])
		m.zero, m.less = a == b, int64(a) < int64(b)
		return nil
	case "KMOVW":
		m.mask = m.value(o[0])
		return nil
	case "ADDQ":
		m.gpr[last] += m.value(o[0])
		return nil
	case "DECQ", "DECL":
		m.gpr[last]--
		m.zero = m.gpr[last] == 0
		return nil
	}
	if name[0] != 'V' {
		return fmt.Errorf("unknown instruction")
	}
	reg := last
	if _, ok := m.address(reg); ok {
		reg = o[0]
	}
	n := size(reg) / 4
	switch name {
	case "VPMOVSXBW":
		at, _ := m.address(o[0])
		out := make([]uint32, n)
		for i := range out {
			out[i] = uint32(uint16(int8(m.mem[at+uint64(2*i)]))) | uint32(int8(m.mem[at+uint64(2*i)+1]))<<16
		}
		m.put(last, out)
		return nil
	case "VMASKMOVPS", "VMOVUPS":
		if len(o) == 3 { // stores all that the mask lets through
			at, _ := m.address(last)
			mask := m.mask
			if name == "VMASKMOVPS" {
				mask = 0
				for i, w := range m.words(o[1], n) {
					mask |= uint64(w>>31) << i
				}
			}
			for i, w := range m.words(o[0], n) {
				if mask>>i&1 == 1 {
					binary.LittleEndian.PutUint32(m.mem[int(at)+4*i:], w)
				}
			}
			return nil
		}
		m.put(last, m.words(o[0], n))
		return nil
	case "VMOVAPS", "VMOVDQU", "VMOVDQU32", "VMOVDQA64":
		m.put(last, m.words(o[0], n))
		return nil
	case "VMOVD":
		m.put(last, []uint32{uint32(m.gpr[o[0]]), 0, 0, 0})
		return nil
	case "VPBROADCASTD", "VBROADCASTSS":
		var x uint32
		if at, ok := m.address(o[0]); ok {
			x = binary.LittleEndian.Uint32(m.mem[at:])
		} else if strings.ContainsRune("XYZ", rune(o[0][0])) {
			x = m.words(o[0], 1)[0]
		} else {
			x = uint32(m.gpr[o[0]])
		}
		all := make([]uint32, n)
		for i := range all {
			all[i] = x
		}
		m.put(last, all)
		return nil
	case "VCVTDQ2PS":
		x := m.words(o[0], n)
		for i, w := range x {
			x[i] = math.Float32bits(float32(int32(w)))
		}
		m.put(last, x)
		return nil
	case "VCVTPS2PH":
		in := m.words(o[1], size(o[1])/4)
		out := make([]uint32, n)
		for i, w := range in {
			out[i/2] |= uint32(half(math.Float32frombits(w))) << (i % 2 * 16)
		}
		m.put(last, out)
		return nil
	case "VCVTPH2PS":
		in := m.words(o[0], n/2)
		out := make([]uint32, n)
		for i := range out {
			out[i] = math.Float32bits(widened(uint16(in[i/2] >> (i % 2 * 16))))
		}
		m.put(last, out)
		return nil
	case "VPMOVDW":
		in := m.words(o[0], 2*n)
		out := make([]uint32, n)
		for i, w := range in {
			out[i/2] |= w & 0xffff << (i % 2 * 16)
		}
		m.put(last, out)
		return nil
	case "VPSLLD", "VPSRLD":
		by, x := m.value(o[0]), m.words(o[1], n)
		for i := range x {
			if name == "VPSLLD" {
				x[i] <<= by
			} else {
				x[i] >>= by
			}
		}
		m.put(last, x)
		return nil
	}
	return m.three(name, o, n)
}

// three executes an instruction of three operands.
func (m *machine) three(name string, o []string, n int) error {
	c, b, a := m.words(o[0], n), m.words(o[1], n), m.words(o[len(o)-1], n)
	out := make([]uint32, n)
	for i := range out {
		switch name {
		case "VPANDD", "VPAND":
			out[i] = b[i] & c[i]
		case "VPORD", "VPOR":
			out[i] = b[i] | c[i]
		case "VPXORD", "VPXOR":
			out[i] = b[i] ^ c[i]
		case "VMULPS":
			out[i] = floats(b[i], c[i], func(x, y float32) float32 { return x * y })
		case "VADDPS":
			out[i] = floats(b[i], c[i], func(x, y float32) float32 { return x + y })
		case "VSUBPS":
			out[i] = floats(b[i], c[i], func(x, y float32) float32 { return x - y })
		case "VFMADD231PS":
			out[i] = floats(b[i], c[i], func(x, y float32) float32 { return fma(x, y, math.Float32frombits(a[i])) })
		case "VFMSUB132PS":
			out[i] = floats(a[i], c[i], func(x, y float32) float32 { return fma(x, y, -math.Float32frombits(b[i])) })
		case "VPADDD":
			out[i] = b[i] + c[i]
		case "VPMADDWD":
			out[i] = uint32(int32(int16(b[i]))*int32(int16(c[i])) + int32(b[i])>>16*(int32(c[i])>>16))
		case "VPDPBUSD":
			out[i] = a[i]
			for at := 0; at < 32; at += 8 {
				out[i] += uint32(int32(b[i]>>at&0xff) * int32(int8(c[i]>>at)))
			}
		case "VXORPS":
			out[i] = b[i] ^ c[i]
		case "VPERMPS":
			out[i] = c[b[i]&uint32(n-1)]
		case "VBLENDVPS":
			mask := c[i] // a mask, then the two sources
			second, first := m.words(o[1], n), m.words(o[2], n)
			if out[i] = first[i]; mask>>31 == 1 {
				out[i] = second[i]
			}
		case "VPSHUFB":
			for at := range 4 {
				k := c[i] >> (8 * at) & 0xff
				if k < 0x80 {
					from := i/4*16 + int(k&15)
					out[i] |= b[from/4] >> (from % 4 * 8) & 0xff << (8 * at)
				}
			}
		default:
			return fmt.Errorf("unknown instruction")
		}
	}
	m.put(o[len(o)-1], out)
	return nil
}

// TestCodeLoops: every loop over codes, on paper, makes the numbers that its codes stand for, also
// those of instruction sets that this machine lacks. engine/kernel's conformance suite runs
// those that it has, and tests what is around them.
func TestCodeLoops(t *testing.T) {
	for _, wide := range []bool{false, true} {
		text := string(codeRows(wide))
		for _, store := range []bool{false, true} {
			for _, c := range codeRowsOf(wide, store) {
				v := vector{wide: wide}
				name := c.name(v.isa())
				_, body, ok := strings.Cut(text, "TEXT ·"+name+"(SB)")
				if !ok {
					t.Fatalf("no %s", name)
				}
				if body, _, _ = strings.Cut(body, "\n// codeRow"); strings.Contains(name, "E4M3") && !wide {
					continue // its packs are AVX2's alone
				}
				if err := codeLoop(c, v.lanes(), "TEXT"+body); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// codeLoop runs a loop over two groups of a panel of random codes.
func codeLoop(c codeRow, lanes int, text string) error {
	const k, group = 64, 32
	seed := uint32(c.bits*100 + lanes + len(c.form))
	random := func(n int) int { seed = seed*1664525 + 1013904223; return int(seed>>8) % n }
	m := &machine{
		mem: make([]byte, 1<<16), gpr: map[string]uint64{}, masks: map[string]uint64{},
		symbols: map[string]uint64{"·codeRowTable(SB)": 0x800, "·lookupTable(SB)": 0x1000},
	}
	m.lookupConstants(0x1000)
	put := func(at int, x uint32) { binary.LittleEndian.PutUint32(m.mem[at:], x) }
	const object, sum, row, codes, scales, zeros, levels = 0x100, 0x8000, 0x2000, 0x3000, 0x5000, 0x6000, 0x7000
	words := k / 32 * c.bits * lanes
	perStep := 32 / c.bits
	if c.bits == 3 {
		perStep = 32
	}
	for i, f := range []struct {
		name string
		v    int
	}{
		{"sum", sum}, {"a", row}, {"codes", codes}, {"cvec", 4 * words}, {"scales", scales}, {"svec", 2 * 4 * lanes}, {"zeros", zeros},
		{"zvec", 2 * 4 * lanes}, {"zstep", 4 * lanes}, {"levels", levels}, {"steps", k / perStep}, {"group", group / perStep},
	} {
		m.symbols["codeRow_"+f.name] = uint64(8 * i)
		binary.LittleEndian.PutUint64(m.mem[object+8*i:], uint64(f.v))
	}
	m.gpr["AX"] = object
	// As engine/kernel's codeRowTable.
	for i := range 64 {
		at := func(row int) *byte { return &m.mem[0x800+64*row+i] }
		for j := range 4 {
			*at(j), *at(4 + j) = 0x80, 0x80
			if i%4 == 0 {
				*at(j) = byte(i%16 + j)
			}
			if i%4 == 3 {
				*at(4 + j) = byte(i%16/4*4 + j)
			}
		}
		*at(8), *at(9), *at(10), *at(11) = 0x0f, 0xf0, 0x88, 0x80
	}
	for i := range 16 {
		for j, x := range []float32{0x1p16, 0xffff, 0x1p-12, 0xffffp-28, 0x1p-8, 0xffffp-24, 0x1p-28, 0x1p-24} {
			put(0x800+64*(12+j)+4*i, math.Float32bits(x))
		}
		put(levels+4*i, math.Float32bits(float32(i*i-70)/64))
	}
	a := make([]float32, k)
	for i := range a {
		a[i] = float32(random(255) - 127)
		if c.pairs() {
			m.mem[row+2*i+1], m.mem[row+2*i] = byte(math.Float32bits(a[i])>>24), byte(math.Float32bits(a[i])>>16)
		} else {
			put(row+4*i, math.Float32bits(a[i]))
		}
	}
	want := make([][]float32, 2*lanes) // numbers of each column
	for col := range want {
		vector, lane := col/lanes, col%lanes
		for g := range k / group {
			scale, zero := float32(random(1<<20)+1)/(1<<22), float32(random(1<<20))/(1<<16)
			if c.exact() {
				scale, zero = float32(random(255)+1)/256, float32(random(16))
			}
			if c.form == signed {
				zero = float32(int(1) << c.bits / 2)
			}
			put(scales+4*((vector*2+g)*lanes+lane), math.Float32bits(scale))
			put(zeros+4*((vector*2+g)*lanes+lane), math.Float32bits(zero))
			for i := g * group; i < (g+1)*group; i++ {
				code := random(1 << c.bits)
				if c.form == "E4M3" && code&0x7f == 0x7f {
					code--
				}
				step := codes + 4*((vector*k/32+i/32)*c.bits*lanes+lane)
				or := func(word, shift, bits int) {
					at := step + 4*word*lanes
					put(at, binary.LittleEndian.Uint32(m.mem[at:])|uint32(bits)<<shift)
				}
				if c.bits == 3 {
					or(i%32/16, i%16*2, code&3)
					or(2, i%32, code>>2)
				} else {
					or(i%32*c.bits/32, i%32*c.bits%32, code)
				}
				want[col] = append(want[col], c.number(code, scale, zero))
			}
		}
	}
	if err := m.run(text); err != nil {
		return err
	}
	for col, numbers := range want {
		total := float32(0)
		for i, x := range numbers {
			if c.store {
				at := sum + 4*(i*2*lanes+col)
				got := math.Float32frombits(binary.LittleEndian.Uint32(m.mem[at:]))
				if c.pairs() {
					at = sum + 4*(i/2*2*lanes+col) + i%2*2
					got = math.Float32frombits(uint32(binary.LittleEndian.Uint16(m.mem[at:])) << 16)
				}
				if got != x {
					return fmt.Errorf("number %d of column %d is %v, want %v", i, col, got, x)
				}
				continue
			}
			total = fma(a[i], x, total)
		}
		if got := math.Float32frombits(binary.LittleEndian.Uint32(m.mem[sum+4*col:])); !c.store && got != total {
			return fmt.Errorf("the sum of column %d is %v, want %v", col, got, total)
		}
	}
	return nil
}

// number is what a code stands for, rounded.
func (c codeRow) number(code int, scale, zero float32) float32 {
	var x float32
	switch c.form {
	case "Offset":
		x = float32(float32(code)*scale) + zero
	case "Level":
		x = float32(code*code-70) / 64 * scale
	case "E4M3":
		x = widened(uint16(code&0x80)<<8|uint16(code&0x7f)<<7) * 256 * scale
	default:
		x = float32(float32(code)-zero) * scale
	}
	if c.half() {
		x = widened(half(x))
	}
	if c.bf16() || c.exact() {
		b := math.Float32bits(x)
		x = math.Float32frombits((b + 0x7fff + b>>16&1) &^ 0xffff)
	}
	return x
}
