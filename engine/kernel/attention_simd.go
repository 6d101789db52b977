//go:build (amd64 || arm64) && !noasm

package kernel

import (
	"fmt"
	"unsafe"
)

// tileRows is the number of rows of each of the equal tiles that m rows need.
func (s *simd) tileRows(m int) int {
	tiles := (m + s.rows - 1) / s.rows
	return (m + tiles - 1) / tiles
}

// Scores implements Set. A group of keys is a panel of KeyGroup columns; those
// beside it lie a group's length on.
func (s *simd) Scores(out []float32, lds int, q []float32, m, hd int, kt []float32, groups int) {
	if m == 0 || groups == 0 {
		return
	}
	_ = out[(m-1)*lds+groups*KeyGroup-1]
	_ = q[m*hd-1]
	_ = kt[groups*hd*KeyGroup-1]
	t := tile{
		ldc: uintptr(lds) * 4, lda: uintptr(hd) * 4, bstep: KeyGroup * 4,
		bvec: uintptr(s.lanes) * 4, steps: hd, mode: modeStore,
	}
	step := 1
	if s.lanes == KeyGroup {
		t.bvec, step = uintptr(hd)*KeyGroup*4, 2
	}
	rows := s.tileRows(m)
	for g := 0; g < groups; g += step {
		t.b = at(kt, g*hd*KeyGroup)
		s.columns(&t, min(step, groups-g)*KeyGroup)
		for i := 0; i < m; i += rows {
			t.rows = min(rows, m-i)
			t.a, t.c = at(q, i*hd), at(out, i*lds+g*KeyGroup)
			s.tileF32(&t)
		}
	}
}

func (s *simd) Accumulate(o []float32, p []float32, ldp, m int, v []float32, keys, hd int) {
	if m == 0 || keys == 0 {
		return
	}
	_ = o[m*hd-1]
	_ = p[(m-1)*ldp+keys-1]
	_ = v[keys*hd-1]
	t := tile{
		ldc: uintptr(hd) * 4, lda: uintptr(ldp) * 4, bstep: uintptr(hd) * 4,
		bvec: uintptr(s.lanes) * 4, steps: keys, mode: modeChain,
	}
	rows := s.tileRows(m)
	whole := hd / s.lanes * s.lanes
	for d := 0; d < whole; d += s.panel {
		t.b = at(v, d)
		s.columns(&t, min(s.panel, whole-d))
		for i := 0; i < m; i += rows {
			t.rows = min(rows, m-i)
			t.a, t.c = at(p, i*ldp), at(o, i*hd+d)
			s.tileF32(&t)
		}
	}
	if whole < hd {
		s.accumulateTail(&t, o, p, ldp, m, v, keys, hd, whole)
	}
}

// accumulateTail adds the columns from d on, fewer than a vector: a whole
// vector of v's last row would end behind v, so the columns are copied.
func (s *simd) accumulateTail(t *tile, o, p []float32, ldp, m int, v []float32, keys, hd, d int) {
	var columns [KeyBlock * 16]float32
	rows := s.tileRows(m)
	t.bstep, t.b = uintptr(s.lanes)*4, at(columns[:], 0)
	s.columns(t, hd-d)
	for j0 := 0; j0 < keys; j0 += KeyBlock {
		t.steps = min(KeyBlock, keys-j0)
		for j := range t.steps {
			copy(columns[j*s.lanes:], v[(j0+j)*hd+d:(j0+j+1)*hd])
		}
		for i := 0; i < m; i += rows {
			t.rows = min(rows, m-i)
			t.a, t.c = at(p, i*ldp+j0), at(o, i*hd+d)
			s.tileF32(t)
		}
	}
}

// ScoresBF16 implements Set. A group of keys is a panel of KeyGroup columns.
func (s *simd) ScoresBF16(out []float32, lds int, q []uint16, m, w int, kt []uint16, groups int) {
	if m == 0 || groups == 0 {
		return
	}
	checkScores(out, lds, q, m, w, kt, groups)
	t := tile{ldc: uintptr(lds) * 4, bstep: KeyGroup * 4, bvec: uintptr(s.lanes) * 4, steps: w / 2, mode: modeStore}
	step := 1
	if s.lanes == KeyGroup {
		t.bvec, step = uintptr(w)*KeyGroup*2, 2
	}
	a, scratch := s.pairedRows(&t, q[:m*w], w)
	rows := s.tileRows(m)
	for g := 0; g < groups; g += step {
		t.b = at(kt, g*w*KeyGroup)
		s.columns(&t, min(step, groups-g)*KeyGroup)
		for i := 0; i < m; i += rows {
			t.rows = min(rows, m-i)
			t.a, t.c = unsafe.Add(a, uintptr(i)*t.lda), at(out, i*lds+g*KeyGroup)
			s.tilePairs(&t)
		}
	}
	wideScratch.Put(scratch)
}

func (s *simd) AccumulateBF16(o []float32, p []uint16, m int, v []uint16, w int) {
	if m == 0 {
		return
	}
	checkAccumulate(o, p, m, v, w)
	t := tile{ldc: uintptr(w) * 4, bstep: uintptr(w) * 4, bvec: uintptr(s.lanes) * 4, steps: KeyBlock / 2, mode: modeChain}
	a, scratch := s.pairedRows(&t, p[:m*KeyBlock], KeyBlock)
	rows := s.tileRows(m)
	for d := 0; d < w; d += s.panel {
		t.b = at(v, 2*d)
		s.columns(&t, min(s.panel, w-d))
		for i := 0; i < m; i += rows {
			t.rows = min(rows, m-i)
			t.a, t.c = unsafe.Add(a, uintptr(i)*t.lda), at(o, i*w+d)
			s.tilePairs(&t)
		}
	}
	wideScratch.Put(scratch)
}

// pairedRows returns rows of w bfloat16 as tilePairs takes them, and sets their
// distance. What they may lie in goes back to wideScratch after use.
func (s *simd) pairedRows(t *tile, x []uint16, w int) (a unsafe.Pointer, scratch *[]float32) {
	scratch = wideScratch.Get().(*[]float32)
	if s.dots {
		t.lda = uintptr(w) * 2
		return at(x, 0), scratch
	}
	t.lda = uintptr(w) * 4
	if cap(*scratch) < len(x) {
		*scratch = make([]float32, len(x))
	}
	wide := (*scratch)[:len(x)]
	s.widen(wide, x)
	return at(wide, 0), scratch
}

// tilePairs runs the micro-kernel over pairs of bfloat16.
func (s *simd) tilePairs(t *tile) {
	if s.dots {
		s.tileDot(t)
	} else {
		s.tileWide(t)
	}
}

// checkScores and checkAccumulate panic where a product would reach outside its
// operands: assembly checks no index.
func checkScores(s []float32, lds int, q []uint16, m, w int, kt []uint16, groups int) {
	checkPaired(w)
	_ = s[(m-1)*lds+groups*KeyGroup-1]
	_ = q[m*w-1]
	_ = kt[groups*w*KeyGroup-1]
}

func checkAccumulate(o []float32, p []uint16, m int, v []uint16, w int) {
	checkPaired(w)
	_ = o[m*w-1]
	_ = p[m*KeyBlock-1]
	_ = v[KeyBlock*w-1]
}

func checkPaired(w int) {
	if w <= 0 || w != PairedK(w) {
		panic(fmt.Sprintf("kernel: attention over %d components; bfloat16 has a multiple of 32", w))
	}
}
