//go:build !noasm

package kernel

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

// Accumulate implements Set.
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
