package passkey

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// The prompt's five lines; the second and the fourth are prefixes of the garbage, repeated.
const (
	instruction = "There is an important info hidden inside a lot of irrelevant text. Find it and memorize them. I will quiz you about the important information there."
	garbage     = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again."
	question    = "What is the pass key? The pass key is"
)

// period is the length in bytes after which the endless garbage repeats: the sentences and a space.
const period = len(garbage) + 1

// MaxKey is the largest key; keys are uniform in 1..MaxKey.
const MaxKey = 50000

// needle is the line that holds the key.
func needle(key int) string {
	k := strconv.Itoa(key)
	return "The pass key is " + k + ". Remember it. " + k + " is the pass key."
}

// filler is the first n bytes of the garbage repeated with spaces between.
func filler(n int) string {
	return strings.Repeat(garbage+" ", n/period+1)[:n]
}

// Text is the prompt with before and after bytes of garbage around the key.
func Text(before, key, after int) string {
	return strings.Join([]string{instruction, filler(before), needle(key), filler(after), question}, "\n")
}

// wordEnd reports whether a garbage cut after n bytes ends with a whole word.
func wordEnd(n int) bool {
	if n == 0 {
		return true
	}
	at := n % period
	return at == period-1 || at > 0 && garbage[at] == ' '
}

// key is the key of one trial: uniform in 1..MaxKey, fixed by the seed, the depth and the trial's
// number, so that a cell keeps its keys when the grid around it changes. Cells of one depth have the
// same keys at every length: what lies between two of them is the length's doing, not the keys', and
// at depth 0 the longer prompt begins as the shorter one does and shares its computation.
func (g Grid) key(depth float64, trial int) int {
	h := fnv.New64a()
	var b [8]byte
	for _, v := range []uint64{math.Float64bits(depth), uint64(trial)} {
		binary.LittleEndian.PutUint64(b[:], v)
		h.Write(b[:])
	}
	return 1 + rand.New(rand.NewPCG(g.Seed, h.Sum64())).IntN(MaxKey)
}
