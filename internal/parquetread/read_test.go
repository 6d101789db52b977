package parquetread

import (
	"bytes"
	"context"
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

// check reads all rows.
func check(b []byte) error {
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	return f.Rows(context.Background(), func(int64, map[string]any) error { return nil })
}

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

// schema is that of one column of 64-bit integers.
func schema() field {
	root := object(field{4, thriftBinary, []byte("\x01r")}, number(5, 1))
	column := object(number(1, int64Type), number(3, required), field{4, thriftBinary, []byte("\x01n")})
	return list(2, 2, root, column)
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

// claims are those of a file of one column of numbers: a dictionary page of three and a
// data page of five.
type claims struct {
	rows, groupRows, values, size, data, dictionary, codec int64
	groups, columns                                        int
	dictionaryUnpacked, dictionaryPacked, dictionaryValues int64
	unpacked, packed, pageValues, levels                   int64
	body                                                   []byte
	elsewhere                                              bool
	cut                                                    int
}

// file has the claims, and pages of 24 and of 8 bytes.
func (c claims) file() []byte {
	first := object(number(1, 2), number(2, c.dictionaryUnpacked), number(3, c.dictionaryPacked), inner(7, number(1, c.dictionaryValues), number(2, 0)))
	second := object(number(1, 3), number(2, c.unpacked), number(3, c.packed), inner(8, number(1, c.pageValues), number(2, 0), number(3, c.pageValues), number(4, encRLEDictionary), number(5, c.levels), number(6, 0)))
	indices := []byte{2, 3, 0b10_01_00_00, 0b10, 0, 0, 0, 0} // of two bits, eight packed
	copy(indices, c.body)
	b := slices.Concat([]byte("PAR1"), first, make([]byte, 24), second, indices[:len(indices)-c.cut])
	if c.size < 0 {
		c.size = int64(len(b)) - 4
	}
	meta := inner(3, number(1, 6), number(4, c.codec), number(5, c.values), number(6, 32), number(7, c.size), number(9, c.data), number(11, c.dictionary))
	column := object(number(2, 4), meta)
	if c.elsewhere {
		column = object(field{1, thriftBinary, []byte("\x01x")}, number(2, 4), meta)
	}
	group := object(list(1, c.columns, column), number(2, 32), number(3, c.groupRows))
	footer := object(number(1, 1), schema(), number(3, c.rows), list(4, c.groups, group))
	b = append(b, footer...)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(footer))), "PAR1"...)
}

