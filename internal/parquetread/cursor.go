package parquetread

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
)

// cursor goes over a column's entries in one row group: levels, and a value where the
// definition level is the column's largest.
type cursor struct {
	file   *File
	ctx    context.Context
	leaf   *leaf
	chunk  chunk
	place  string
	budget *budget

	at, last int64 // where the next page is, and where the last ends
	page     int
	seen     int64 // entries of the pages so far
	rows     int64 // of them, those that begin a row

	left       int     // entries of the page that are to come
	reps, defs *hybrid // nil: all zero
	values     decoder
	indices    *hybrid // of a page whose values are in the dictionary
	dictionary []entry
	held, kept int64 // bytes of the page and of the dictionary

	nulls, wantNulls, wantRows int64 // of a page of version 2; -1: not known

	ready    bool // an entry was looked at and not taken
	ended    bool
	rep, def int
}

// entry is a dictionary's value, and how many bytes it has.
type entry struct {
	value any
	bytes int
}

// budget is what a reader may hold and a row may have.
type budget struct {
	pages            int64 // bytes of the pages that are open
	rowBytes, values int   // of the row
}

func tooManyBytes() error {
	return fmt.Errorf("the row is larger than %d bytes, the most that a document may have", MaxRowBytes)
}

func (c *cursor) fail(err error) error {
	if ctxErr := c.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	return fmt.Errorf("%s: page %d: %w", c.place, max(c.page-1, 0), err)
}

// peek looks at the next entry. Behind the last one ended is set.
func (c *cursor) peek() error {
	if c.ready || c.ended {
		return nil
	}
	for c.left == 0 {
		if err := c.endPage(); err != nil {
			return c.fail(err)
		}
		if c.seen == c.chunk.values {
			c.ended = true
			return nil
		}
		if err := c.load(); err != nil {
			return c.fail(err)
		}
	}
	var err error
	if c.rep, err = level(c.reps, c.leaf.rep); err != nil {
		return c.fail(err)
	}
	if c.def, err = level(c.defs, c.leaf.def); err != nil {
		return c.fail(err)
	}
	if c.rep == 0 {
		c.rows++
	}
	if c.def < c.leaf.def {
		c.nulls++
	}
	c.left--
	c.ready = true
	return nil
}

func level(h *hybrid, most int) (int, error) {
	if h == nil {
		return 0, nil
	}
	v, err := h.next()
	if err == nil && int(v) > most {
		err = fmt.Errorf("a level of %d, where the largest is %d", v, most)
	}
	return int(v), err
}

// take takes the entry that was looked at, and its value where there is one.
func (c *cursor) take() (any, error) {
	c.ready = false
	if c.budget.values++; c.budget.values > MaxRowValues {
		return nil, fmt.Errorf("%s: the row has more than %d values, the most that a document may have", c.place, MaxRowValues)
	}
	if c.budget.values&0xfff == 0 && c.ctx.Err() != nil {
		return nil, c.ctx.Err()
	}
	if c.def < c.leaf.def {
		return nil, nil
	}
	e, err := c.value()
	if err == nil {
		if c.budget.rowBytes += e.bytes; c.budget.rowBytes > MaxRowBytes {
			err = tooManyBytes()
		}
	}
	if err != nil {
		return nil, c.fail(err)
	}
	return e.value, nil
}

func (c *cursor) value() (entry, error) {
	if c.indices != nil {
		i, err := c.indices.next()
		if err == nil && int(i) >= len(c.dictionary) {
			err = fmt.Errorf("a value with the number %d of a dictionary of %d", i, len(c.dictionary))
		}
		if err != nil {
			return entry{}, err
		}
		return c.dictionary[i], nil
	}
	if c.values == nil {
		return entry{}, errShort
	}
	v, err := c.values.next()
	if err != nil {
		return entry{}, err
	}
	if c.budget.rowBytes+len(v.b) > MaxRowBytes {
		return entry{}, tooManyBytes()
	}
	out, err := c.leaf.meaning(v)
	return entry{out, len(v.b)}, err
}

// load reads the next page, and the dictionary before it.
func (c *cursor) load() error {
	for {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		c.page++
		p, n, err := readHead(c.file.r, c.at, c.last)
		if err != nil {
			return err
		}
		body := c.at + n
		c.at = body + p.packed
		if p.kind == indexPage {
			continue
		}
		if err := c.hold(p); err != nil {
			return err
		}
		levels, values, err := p.body(c.file.r, body, c.chunk.codec)
		if err != nil {
			return err
		}
		if p.kind == dictionaryPage {
			if err := c.readDictionary(p, values); err != nil {
				return err
			}
			continue
		}
		if p.values > c.chunk.values-c.seen {
			return fmt.Errorf("it would have %d values, where %d are left", p.values, c.chunk.values-c.seen)
		}
		c.seen += p.values
		c.left = int(p.values)
		return c.open(p, levels, values)
	}
}

