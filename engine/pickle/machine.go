package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Values on the machine's stack: string, int64, float64, bool, nil, and these.
type (
	mark  struct{}
	tuple []any
	list  struct{ items []any }
	dict  struct{ keys, values []any }
	// global is one of the names in known.
	global struct{ module, name string }
	// storage is numbers in a file of the zip.
	storage struct {
		kind, key string
		count     int64
	}
	// tensor is a view of a storage.
	tensor struct {
		storage      storage
		offset       int64
		shape, steps []int64
	}
)

// known are the names that a pickle of tensors uses; torch's storages beside.
var known = map[global]bool{
	{"torch._utils", "_rebuild_tensor_v2"}: true,
	{"torch._utils", "_rebuild_parameter"}: true,
	{"collections", "OrderedDict"}:         true,
}

// Bounds on what a short pickle may ask for: the stack's depth, the values that are made,
// remembered or collected, some twenty a tensor, and a tensor's dimensions.
const (
	maxDepth  = 1 << 20
	maxValues = 1 << 22
	maxDims   = 64
)

var errCut = errors.New("its pickle is cut off")

// machine runs the opcodes that torch.save writes.
type machine struct {
	data  []byte
	at    int
	stack []any
	memo  map[uint64]any
	made  int // values, those remembered too
}

// run returns the value that a pickle makes.
func run(data []byte) (any, error) {
	m := &machine{data: data, memo: map[uint64]any{}}
	for {
		op, err := m.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' {
			return m.pop()
		}
		at := m.at - 1
		if err := m.step(op[0]); err != nil {
			return nil, fmt.Errorf("byte %d of its pickle: %w", at, err)
		}
		if len(m.stack) > maxDepth {
			return nil, fmt.Errorf("more than %d values at once in its pickle", maxDepth)
		}
	}
}

func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.data)-m.at) {
		return nil, errCut
	}
	b := m.data[m.at : m.at+int(n)]
	m.at += int(n)
	return b, nil
}

// number reads a little-endian number of n bytes.
func (m *machine) number(n uint64) (uint64, error) {
	b, err := m.take(n)
	if err != nil {
		return 0, err
	}
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), nil
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return m.count()
}

// count bounds the values.
func (m *machine) count() error {
	if m.made++; m.made > maxValues {
		return fmt.Errorf("more than %d values", maxValues)
	}
	return nil
}

func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, errors.New("nothing on the stack")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// popTo takes what lies above the last mark, and the mark.
func (m *machine) popTo() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("no mark on the stack")
}

// line reads up to a line feed.
func (m *machine) line() (string, error) {
	for i := m.at; i < len(m.data) && i < m.at+256; i++ {
		if m.data[i] == '\n' {
			s := string(m.data[m.at:i])
			m.at = i + 1
			return s, nil
		}
	}
	return "", errCut
}

func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		_, err := m.take(1)
		return err
	case 0x95: // FRAME
		_, err := m.take(8)
		return err
	case '(':
		return m.push(mark{})
	case 'N':
		return m.push(nil)
	case 0x88, 0x89:
		return m.push(op == 0x88)
	case '}':
		return m.push(&dict{})
	case ']':
		return m.push(&list{})
	case ')':
		return m.push(tuple{})
	case 'K', 'M', 'J', 0x8a, 'G':
		return m.numeric(op)
	case 'X', 0x8c, 0x8d, 'U', 'C', 'B', 'T':
		return m.text(op)
	case 'q', 'r', 0x94, 'h', 'j':
		return m.remember(op)
	case 't', 0x85, 0x86, 0x87, 'a', 'e', 's', 'u':
		return m.collect(op)
	case 'c', 0x93:
		return m.global(op)
	case 'Q':
		return m.persistent()
	case 'R':
		return m.reduce()
	case 'b': // BUILD: an OrderedDict's attributes (_metadata), which hold no tensor
		if _, err := m.pop(); err != nil {
			return err
		}
		if len(m.stack) == 0 {
			return errors.New("nothing to build")
		}
		if _, ok := m.stack[len(m.stack)-1].(*dict); !ok {
			return errors.New("it builds something other than a dictionary of tensors")
		}
		return nil
	}
	return fmt.Errorf("opcode %#02x is not one that a file of tensors has", op)
}

