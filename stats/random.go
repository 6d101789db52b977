package stats

import "math/rand/v2"

// DefaultSeed is the seed that callers use where the user names none.
const DefaultSeed = 20250420

// stream is the generator of one block of draws: PCG-DXSM of math/rand/v2, whose
// outputs Go fixes, started from two outputs of SplitMix64 (Steele, Lea, Flood
// 2014) so that neighbouring seeds and blocks share nothing.
func stream(seed uint64, purpose, block uint64) *rand.PCG {
	state := seed
	mix := func(x uint64) uint64 {
		state = (state ^ x) + 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	state = mix(purpose)
	high := mix(block)
	return rand.NewPCG(high, mix(0))
}

// What a stream is for.
const (
	forBootstrap uint64 = 1
	forSignFlips uint64 = 2
	forShifts    uint64 = 3
)
