package parquetcheck

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

type row struct {
	Text  string   `parquet:"text,dict"`
	Maybe *int64   `parquet:"maybe,optional"`
	List  []string `parquet:"list,list"`
	Yes   bool     `parquet:"yes"`
	Size  float64  `parquet:"size"`
}

func written(t testing.TB, rows int, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, options...)
	for i := range rows {
		r := row{Text: fmt.Sprint("text ", i%7), Yes: i%3 == 0, Size: float64(i)}
		if i%2 == 0 {
			r.Maybe = new(int64)
		}
		for k := range i % 4 {
			r.List = append(r.List, strings.Repeat("x", k*100))
		}
		if _, err := w.Write([]row{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func check(b []byte) error { return Check(bytes.NewReader(b), int64(len(b))) }

// Files that a writer made pass: either version of pages, every codec, pages and
// row groups of any size, nothing in them at all.
func TestWrittenFilesPass(t *testing.T) {
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Brotli, &parquet.Zstd, &parquet.Lz4Raw} {
		for version := 1; version <= 2; version++ {
			for _, rows := range []int{0, 1, 3000} {
				b := written(t, rows, parquet.Compression(codec), parquet.DataPageVersion(version), parquet.MaxRowsPerRowGroup(1000),
					parquet.PageBufferSize(4096), parquet.DataPageStatistics(true))
				if err := check(b); err != nil {
					t.Errorf("%v, pages of version %d, %d rows: %v", codec, version, rows, err)
				}
			}
		}
	}
}

// Cut anywhere, a file is refused.
func TestCutFilesAreRefused(t *testing.T) {
	b := written(t, 20)
	for n := range b {
		if err := check(b[:n]); err == nil {
			t.Fatalf("%d of %d bytes pass", n, len(b))
		}
	}
}

// What follows writes Thrift's compact protocol, to claim anything.

type field struct {
	id    int
	kind  byte
	value []byte
}

func number(id int, v int64) field {
	return field{id, thriftInt64, binary.AppendUvarint(nil, uint64(v<<1^v>>63))}
}

func object(fields ...field) []byte {
	var b []byte
	last := 0
	for _, f := range fields {
		b = append(b, byte(f.id-last)<<4|f.kind)
		b = append(b, f.value...)
		last = f.id
	}
	return append(b, 0)
}

func inner(id int, fields ...field) field { return field{id, thriftStruct, object(fields...)} }

func list(id, claimed int, elements ...[]byte) field {
	b := binary.AppendUvarint([]byte{0xf0 | thriftStruct}, uint64(claimed))
	return field{id, thriftList, append(b, slices.Concat(elements...)...)}
}

// claims are those of a file of one column: a dictionary page and a data page.
type claims struct {
	rows, groupRows, values, size, data, dictionary, codec int64
	groups, columns                                        int
	dictionaryUnpacked, dictionaryPacked, dictionaryValues int64
	unpacked, packed, pageValues, levels                   int64
	body                                                   []byte
	elsewhere                                              bool
}

// file has the claims, and pages of 20 bytes each.
func (c claims) file() []byte {
	first := object(number(1, 2), number(2, c.dictionaryUnpacked), number(3, c.dictionaryPacked), inner(7, number(1, c.dictionaryValues), number(2, 0)))
	second := object(number(1, 3), number(2, c.unpacked), number(3, c.packed), inner(8, number(1, c.pageValues), number(2, 0), number(3, 0), number(4, 8), number(5, c.levels), number(6, 0)))
	b := slices.Concat([]byte("PAR1"), first, make([]byte, 20), second, make([]byte, 20))
	copy(b[len(b)-20:], c.body)
	if c.size < 0 {
		c.size = int64(len(b)) - 4
	}
	meta := inner(3, number(1, 6), number(4, c.codec), number(5, c.values), number(6, 40), number(7, c.size), number(9, c.data), number(11, c.dictionary))
	column := object(number(2, 4), meta)
	if c.elsewhere {
		column = object(field{1, thriftBinary, []byte("\x01x")}, number(2, 4), meta)
	}
	group := object(list(1, c.columns, column), number(2, 40), number(3, c.groupRows))
	footer := object(number(1, 1), number(3, c.rows), list(4, c.groups, group))
	b = append(b, footer...)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(footer))), "PAR1"...)
}

func honest() claims {
	return claims{rows: 5, groupRows: 5, values: 5, size: -1, data: 24, dictionary: 4, groups: 1, columns: 1,
		dictionaryUnpacked: 20, dictionaryPacked: 20, dictionaryValues: 3, unpacked: 20, packed: 20, pageValues: 5}
}