// hold counts what a page takes, for as long as it is open.
func (c *cursor) hold(p page) error {
	size := p.packed + p.unpacked
	if p.kind == dictionaryPage {
		size += 48 * p.values
		c.budget.pages += size - c.kept
		c.kept = size
	} else {
		c.budget.pages += size - c.held
		c.held = size
	}
	if c.budget.pages > MaxPages {
		return fmt.Errorf("the pages of one row group that are open at once take more than %d bytes of memory", int64(MaxPages))
	}
	return nil
}

func (c *cursor) readDictionary(p page, b []byte) error {
	if c.dictionary != nil || c.seen > 0 {
		return errors.New("a second dictionary, or one behind values")
	}
	if p.encoding != encPlain && p.encoding != encPlainDictionary {
		return fmt.Errorf("a dictionary in the encoding with the number %d is not read", p.encoding)
	}
	d, err := c.leaf.values(encPlain, b, int(p.values))
	if err != nil {
		return err
	}
	c.dictionary = make([]entry, 0, p.values)
	for i := range p.values {
		if i&0xfff == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		v, err := d.next()
		if err != nil {
			return err
		}
		value, err := c.leaf.meaning(v)
		if err != nil {
			return err
		}
		c.dictionary = append(c.dictionary, entry{value, len(v.b)})
	}
	return d.end()
}

// open sets up the levels and values of a data page.
func (c *cursor) open(p page, levels, b []byte) (err error) {
	c.reps, c.defs, c.values, c.indices = nil, nil, nil, nil
	c.nulls, c.rows, c.wantNulls, c.wantRows = 0, 0, -1, -1
	repWidth, defWidth := bits.Len(uint(c.leaf.rep)), bits.Len(uint(c.leaf.def))
	if p.kind == dataPageV2 {
		if repWidth > 0 {
			c.reps = &hybrid{b: levels[:p.repLength], width: repWidth}
			c.wantRows = p.rows
		} else {
			c.wantNulls, c.wantRows = p.nulls, p.rows
		}
		if defWidth > 0 {
			c.defs = &hybrid{b: levels[p.repLength:], width: defWidth}
		}
	} else {
		if repWidth > 0 {
			if c.reps, b, err = levelsOf(p.repEncoding, b, repWidth); err != nil {
				return err
			}
		}
		if defWidth > 0 {
			if c.defs, b, err = levelsOf(p.defEncoding, b, defWidth); err != nil {
				return err
			}
		}
	}
	switch p.encoding {
	case encPlainDictionary, encRLEDictionary:
		switch {
		case c.dictionary == nil:
			return errors.New("its dictionary is missing")
		case len(b) == 0: // as where all values are null
			c.indices = &hybrid{}
			return nil
		case b[0] > 32:
			return fmt.Errorf("dictionary indices of %d bits", b[0])
		}
		c.indices = &hybrid{b: b[1:], width: int(b[0])}
		return nil
	}
	if len(b) == 0 { // no values, whatever the encoding
		return nil
	}
	c.values, err = c.leaf.values(p.encoding, b, int(p.values))
	return err
}

// levelsOf takes the levels of a page of version 1 off its front.
func levelsOf(encoding int64, b []byte, width int) (*hybrid, []byte, error) {
	if encoding != encRLE {
		return nil, nil, fmt.Errorf("levels in the encoding %s are not read", encodingNames[encoding])
	}
	return lengthPrefixed(b, width)
}

// endPage checks that a page had what its head says, and no more.
func (c *cursor) endPage() error {
	if c.page == 0 {
		return nil
	}
	switch {
	case c.wantNulls >= 0 && c.nulls != c.wantNulls:
		return fmt.Errorf("%d nulls, its head says %d", c.nulls, c.wantNulls)
	case c.wantRows >= 0 && c.rows != c.wantRows:
		return fmt.Errorf("%d rows, its head says %d", c.rows, c.wantRows)
	}
	if c.values != nil {
		return c.values.end()
	}
	if c.indices != nil {
		return c.indices.end()
	}
	return nil
}
