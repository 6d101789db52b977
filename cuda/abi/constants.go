package abi

import "github.com/softbench/softbench/engine/attention"

import "slices"

// The tile sizes the kernels are compiled for. Sums are in orders fixed by
// these: changing one changes the last bits of results.
const (
	KeyBlock = 64 // keys of a step of attention, from position 0
	GemmM    = 128
	GemmN    = 128
	HeadRows = 128 // rows of a block of the head
	// HeadColumns is the entries of the vocabulary in one partial.
	HeadColumns = 128

	// The stages of products by wgmma: boxes of both operands, GemmM or GemmN rows
	// of HopperStep columns.
	HopperStep   = 64
	HopperStages = 3

	RowThreads       = 256
	GemmThreads      = 256
	HopperThreads    = 288 // two groups of four warps, and one warp that fetches
	AttentionThreads = 128 // of 64 queries

	queryBlock = 64
	// MostGroup is the most query heads that may share a key/value head.
	MostGroup = queryBlock

	TileInts   = 5
	HeadFloats = 3
	// Multiple is what the width of the model and of its MLP are multiples of:
	// rows are loaded 16 bytes at a time.
	Multiple = 8
)

// HeadSizes are those the attention kernels are compiled for.
var HeadSizes = []int{32, 64, 96, 128, 192, 256}

// HeadSize says whether the attention kernels compute a head size.
func HeadSize(n int) bool { return slices.Contains(HeadSizes, n) }

// Kinds are the attention kinds that the kernels know, in the order of their enum
// (kernels/attention.cuh), whose numbers are attention's own.
var Kinds = []attention.Kind{attention.Softmax, attention.Softpick, attention.Rectified, attention.MaskedSoftmax, attention.SoftmaxPlusOne}

// QueryBlock is the queries (rows times heads that share keys) of an attention block.
// No sum depends on it.
func QueryBlock(m Mode, size int) int {
	if byHopper(m, size) {
		return 2 * queryBlock
	}
	return queryBlock
}

// byHopper says whether attention is computed by wgmma.
func byHopper(m Mode, size int) bool { return m == BF16Hopper && (size == 64 || size == 128) }

// TileRows is the rows of an attention tile where so many heads share keys.
func TileRows(m Mode, size, group int) int { return QueryBlock(m, size) / group }