// Each claim that the file cannot hold is refused by name, and next to no memory
// is taken for it.
func TestClaims(t *testing.T) {
	if err := check(honest().file()); err != nil {
		t.Fatal(err)
	}
	const huge = 1<<31 - 1
	for name, c := range map[string]struct {
		claim func(c *claims)
		want  string
	}{
		"row groups":            {func(c *claims) { c.groups = huge }, "its metadata is damaged"},
		"columns":               {func(c *claims) { c.columns = huge }, "its metadata is damaged"},
		"rows of the file":      {func(c *claims) { c.rows = huge }, "its row groups have 5 rows, its metadata promises 2147483647"},
		"rows of a group":       {func(c *claims) { c.groupRows = huge }, "row group 0 would have 2147483647 rows of 5"},
		"negative rows":         {func(c *claims) { c.groupRows = -1 }, "row group 0 would have -1 rows"},
		"values":                {func(c *claims) { c.values = huge }, "row group 0 column 0: page 2: its head is damaged or cut off"},
		"negative values":       {func(c *claims) { c.values = -5 }, "row group 0 column 0 would have -5 values"},
		"size":                  {func(c *claims) { c.size = 1 << 40 }, "row group 0 column 0 would be 1099511627776 bytes from byte 4 on"},
		"offset":                {func(c *claims) { c.dictionary = 1 << 62 }, "row group 0 column 0 would be"},
		"negative offset":       {func(c *claims) { c.dictionary = -1 }, "row group 0 column 0 would be"},
		"size and offset":       {func(c *claims) { c.size, c.dictionary = 1<<63-1, 100 }, "row group 0 column 0 would be"},
		"another file":          {func(c *claims) { c.elsewhere = true }, "row group 0 column 0 is in another file"},
		"dictionary's size":     {func(c *claims) { c.dictionaryPacked = huge }, "page 0 would be 2147483647 bytes, where"},
		"dictionary unpacked":   {func(c *claims) { c.dictionaryUnpacked = 1<<30 + 1 }, "page 0 would take more than 1073741824 bytes"},
		"dictionary's values":   {func(c *claims) { c.dictionaryValues = huge }, "page 0: a dictionary of 2147483647 values in 20 bytes"},
		"page's size":           {func(c *claims) { c.packed = 1000 }, "page 1 would be 1000 bytes, where 20 are left"},
		"negative page":         {func(c *claims) { c.packed = -1 }, "page 1: a size or count is negative"},
		"page unpacked":         {func(c *claims) { c.unpacked = huge }, "page 1 would take more than"},
		"page's values":         {func(c *claims) { c.pageValues = huge }, "page 1 would have 2147483647 values, where 5 are left"},
		"values all over":       {func(c *claims) { c.values, c.pageValues = huge, huge }, "page 1 would take more than"},
		"levels":                {func(c *claims) { c.levels = 21 }, "page 1 would have 21 bytes of levels in 20"},
		"negative levels":       {func(c *claims) { c.levels = -1 }, "page 1: its head is damaged"},
		"pages of one group":    {func(c *claims) { c.dictionaryUnpacked, c.unpacked = 600<<20, 600<<20 }, "more than 1073741824 bytes of memory to read one row group"},
		"what Snappy unpacks":   {func(c *claims) { c.codec, c.body = snappy, []byte("\xff\xff\xff\xff\x0f") }, "claims to be 4294967295 bytes unpacked, its head says 20"},
		"what Zstandard's does": {func(c *claims) { c.codec, c.body = zstd, []byte("\x28\xb5\x2f\xfd\xa0\xff\xff\xff\x7f") }, "claims to be 2147483647 bytes unpacked, its head says 20"},
	} {
		claimed := honest()
		c.claim(&claimed)
		if claimed.codec == snappy { // the dictionary page is empty, as Snappy has it
			claimed.dictionaryUnpacked, claimed.dictionaryValues = 0, 0
		}
		b := claimed.file()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := check(b)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
			t.Errorf("%s: %d bytes of memory were taken", name, used)
		}
	}
}

// The lengths that packed data begins with, as their formats write them.
func TestUnpackedLengths(t *testing.T) {
	for _, size := range []int{0, 1, 255, 256, 300, 65791, 65792, 1 << 20} {
		data := bytes.Repeat([]byte("ab"), size)[:size]
		for codec, c := range map[int64]struct {
			by     compress.Codec
			length func([]byte) (uint64, bool)
		}{snappy: {&parquet.Snappy, snappyLength}, zstd: {&parquet.Zstd, zstdLength}} {
			b, err := c.by.Encode(nil, data)
			if err != nil {
				t.Fatal(err)
			}
			if n, known := c.length(b); known && n != uint64(size) || !known && codec == snappy {
				t.Errorf("%v of %d bytes: %d, known %t", c.by, size, n, known)
			}
		}
	}
	for _, c := range []struct {
		head string
		want uint64
	}{
		{"\x28\xb5\x2f\xfd\x20\x07", 7}, {"\x28\xb5\x2f\xfd\x60\x01\x00", 257}, {"\x28\xb5\x2f\xfd\x80\x00\x01\x00\x00\x00", 1},
		{"\x28\xb5\x2f\xfd\xe3\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00", 1 << 32},
	} {
		if n, known := zstdLength([]byte(c.head)); !known || n != c.want {
			t.Errorf("%x: %d, %t; want %d", c.head, n, known, c.want)
		}
	}
}

// FuzzCheck: no content panics or takes much memory, and an error is one line.
func FuzzCheck(f *testing.F) {
	f.Add(written(f, 3))
	f.Add(written(f, 30, parquet.Compression(&parquet.Zstd), parquet.DataPageVersion(1)))
	f.Add(honest().file())
	for _, claim := range []func(c *claims){
		func(c *claims) { c.groups = 1 << 30 }, func(c *claims) { c.columns = 1 << 30 }, func(c *claims) { c.rows, c.groupRows = 1<<62, 1<<62 },
		func(c *claims) { c.unpacked = 1<<31 - 1 }, func(c *claims) { c.dictionaryValues = 1<<31 - 1 },
		func(c *claims) { c.codec, c.body = snappy, []byte("\xff\xff\xff\xff\x0f") },
	} {
		c := honest()
		claim(&c)
		f.Add(c.file())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := check(b); err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("an error of more than one line: %q", err)
		}
	})
}
