package checkpoint

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/rescue"
)

// chunk is the unit of parallel passes over weights, in bytes: a multiple of
// every element's width and of 64.
const chunk = 4 << 20

// pieces calls visit for every chunk of the tensors' data from as many
// goroutines as there are threads (0: CPUs): tensor i, and the byte its chunk starts at. It
// stops early once one fails or the context ends, and returns the error of the
// first failing piece in tensor order among those seen.
//
// A mapped file that is cut short by someone else, or on a failing disk, faults
// when touched: that becomes an error too.
func pieces(ctx context.Context, threads int, tensors []*safetensors.Tensor, visit func(i, at int, data []byte) error) error {
	type piece struct{ tensor, at int }
	var all []piece
	for i, t := range tensors {
		for at := 0; at < len(t.Data); at += chunk {
			all = append(all, piece{i, at})
		}
	}
	return inParallel(ctx, threads, len(all), func(n int) error {
		p := all[n]
		data := tensors[p.tensor].Data
		return visit(p.tensor, p.at, data[p.at:min(p.at+chunk, len(data))])
	})
}

// suspects is pieces for tensors that are decoded: visit sees every row but those that
// are known to be finite.
func (k *Checkpoint) suspects(ctx context.Context, tensors []*safetensors.Tensor, visit func(t *safetensors.Tensor, i int, row []float32) error) error {
	type piece struct{ tensor, from, to int }
	var all []piece
	for i, t := range tensors {
		if t.Elements() == 0 {
			continue
		}
		step := max(1, chunk/4/(t.Elements()/t.Shape[0]))
		for from := 0; from < t.Shape[0]; from += step {
			all = append(all, piece{i, from, min(from+step, t.Shape[0])})
		}
	}
	return inParallel(ctx, k.threads, len(all), func(n int) error {
		p := all[n]
		t := tensors[p.tensor]
		row := make([]float32, t.Elements()/t.Shape[0])
		for i := p.from; i < p.to; i++ {
			if t.RowFinite(i) {
				continue
			}
			t.RowF32(i, row)
			if err := visit(t, i, row); err != nil {
				return err
			}
		}
		return nil
	})
}

// inParallel does n pieces of work as pieces says.
func inParallel(ctx context.Context, threads, count int, one func(n int) error) error {
	var (
		next   atomic.Int64
		failed atomic.Bool
		errs   = make([]error, count)
		wg     rescue.Group
	)
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	for range min(threads, count) {
		wg.Go(func() {
			for !failed.Load() && ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= count {
					return
				}
				if errs[n] = safetensors.Guard(func() error { return one(n) }); errs[n] != nil {
					failed.Store(true)
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return cmp.Or(errs...)
}

// checkFinite refuses weights that are NaN or infinite, naming the first found.
func (k *Checkpoint) checkFinite(ctx context.Context) error {
	var plain, decoded []*safetensors.Tensor
	for _, t := range k.used {
		if t.Decoded() {
			decoded = append(decoded, t)
		} else {
			plain = append(plain, t)
		}
	}
	err := pieces(ctx, k.threads, plain, func(i, at int, data []byte) error {
		t := plain[i]
		if !anyNonFinite(t.DType, data) {
			return nil
		}
		width := t.DType.Bits() / 8
		for j := 0; j < len(data)/width; j++ {
			var v [1]float32
			safetensors.Decode(t.DType, v[:], data[j*width:])
			if notFinite(v[0]) {
				return k.nonFinite(t, v[0], at/width+j)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return k.suspects(ctx, decoded, func(t *safetensors.Tensor, i int, row []float32) error {
		for j, x := range row {
			if notFinite(x) {
				return k.nonFinite(t, x, i*len(row)+j)
			}
		}
		return nil
	})
}

func notFinite(x float32) bool { return x-x != 0 }

func (k *Checkpoint) nonFinite(t *safetensors.Tensor, x float32, at int) error {
	return fmt.Errorf("%s: tensor %q holds %v at index %v: the checkpoint is damaged or its training diverged", k.set.FileOf(t), t.Name, x, indexOf(t.Shape, at))
}

// anyNonFinite reports whether any element's exponent bits are all ones. It
// looks at eight bytes at once: with all but the exponents masked off, adding
// one to each exponent carries into its (masked) sign bit exactly where all its
// bits were set, and never further.
func anyNonFinite(d safetensors.DType, data []byte) bool {
	var mask, one, sign uint64
	switch d {
	case safetensors.BF16:
		mask, one, sign = 0x7f807f807f807f80, 0x0080008000800080, 0x8000800080008000
	case safetensors.F16:
		mask, one, sign = 0x7c007c007c007c00, 0x0400040004000400, 0x8000800080008000
	case safetensors.F32:
		mask, one, sign = 0x7f8000007f800000, 0x0080000000800000, 0x8000000080000000
	default:
		return true // rare: looked at one by one, as float32
	}
	var seen uint64
	for len(data) >= 32 {
		b := data[:32]
		seen |= binary.LittleEndian.Uint64(b)&mask + one
		seen |= binary.LittleEndian.Uint64(b[8:])&mask + one
		seen |= binary.LittleEndian.Uint64(b[16:])&mask + one
		seen |= binary.LittleEndian.Uint64(b[24:])&mask + one
		data = data[32:]
	}
	var rest [32]byte // zeros are finite
	copy(rest[:], data)
	for i := 0; i < 32; i += 8 {
		seen |= binary.LittleEndian.Uint64(rest[i:])&mask + one
	}
	return seen&sign != 0
}

// indexOf turns a flat row-major position into one per dimension.
func indexOf(shape []int, flat int) []int {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d] = flat % shape[d]
		flat /= shape[d]
	}
	return at
}
