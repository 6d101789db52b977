package world

// rng is splitmix64 (Steele, Lea and Flood 2014). It is written out here so that the bytes made from a
// seed cannot change with a library.
type rng struct{ state uint64 }

// newRNG starts a stream; streams of one seed differ by name.
func newRNG(seed uint64, stream string) *rng {
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(stream) {
		h = (h ^ uint64(stream[i])) * 1099511628211
	}
	r := &rng{state: h}
	r.state = r.next() ^ seed
	r.next()
	return r
}

func (r *rng) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// n is uniform in 0..n-1; n is small, so the bias of the remainder (below n/2^32) does not matter.
func (r *rng) n(n int) int { return int(r.next() >> 32 % uint64(n)) }

// shuffle is Fisher and Yates'.
func shuffle[T any](r *rng, s []T) {
	for i := len(s) - 1; i > 0; i-- {
		j := r.n(i + 1)
		s[i], s[j] = s[j], s[i]
	}
}

func pick[T any](r *rng, s []T) T { return s[r.n(len(s))] }

// sample draws k different elements in random order; k is at most len(s).
func sample[T any](r *rng, s []T, k int) []T {
	c := append([]T(nil), s...)
	shuffle(r, c)
	return c[:k]
}
