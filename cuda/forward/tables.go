package forward

import (
	"fmt"

	"github.com/softbench/softbench/cuda/device"
)

// tables says where a plan's tables lie on the device.
type tables struct {
	ids, slot, kept device.Ptr // int [rows]
	first           device.Ptr // int [rows]: of each row of h, where it begins, in words of 4 bytes
	cos, sin        device.Ptr // float [rows, head size / 2]
	logN            device.Ptr // float [rows]: ln(position+2)
	tiles, last     device.Ptr // tile
	runs            device.Ptr // run
}

// tables lays a plan's tables out one after the other, in b.table, to be uploaded at
// once. Those of other plans stay as they are: they may be under way, or wait for it.
func (b *Backend) tables(p *plan) (tables, error) {
	var t tables
	b.table = nil
	if n := len(b.spare); n > 0 {
		b.table, b.spare = b.spare[n-1][:0], b.spare[:n-1]
	}
	rows, pairs := len(p.ids), b.config.HeadDim/2
	b.putInts(&t.ids, p.ids)
	b.putInts(&t.slot, p.slot)
	b.putInts(&t.kept, p.kept)
	first := make([]int32, rows)
	for i := range first {
		first[i] = int32(i * b.config.Hidden * b.mode.Bytes() / 4)
	}
	b.putInts(&t.first, first)
	cos, sin := b.room(&t.cos, 4*rows*pairs), b.room(&t.sin, 4*rows*pairs)
	logN := b.room(&t.logN, 4*rows)
	for i, position := range p.position {
		c, s := b.rope.at(int(position))
		putFloats(b.table[cos+4*i*pairs:], c)
		putFloats(b.table[sin+4*i*pairs:], s)
		putFloats(b.table[logN+4*i:], []float32{logPosition(position)})
	}
	b.putTiles(&t.tiles, p.tiles)
	b.putTiles(&t.last, p.last)
	at := b.room(&t.runs, runBytes*len(p.runs))
	for i, r := range p.runs {
		putInts(b.table[at+runBytes*i:], []int32{r.start, r.slot})
	}
	if room := tableBytes(&b.config, b.sizes); int64(len(b.table)) > room {
		return t, fmt.Errorf("cuda: the tables of %d rows take %d bytes, %d are planned: this is a fault of softbench", rows, len(b.table), room)
	}
	return t, nil
}

// room adds bytes to the table, aligned, and says where they are there and on
// the device.
func (b *Backend) room(to *device.Ptr, bytes int) int {
	at := int(device.RoundUp(int64(len(b.table))))
	*to = b.scratch.tables + device.Ptr(at)
	b.table = append(b.table, make([]byte, at+bytes-len(b.table))...)
	return at
}

func (b *Backend) putInts(to *device.Ptr, x []int32) {
	at := b.room(to, 4*len(x))
	putInts(b.table[at:], x)
}

func (b *Backend) putTiles(to *device.Ptr, list []tile) {
	at := b.room(to, tileBytes*len(list))
	for i, t := range list {
		putInts(b.table[at+tileBytes*i:], []int32{t.row, t.rows, t.position, t.run, t.runs})
	}
}