func honest() claims {
	return claims{rows: 5, groupRows: 5, values: 5, size: -1, data: 24, dictionary: 4, groups: 1, columns: 1,
		dictionaryUnpacked: 24, dictionaryPacked: 24, dictionaryValues: 3, unpacked: 4, packed: 4, pageValues: 5, cut: 4}
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
		"fewer rows":            {func(c *claims) { c.rows, c.groupRows = 4, 4 }, `row group 0, column "n": it has more than the 4 rows`},
		"more rows":             {func(c *claims) { c.rows, c.groupRows = 6, 6 }, `row 6: row group 0, column "n": it ends before its row group does`},
		"negative rows":         {func(c *claims) { c.groupRows = -1 }, "row group 0 would have -1 rows"},
		"values":                {func(c *claims) { c.values = huge }, "page 2: its head is damaged or cut off"},
		"negative values":       {func(c *claims) { c.values = -5 }, `row group 0, column "n" would have -5 values`},
		"size":                  {func(c *claims) { c.size = 1 << 40 }, `row group 0, column "n" would be 1099511627776 bytes from byte 4 on`},
		"offset":                {func(c *claims) { c.dictionary = 1 << 62 }, `row group 0, column "n" would be`},
		"negative offset":       {func(c *claims) { c.dictionary = -1 }, `row group 0, column "n" would be`},
		"size and offset":       {func(c *claims) { c.size, c.dictionary = 1<<63-1, 100 }, `row group 0, column "n" would be`},
		"another file":          {func(c *claims) { c.elsewhere = true }, `row group 0, column "n" is in another file`},
		"codec":                 {func(c *claims) { c.codec = 9 }, "page 0: the codec with the number 9 is not known here"},
		"LZO":                   {func(c *claims) { c.codec = codecLZO }, "page 0: the codec LZO is not read"},
		"Hadoop's LZ4":          {func(c *claims) { c.codec = codecLZ4 }, "page 0: the old codec LZ4"},
		"dictionary's size":     {func(c *claims) { c.dictionaryPacked = huge }, "page 0: it would be 2147483647 bytes, where"},
		"dictionary unpacked":   {func(c *claims) { c.dictionaryUnpacked = 1<<30 + 1 }, "page 0: it would take 1073741849 bytes of memory"},
		"dictionary's values":   {func(c *claims) { c.dictionaryValues = huge }, "page 0: it would have 2147483647 values"},
		"more in a dictionary":  {func(c *claims) { c.dictionaryValues = 4 }, "page 0: its values are cut off"},
		"fewer in a dictionary": {func(c *claims) { c.dictionaryValues = 2 }, "page 0: it has more bytes than its values"},
		"an index too large":    {func(c *claims) { c.body = []byte{2, 3, 0b11} }, "page 1: a value with the number 3 of a dictionary of 3"},
		"page's size":           {func(c *claims) { c.packed = 1000 }, "page 1: it would be 1000 bytes, where 4 are left"},
		"negative page":         {func(c *claims) { c.packed = -1 }, "page 1: a size is negative"},
		"page unpacked":         {func(c *claims) { c.unpacked = huge }, "page 1: it would take"},
		"page's values":         {func(c *claims) { c.pageValues = huge }, "page 1: it would have 2147483647 values"},
		"values all over":       {func(c *claims) { c.values, c.pageValues = huge, huge }, "page 1: it would have 2147483647 values"},
		"a value too many":      {func(c *claims) { c.pageValues = 6 }, "page 1: it would have 6 values, where 5 are left"},
		"levels":                {func(c *claims) { c.levels = 5 }, "page 1: it would have 0 and 5 bytes of levels in 4"},
		"negative levels":       {func(c *claims) { c.levels = -1 }, "page 1: it would have 0 and -1 bytes"},
	} {
		claimed := honest()
		c.claim(&claimed)
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

// What unpacks to more or less than its head says is refused, by each codec, and no
// more is unpacked than that.
func TestUnpackExactly(t *testing.T) {
	data := bytes.Repeat([]byte("ab"), 50_000)
	for id, codec := range map[int64]compress.Codec{codecSnappy: &parquet.Snappy, codecGzip: &parquet.Gzip, codecBrotli: &parquet.Brotli,
		codecZstd: &parquet.Zstd, codecLZ4Raw: &parquet.Lz4Raw, codecNone: &parquet.Uncompressed} {
		packed, err := codec.Encode(nil, data)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := unpack(id, packed, len(data)); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%v: %d bytes, %v", codec, len(got), err)
		}
		for _, size := range []int{0, 1, len(data) - 1, len(data) + 1} {
			if _, err := unpack(id, packed, size); err == nil {
				t.Errorf("%v: %d bytes unpack to %d", codec, len(data), size)
			}
		}
		if _, err := unpack(id, packed[:len(packed)/2], len(data)); err == nil {
			t.Errorf("%v: half of it unpacks", codec)
		}
	}
	if _, err := unpack(codecSnappy, []byte("\xff\xff\xff\xff\x0f"), 4); err == nil || !strings.Contains(err.Error(), "claims to be 4294967295 bytes") {
		t.Errorf("a claim of 4 GiB: %v", err)
	}
}

// FuzzParquet: no content panics or takes much memory, and an error is one line.
func FuzzParquet(f *testing.F) {
	f.Add(written(f, 3))
	f.Add(written(f, 30, parquet.Compression(&parquet.Zstd), parquet.DataPageVersion(1)))
	f.Add(honest().file())
	for _, claim := range []func(c *claims){
		func(c *claims) { c.groups = 1 << 30 }, func(c *claims) { c.columns = 1 << 30 }, func(c *claims) { c.rows, c.groupRows = 1<<62, 1<<62 },
		func(c *claims) { c.unpacked = 1<<31 - 1 }, func(c *claims) { c.dictionaryValues = 1<<31 - 1 },
		func(c *claims) { c.codec, c.body = codecSnappy, []byte("\xff\xff\xff\xff\x0f") },
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
