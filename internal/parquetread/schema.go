package parquetread

import (
	"errors"
	"fmt"
	"strings"
)

// Repetition of a column.
const (
	required = iota
	optional
	repeated
)

// shape is a column as its values are handed out. Levels are those of the format:
// the definition level from which on it is there, the repetition level at which a
// list goes on.
type shape struct {
	name        string
	kind        shapeKind
	optional    bool
	def         int // from which it is not null
	listDef     int // from which a list has an element
	rep         int // at which a list goes on
	element     *shape
	fields      []*shape
	leaf        *leaf
	first, last int // its leaves
}

type shapeKind int

const (
	scalarShape shapeKind = iota
	objectShape
	listShape
	mapShape
)

// leaf is a column that holds values.
type leaf struct {
	path     []string
	physical int64
	length   int
	def, rep int // the largest levels
	meaning  meaning
}

func (l *leaf) name() string { return strings.Join(l.path, ".") }

func (l *leaf) place(group int) string {
	return fmt.Sprintf("row group %d, column %q", group, l.name())
}

// builder walks over the stored schema.
type builder struct {
	elements []element
	leaves   []*leaf
}

func (f *File) buildSchema(elements []element) error {
	b := &builder{elements: elements}
	if len(elements) == 0 || elements[0].children <= 0 {
		return errors.New("it has no columns")
	}
	root := b.elements[0]
	b.elements = b.elements[1:]
	s, err := b.object(root, nil, 0, 0)
	if err != nil {
		return err
	}
	if len(b.elements) > 0 {
		return errDamaged
	}
	f.root, f.leaves = s, b.leaves
	return nil
}

// next is the next column: of one that repeats outside a list, the list.
func (b *builder) next(path []string, def, rep int) (*shape, error) {
	if len(b.elements) == 0 || len(path) > maxNesting {
		return nil, errDamaged
	}
	e := b.elements[0]
	switch e.repetition {
	case required:
	case optional:
		def++
	case repeated:
		def, rep = def+1, rep+1
	default:
		return nil, errDamaged
	}
	if e.repetition != repeated {
		return b.column(path, def, rep)
	}
	list := &shape{name: e.name, kind: listShape, def: def - 1, listDef: def, rep: rep, first: len(b.leaves)}
	var err error
	list.element, err = b.column(path, def, rep)
	list.last = len(b.leaves)
	return list, err
}

// column takes the next column whose levels, its own repetition included, are given.
func (b *builder) column(path []string, def, rep int) (s *shape, err error) {
	e := b.elements[0]
	b.elements = b.elements[1:]
	path = append(path[:len(path):len(path)], e.name)
	switch {
	case e.children < 0 || e.children == 0 && e.physical >= 0:
		s, err = b.scalar(e, path, def, rep)
	case e.children == 0:
		return nil, fmt.Errorf("column %q is a group without columns", strings.Join(path, "."))
	case e.isList() && e.children == 1 && len(b.elements) > 0 && b.elements[0].repetition == repeated:
		s, err = b.list(e, path, def, rep)
	case e.isMap() && e.children == 1 && len(b.elements) > 0 && b.elements[0].repetition == repeated && b.elements[0].children == 2:
		s, err = b.list(e, path, def, rep)
		if err == nil {
			s.kind = mapShape
			if key := s.element.fields[0]; key.kind != scalarShape {
				return nil, fmt.Errorf("column %q is a map whose keys are not plain values", strings.Join(path, "."))
			}
		}
	case e.logical.id >= logicalVariant:
		return nil, fmt.Errorf("column %q: values of the type %s are not read", strings.Join(path, "."), logicalNames[e.logical.id])
	default:
		s, err = b.object(e, path, def, rep)
	}
	if err != nil {
		return nil, err
	}
	s.name, s.optional, s.def = e.name, e.repetition == optional, def
	return s, nil
}

func (e *element) isList() bool { return e.logical.id == logicalList || e.converted == convertedList }
func (e *element) isMap() bool {
	return e.logical.id == logicalMap || e.converted == convertedMap || e.converted == convertedMapKeyValue
}

// list takes the repeated column within a list or map. What that holds is the
// element, unless it is itself the element: the rules for old files of the format's
// LogicalTypes.md.
func (b *builder) list(e element, path []string, def, rep int) (*shape, error) {
	inner := b.elements[0]
	def, rep = def+1, rep+1
	s := &shape{kind: listShape, listDef: def, rep: rep, first: len(b.leaves)}
	var err error
	if e.isMap() || inner.children != 1 || inner.name == "array" || inner.name == e.name+"_tuple" {
		s.element, err = b.column(path, def, rep)
	} else {
		b.elements = b.elements[1:]
		s.element, err = b.next(append(path[:len(path):len(path)], inner.name), def, rep)
	}
	s.last = len(b.leaves)
	return s, err
}

func (b *builder) object(e element, path []string, def, rep int) (*shape, error) {
	s := &shape{kind: objectShape, first: len(b.leaves)}
	seen := map[string]bool{}
	for range e.children {
		c, err := b.next(path, def, rep)
		if err != nil {
			return nil, err
		}
		if seen[c.name] {
			return nil, fmt.Errorf("two columns are called %q", strings.Join(append(path, c.name), "."))
		}
		seen[c.name] = true
		s.fields = append(s.fields, c)
	}
	s.last = len(b.leaves)
	return s, nil
}

func (b *builder) scalar(e element, path []string, def, rep int) (*shape, error) {
	l := &leaf{path: path, physical: e.physical, length: int(e.length), def: def, rep: rep}
	switch {
	case e.physical < boolean || e.physical > fixedBytes:
		return nil, fmt.Errorf("column %q has the unknown physical type %d", l.name(), e.physical)
	case e.physical == int96:
		l.length = 12
	case e.physical == fixedBytes && (e.length <= 0 || e.length > MaxRowBytes):
		return nil, fmt.Errorf("column %q has values of %d bytes", l.name(), e.length)
	}
	var err error
	if l.meaning, err = e.meaning(); err != nil {
		return nil, fmt.Errorf("column %q: %w", l.name(), err)
	}
	s := &shape{kind: scalarShape, leaf: l, first: len(b.leaves), last: len(b.leaves) + 1}
	b.leaves = append(b.leaves, l)
	return s, nil
}
