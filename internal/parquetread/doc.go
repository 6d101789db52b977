// Package parquetread reads the rows of Parquet files: every codec, encoding and
// page version that pyarrow, DuckDB and Polars write, lists, structs and maps, as
// plain Go values. What it does not read it refuses by name.
//
// It decodes pages itself because the library that writes our own files cannot be
// trusted to read others' (parquet-go 0.32.0: where an LZ4 page's length is that of
// the codec's buffer, the buffer is thrown away and the values come out empty or
// shifted; booleans with the encoding RLE, as data page version 2 has them, come out
// false; a version 2 page of empty lists alone ends in a nil pointer). Here each page
// must unpack to exactly the length its head states, each checksum that is there must
// hold, each stream of values must end where the page ends, all columns must agree on
// where a row and a list begin, and the counts of values, nulls and rows must be those
// the file states.
//
// It takes no memory for what a file claims before that is checked: rows have at most
// MaxRowBytes and MaxRowValues, the pages open at once at most MaxPages bytes. It must
// not know what the columns mean.
package parquetread
