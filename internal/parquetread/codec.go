package parquetread

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Codecs.
const (
	codecNone   = 0
	codecSnappy = 1
	codecGzip   = 2
	codecLZO    = 3
	codecBrotli = 4
	codecLZ4    = 5 // of Hadoop, in frames that no two writers agree on
	codecZstd   = 6
	codecLZ4Raw = 7
)

// maxWindow bounds what Zstandard keeps of what it wrote: the largest its own
// command uses without being asked.
const maxWindow = 128 << 20

// unpack returns what packed unpacks to, which must be exactly size bytes.
func unpack(codec int64, packed []byte, size int) ([]byte, error) {
	var name string
	var err error
	switch codec {
	case codecNone:
		if len(packed) != size {
			return nil, fmt.Errorf("%d bytes that are not packed, its head says %d", len(packed), size)
		}
		return packed, nil
	case codecSnappy:
		name = "Snappy"
		var n int
		if n, err = snappy.DecodedLen(packed); err == nil && n != size {
			return nil, fmt.Errorf("its data claims to be %d bytes unpacked, its head says %d", n, size)
		}
		if err == nil {
			var out []byte
			if out, err = snappy.Decode(make([]byte, size), packed); err == nil {
				return out, nil
			}
		}
	case codecGzip:
		name = "gzip"
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(packed)); err == nil {
			return exactly(name, r, size)
		}
	case codecBrotli:
		return exactly("Brotli", brotli.NewReader(bytes.NewReader(packed)), size)
	case codecZstd:
		name = "Zstandard"
		var r *zstd.Decoder
		r, err = zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err == nil {
			defer r.Close()
			return exactly(name, r, size)
		}
	case codecLZ4Raw:
		name = "LZ4"
		out := make([]byte, size)
		var n int
		if n, err = lz4.UncompressBlock(packed, out); err == nil && n == size {
			return out, nil
		}
		if err == nil {
			err = fmt.Errorf("it unpacks to %d bytes, its head says %d", n, size)
		}
	case codecLZO:
		return nil, errors.New("the codec LZO is not read; write the file with another")
	case codecLZ4:
		return nil, errors.New("the old codec LZ4 (in Hadoop's frames) is not read; write the file with LZ4_RAW or another")
	default:
		return nil, fmt.Errorf("the codec with the number %d is not known here", codec)
	}
	return nil, fmt.Errorf("its %s data is damaged: %w", name, err)
}

// exactly reads size bytes, behind which there must be nothing.
func exactly(name string, r io.Reader, size int) ([]byte, error) {
	out := make([]byte, size)
	n, err := io.ReadFull(r, out)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) && size > 0 {
		return nil, fmt.Errorf("its %s data unpacks to %d bytes, its head says %d", name, n, size)
	}
	if err != nil && size > 0 {
		return nil, fmt.Errorf("its %s data is damaged: %w", name, err)
	}
	var more [1]byte
	switch n, err := io.ReadFull(r, more[:]); {
	case n > 0:
		return nil, fmt.Errorf("its %s data unpacks to more than the %d bytes its head says", name, size)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("its %s data is damaged: %w", name, err)
	}
	return out, nil
}
