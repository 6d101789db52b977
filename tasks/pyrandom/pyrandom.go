// Package pyrandom is CPython's random.Random to the bit: the Mersenne Twister, and of what is
// built on it what lm-evaluation-harness draws with. A task that names the harness's sampler gets
// the harness's own examples only if every draw is the same one.
//
// It knows no tasks and no documents: it draws numbers.
package pyrandom

import (
	"fmt"
	"math"
	"math/bits"
)

const (
	size   = 624 // words of the generator's state
	middle = 397
)

// Random is a random.Random. It is not safe for concurrent use, as draws have an order.
type Random struct {
	state [size]uint32
	next  int
}

// New is random.Random(seed).
func New(seed int64) *Random {
	abs := uint64(seed)
	if seed < 0 {
		abs = -abs
	}
	key := []uint32{uint32(abs)}
	if high := uint32(abs >> 32); high > 0 {
		key = append(key, high)
	}
	r := &Random{}
	r.seed(key)
	return r
}

// seedWord is the generator of Matsumoto and Nishimura's reference code from one word.
func (r *Random) seedWord(word uint32) {
	r.state[0] = word
	for i := uint32(1); i < size; i++ {
		before := r.state[i-1]
		r.state[i] = 1812433253*(before^before>>30) + i
	}
	r.next = size
}

// seed is that code's init_by_array.
func (r *Random) seed(key []uint32) {
	r.seedWord(19650218)
	s := &r.state
	i, j := 1, 0
	wrap := func() {
		if i++; i == size {
			s[0], i = s[size-1], 1
		}
	}
	for range max(size, len(key)) {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1664525) + key[j] + uint32(j)
		wrap()
		if j++; j == len(key) {
			j = 0
		}
	}
	for range size - 1 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1566083941) - uint32(i)
		wrap()
	}
	s[0] = 1 << 31
}

// word is the next 32 bits.
func (r *Random) word() uint32 {
	s := &r.state
	if r.next == size {
		for k := range s {
			y := s[k]&(1<<31) | s[(k+1)%size]&(1<<31-1)
			s[k] = s[(k+middle)%size] ^ y>>1 ^ y&1*0x9908b0df
		}
		r.next = 0
	}
	y := s[r.next]
	r.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// Float64 is random(): from 0, below 1.
func (r *Random) Float64() float64 {
	a, b := r.word()>>5, r.word()>>6
	return (float64(a)*(1<<26) + float64(b)) / (1 << 53)
}

// GetRandBits is getrandbits(k), for k from 0 to 64.
func (r *Random) GetRandBits(k int) uint64 {
	switch {
	case k <= 0:
		return 0
	case k <= 32:
		return uint64(r.word() >> (32 - k))
	}
	low := uint64(r.word())
	return low | uint64(r.word()>>(64-k))<<32
}

// below is _randbelow(n): a whole number from 0, below n.
func (r *Random) below(n int) int {
	if n <= 0 {
		return 0
	}
	k := bits.Len(uint(n))
	for {
		if v := r.GetRandBits(k); v < uint64(n) {
			return int(v)
		}
	}
}

// RandRange is randrange(start, stop, step).
func (r *Random) RandRange(start, stop, step int) (int, error) {
	n := 0
	switch {
	case step > 0:
		n = (stop - start + step - 1) / step
	case step < 0:
		n = (stop - start + step + 1) / step
	}
	if n <= 0 {
		return 0, fmt.Errorf("the range from %d to %d by %d is empty", start, stop, step)
	}
	return start + step*r.below(n), nil
}

// Choice is the index that choice takes of n.
func (r *Random) Choice(n int) int { return r.below(n) }

// Shuffle is shuffle of n, whose elements i and j swap exchanges.
func (r *Random) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		if j := r.below(i + 1); i != j {
			swap(i, j)
		}
	}
}

// Sample is sample of k among n: the indices in the order drawn. CPython has two ways, by which
// needs less memory, and they draw differently.
func (r *Random) Sample(n, k int) ([]int, error) {
	if k < 0 || k > n {
		return nil, fmt.Errorf("%d cannot be drawn of %d", k, n)
	}
	limit := 21 // of a small set, less that of an empty list
	if k > 5 {
		limit += int(math.Pow(4, math.Ceil(math.Log(float64(3*k))/math.Log(4))))
	}
	out := make([]int, k)
	if n <= limit {
		pool := make([]int, n)
		for i := range pool {
			pool[i] = i
		}
		for i := range out {
			j := r.below(n - i)
			out[i], pool[j] = pool[j], pool[n-i-1]
		}
		return out, nil
	}
	taken := make(map[int]bool, k)
	for i := range out {
		j := r.below(n)
		for taken[j] {
			j = r.below(n)
		}
		taken[j] = true
		out[i] = j
	}
	return out, nil
}
