// Package parquetcheck looks at what a Parquet file claims of itself before a
// reader takes memory for it: that the metadata and every page lie in the file,
// that no list has more elements than bytes, that the counts of rows fit, and
// that no row group takes more memory than Most.
//
// It owns these checks. It must not know what the columns mean, and reads no value:
// pages may still hold anything.
package parquetcheck