func (m *machine) numeric(op byte) error {
	var n uint64
	var err error
	switch op {
	case 'K':
		n, err = m.number(1)
	case 'M':
		n, err = m.number(2)
	case 'J':
		n, err = m.number(4)
		n = uint64(int64(int32(n)))
	case 'G':
		b, err := m.take(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	default: // LONG1: of so many bytes, the last with the sign
		size, err := m.number(1)
		if err != nil {
			return err
		}
		if size > 8 {
			return errors.New("a number of more than 64 bits")
		}
		if n, err = m.number(size); err != nil {
			return err
		}
		if size > 0 && size < 8 && n>>(8*size-1) == 1 {
			n |= math.MaxUint64 << (8 * size)
		}
	}
	if err != nil {
		return err
	}
	return m.push(int64(n))
}

func (m *machine) text(op byte) error {
	width := map[byte]uint64{'X': 4, 0x8c: 1, 0x8d: 8, 'U': 1, 'C': 1, 'B': 4, 'T': 4}[op]
	n, err := m.number(width)
	if err != nil {
		return err
	}
	b, err := m.take(n)
	if err != nil {
		return err
	}
	return m.push(string(b))
}

func (m *machine) remember(op byte) error {
	width := map[byte]uint64{'q': 1, 'r': 4, 'h': 1, 'j': 4, 0x94: 0}[op]
	n, err := m.number(width)
	if err != nil {
		return err
	}
	if op == 'h' || op == 'j' {
		v, ok := m.memo[n]
		if !ok {
			return fmt.Errorf("value %d was not remembered", n)
		}
		return m.push(v)
	}
	if len(m.stack) == 0 {
		return errors.New("nothing to remember")
	}
	if op == 0x94 {
		n = uint64(len(m.memo))
	}
	m.memo[n] = m.stack[len(m.stack)-1]
	return m.count()
}

func (m *machine) collect(op byte) error {
	var items []any
	var err error
	switch op {
	case 't', 'e', 'u':
		items, err = m.popTo()
	case 0x85, 'a':
		items = make([]any, 1)
	case 0x86, 's':
		items = make([]any, 2)
	case 0x87:
		items = make([]any, 3)
	}
	if op != 't' && op != 'e' && op != 'u' {
		for i := len(items) - 1; i >= 0 && err == nil; i-- {
			items[i], err = m.pop()
		}
	}
	if err != nil {
		return err
	}
	m.made += len(items)
	if op == 't' || op >= 0x85 {
		return m.push(tuple(items))
	}
	if len(m.stack) == 0 {
		return errors.New("nothing to add to")
	}
	switch into := m.stack[len(m.stack)-1].(type) {
	case *list:
		if op == 'a' || op == 'e' {
			into.items = append(into.items, items...)
			return nil
		}
	case *dict:
		if (op == 's' || op == 'u') && len(items)%2 == 0 {
			for i := 0; i < len(items); i += 2 {
				into.keys, into.values = append(into.keys, items[i]), append(into.values, items[i+1])
			}
			return nil
		}
	}
	return errors.New("it adds to something that is not a list or a dictionary")
}

// global refuses every name but those of tensors: what else a pickle can name is
// code.
func (m *machine) global(op byte) error {
	var g global
	if op == 'c' {
		var err1, err2 error
		g.module, err1 = m.line()
		g.name, err2 = m.line()
		if err := errors.Join(err1, err2); err != nil {
			return errCut
		}
	} else {
		name, err1 := m.pop()
		module, err2 := m.pop()
		if err1 != nil || err2 != nil {
			return errCut
		}
		g.name, _ = name.(string)
		g.module, _ = module.(string)
	}
	if _, isStorage := kinds[g.name]; !known[g] && (!isStorage || g.module != "torch") {
		return fmt.Errorf("it names %.60q of %.60q: only tensors are read, never code; load it where you trust it and save safetensors", g.name, g.module)
	}
	return m.push(g)
}

// persistent makes a storage of ("storage", type, key, device, count).
func (m *machine) persistent() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	parts, ok := v.(tuple)
	if !ok || len(parts) != 5 || parts[0] != "storage" {
		return errors.New("a reference that is not to a storage")
	}
	kind, ok1 := parts[1].(global)
	key, ok2 := parts[2].(string)
	count, ok3 := parts[4].(int64)
	if !ok1 || !ok2 || !ok3 || count < 0 || kinds[kind.name] == "" {
		return errors.New("a storage of no known type")
	}
	return m.push(storage{kind.name, key, count})
}

func (m *machine) reduce() error {
	a, err1 := m.pop()
	f, err2 := m.pop()
	if err1 != nil || err2 != nil {
		return errCut
	}
	args, ok1 := a.(tuple)
	g, ok2 := f.(global)
	if !ok1 || !ok2 {
		return errors.New("it calls something that is not a tensor's")
	}
	switch g.name {
	case "OrderedDict":
		if len(args) == 0 {
			return m.push(&dict{})
		}
	case "_rebuild_parameter":
		if len(args) == 3 {
			if t, ok := args[0].(*tensor); ok {
				return m.push(t)
			}
		}
	case "_rebuild_tensor_v2":
		if len(args) >= 6 {
			s, ok1 := args[0].(storage)
			offset, ok2 := args[1].(int64)
			shape, ok3 := whole(args[2])
			steps, ok4 := whole(args[3])
			if ok1 && ok2 && ok3 && ok4 && len(shape) == len(steps) {
				return m.push(&tensor{s, offset, shape, steps})
			}
		}
	}
	return fmt.Errorf("%s with arguments that torch does not give it", g.name)
}

// whole returns a tuple of whole numbers that are not negative.
func whole(v any) ([]int64, bool) {
	t, ok := v.(tuple)
	if len(t) > maxDims {
		return nil, false
	}
	out := make([]int64, len(t))
	for i, x := range t {
		n, isInt := x.(int64)
		if !isInt || n < 0 {
			return nil, false
		}
		out[i] = n
	}
	return out, ok
}
