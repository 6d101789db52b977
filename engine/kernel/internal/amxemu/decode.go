package amxemu

import "fmt"

// registers is what addresses need: the sixteen general registers in the order
// of their numbers.
type registers [16]uint64

// memory is the program's.
type memory interface {
	// read fills rows of n bytes, stride apart from address on.
	read(address, stride uint64, rows [][]byte) error
	write(address, stride uint64, rows [][]byte) error
}

// Instructions, as counted.
const (
	LDTILECFG   = "ldtilecfg"
	TILERELEASE = "tilerelease"
	TILEZERO    = "tilezero"
	TILELOADD   = "tileloadd"
	TILESTORED  = "tilestored"
	TDPBF16PS   = "tdpbf16ps"
	TDPBUSD     = "tdpbusd"
)

// step decodes the instruction in code and executes it. It returns its name
// and length; the name is empty where it is none of AMX's.
func (t *tiles) step(code []byte, regs *registers, mem memory) (name string, length int, err error) {
	// VEX.128.0F38.W0 in its three-byte form.
	if len(code) < 9 || code[0] != 0xc4 || code[1]&0x1f != 2 || code[2]&0x84 != 0 {
		return "", 0, nil
	}
	pp, vvvv := code[2]&3, int(^code[2]>>3&15)
	opcode, modrm := code[3], code[4]
	mod, reg, rm := modrm>>6, int(modrm>>3&7), int(modrm&7)
	register := mod == 3
	switch {
	case opcode == 0x49 && pp == 0 && register && reg == 0 && rm == 0:
		*t = tiles{}
		return TILERELEASE, 5, nil
	case opcode == 0x49 && pp == 3 && register && rm == 0:
		if err := t.need(reg); err != nil {
			return TILEZERO, 0, err
		}
		t.data[reg] = [maxRows][maxBytes]byte{}
		return TILEZERO, 5, nil
	case opcode == 0x5c && pp == 2 && register:
		return TDPBF16PS, 5, t.product(reg, rm, vvvv)
	case opcode == 0x5e && pp == 1 && register:
		return TDPBUSD, 5, t.bytesProduct(reg, rm, vvvv)
	case register || opcode != 0x49 && opcode != 0x4b:
		return "", 0, nil
	}
	base, index, length, err := address(code, regs)
	if err != nil {
		return "memory operand", 0, err
	}
	switch {
	case opcode == 0x49 && pp == 0 && reg == 0:
		c := make([]byte, 64)
		if err := mem.read(base+index, 0, [][]byte{c}); err != nil {
			return LDTILECFG, 0, err
		}
		return LDTILECFG, length, t.configure(c)
	case opcode == 0x4b && (pp == 3 || pp == 2):
		name := TILELOADD
		if pp == 2 {
			name = TILESTORED
		}
		if err := t.need(reg); err != nil {
			return name, 0, err
		}
		if modrm&7 != 4 {
			return name, 0, fmt.Errorf("its operand has no SIB byte")
		}
		rows := make([][]byte, t.rows[reg])
		for r := range rows {
			rows[r] = t.data[reg][r][:t.bytes[reg]]
		}
		if pp == 2 {
			return name, length, mem.write(base, index, rows)
		}
		t.data[reg] = [maxRows][maxBytes]byte{}
		return name, length, mem.read(base, index, rows)
	}
	return "", 0, nil
}

// address reads a memory operand: base and displacement apart from the index,
// which is a stride in tile loads and stores.
func address(code []byte, regs *registers) (base, index uint64, length int, err error) {
	x, b := int(^code[1]>>6&1)<<3, int(^code[1]>>5&1)<<3
	mod, rm := code[4]>>6, int(code[4]&7)
	length = 5
	if rm == 4 {
		sib := code[5]
		length++
		if i := int(sib>>3&7) | x; i != 4 {
			index = regs[i] << (sib >> 6)
		}
		rm = int(sib & 7)
	}
	if mod == 0 && rm == 5 {
		return 0, 0, 0, fmt.Errorf("an address without a base is not emulated")
	}
	base = regs[rm|b]
	switch mod {
	case 1:
		base += uint64(int64(int8(code[length])))
		length++
	case 2:
		return 0, 0, 0, fmt.Errorf("an address with a long displacement is not emulated")
	}
	return base, index, length, nil
}
