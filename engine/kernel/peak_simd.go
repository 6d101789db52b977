//go:build (amd64 || arm64) && !noasm

package kernel

// memoryBlock is more than the caches of a core hold: 128 MiB.
const memoryBlock = 32 << 20

// memoryPeak reads memory by a loop over n float32.
func memoryPeak(read func(x *float32, n int)) Peak {
	var block []float32
	at := 0
	return Peak{"memory read", "byte", Float32, func() float64 {
		const piece = 1 << 16
		if block == nil {
			block = NewFloats(memoryBlock)
			for i := 0; i < len(block); i += 1024 {
				block[i] = 1 // a page that was never written is not memory
			}
		}
		read(&block[at], piece)
		at = (at + piece) % len(block)
		return 4 * piece
	}}
}
