package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/maphash"
	"io"

	"github.com/softbench/softbench/internal/regularfile"
)

// errChanged is of a file that was written to while it was read.
var errChanged = errors.New("the file changed while it was read; run again when nothing writes to it")

// hashedFile is a file that is read out of order, after all of it was hashed in order. Each block
// that is read must be the block that was hashed: what is used is what the hash is of.
type hashedFile struct {
	r     io.ReaderAt
	size  int64
	sum   string // SHA-256 of all of it, lower-case hexadecimal
	seed  maphash.Seed
	sums  []uint64 // of each block
	block []byte   // the one read last
	index int      // its number
}

const hashBlock = 1 << 18

// hashFile hashes a file of size bytes.
func hashFile(ctx context.Context, r io.ReaderAt, size int64) (*hashedFile, error) {
	f := &hashedFile{r: r, size: size, seed: maphash.MakeSeed(), index: -1}
	h := sha256.New()
	in := regularfile.Reader(ctx, io.NewSectionReader(r, 0, size+1))
	b := make([]byte, hashBlock)
	total := int64(0)
	for {
		n, err := io.ReadFull(in, b)
		if n > 0 {
			h.Write(b[:n])
			f.sums = append(f.sums, maphash.Bytes(f.seed, b[:n]))
			total += int64(n)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if total != size {
		return nil, errChanged
	}
	f.sum = hex.EncodeToString(h.Sum(nil))
	return f, nil
}

// ReadAt is io.ReaderAt's, for one goroutine.
func (f *hashedFile) ReadAt(p []byte, at int64) (int, error) {
	n := 0
	for n < len(p) && at < f.size {
		if err := f.load(int(at / hashBlock)); err != nil {
			return n, err
		}
		k := copy(p[n:], f.block[at%hashBlock:])
		n, at = n+k, at+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *hashedFile) load(index int) error {
	if index == f.index {
		return nil
	}
	start := int64(index) * hashBlock
	if f.block == nil {
		f.block = make([]byte, 0, hashBlock)
	}
	f.block, f.index = f.block[:min(hashBlock, f.size-start)], -1
	if n, err := f.r.ReadAt(f.block, start); n < len(f.block) {
		if errors.Is(err, io.EOF) {
			return errChanged
		}
		return err
	}
	if maphash.Bytes(f.seed, f.block) != f.sums[index] {
		return errChanged
	}
	f.index = index
	return nil
}
