package abi

import "slices"

// The tile sizes the kernels are compiled for. Sums are in orders fixed by
// these: changing one changes the last bits of results.
const (
	QueryBlock = 64 // queries (rows times heads that share keys) of an attention block
	KeyBlock   = 64 // keys of a step of attention, from position 0
	GemmM      = 128
	GemmN      = 128
	HeadRows   = 128 // rows of a block of the head
	// HeadColumns is the entries of the vocabulary in one partial.
	HeadColumns = 128

	// The stages of products by wgmma: boxes of both operands, GemmM or GemmN rows
	// of HopperStep columns.
	HopperStep   = 64
	HopperStages = 3

	RowThreads       = 256
	GemmThreads      = 256
	HopperThreads    = 288 // two groups of four warps, and one warp that fetches
	AttentionThreads = 128

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

// TileRows is the rows of an attention tile where so many heads share keys; 0
// where the kernels do not compute that.
func TileRows(group int) int { return QueryBlock / group }
