package abi

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine/attention"
)

// Embed gathers rows of the embedding:
//
//	x[r, :] = table[ids[r], :]          ids int [rows], table T [vocab, hidden], x float [rows, hidden]
func Embed(m Mode, ids, table, x device.Ptr, rows, hidden int) *device.Launch {
	return &device.Launch{Kernel: "sb_embed" + m.suffix(), Grid: device.Dim{X: rows}, Block: device.Dim{X: RowThreads},
		Args: []device.Arg{device.P(ids), device.P(table), device.P(x), device.I(rows), device.I(hidden)}}
}

// RMSNorm normalises rows:
//
//	out[r, :] = x[r, :] / sqrt(mean(x[r, :]²) + eps) · weight      x float, weight float [hidden], out T
func RMSNorm(m Mode, x, weight, out device.Ptr, rows, hidden int, eps float32) *device.Launch {
	return RMSNormAt(m, x, weight, 0, out, rows, hidden, eps)
}

// RMSNormAt is RMSNorm of row index[r] of x into row r of out; index int [rows].
func RMSNormAt(m Mode, x, weight, index, out device.Ptr, rows, hidden int, eps float32) *device.Launch {
	return &device.Launch{Kernel: "sb_rmsnorm" + m.suffix(), Grid: device.Dim{X: rows}, Block: device.Dim{X: RowThreads},
		Args: []device.Arg{device.P(x), device.P(weight), device.P(index), device.P(out), device.I(rows), device.I(hidden), device.F(eps)}}
}

// Epilogue is what a matrix product does with its sums.
type Epilogue uint8

// The epilogues. S is the sums plus the bias, [m, n].
const (
	Store  Epilogue = iota // c = S, float [m, n]
	Add                    // c += S, float [m, n]
	SwiGLU                 // c = silu(S[:, even]) · S[:, odd], T [m, n/2]
)

var epilogues = [...]string{"store", "add", "swiglu"}

// String is the epilogue's name in those of its kernels.
func (e Epilogue) String() string { return epilogues[e] }

// Gemm multiplies a [m, k] with the transpose of w [n, k], both T, sums in
// float in an order that depends on k alone; bias is float [n], or 0 for none.
func Gemm(mode Mode, e Epilogue, a, w, bias, c device.Ptr, m, n, k int) *device.Launch {
	return productOf(mode, "sb_gemm_"+epilogues[e], a, w, m, n, k, device.P(bias), device.P(c), device.I(m), device.I(n), device.I(k))
}

// productOf is a kernel over the tiles of a product; more are its arguments behind the matrices.
func productOf(mode Mode, kernel string, a, w device.Ptr, m, n, k int, more ...device.Arg) *device.Launch {
	if mode == BF16Hopper {
		return hopper(kernel, a, w, m, n, k, more...)
	}
	return &device.Launch{Kernel: kernel + mode.suffix(),
		Grid:  device.Dim{X: blocks(n, GemmN), Y: blocks(m, GemmM)},
		Block: device.Dim{X: GemmThreads},
		Args:  append([]device.Arg{device.P(a), device.P(w)}, more...)}
}

// hopper is a product by wgmma of a [m, k] with w [n, k], described as matrices;
// tiles are those of the other kernels.
func hopper(kernel string, a, w device.Ptr, m, n, k int, more ...device.Arg) *device.Launch {
	matrix := func(p device.Ptr, rows, box int) device.Arg {
		return device.M(device.Matrix{Base: p, Rows: rows, Columns: k, BoxRows: box, BoxColumns: HopperStep})
	}
	const (
		stage    = 2 * (GemmM + GemmN) * HopperStep
		barriers = 2 * 8 // of a stage
		align    = 1024  // what the kernel may skip to begin on a kilobyte
	)
	return &device.Launch{Kernel: kernel + "_wgmma",
		Grid:   device.Dim{X: blocks(n, GemmN), Y: blocks(m, GemmM)},
		Block:  device.Dim{X: HopperThreads},
		Shared: align + HopperStages*(stage+barriers),
		Args:   append([]device.Arg{matrix(a, m, GemmM), matrix(w, n, GemmN)}, more...)}
}

// Gather copies rows of width bytes, a multiple of 4: out[r] = in[index[r]].
func Gather(in, index, out device.Ptr, rows, width int) *device.Launch {
	return &device.Launch{Kernel: "sb_gather", Grid: device.Dim{X: rows}, Block: device.Dim{X: RowThreads},
		Args: []device.Arg{device.P(in), device.P(index), device.P(out), device.I(rows), device.I(width / 4)}}
}

// RopeArgs are the operands of Rope.
type RopeArgs struct {
	QKV          device.Ptr // float [rows, heads + 2·kv heads, size]
	Q            device.Ptr // T [rows, heads, size]
	Keys, Values device.Ptr // T [slots, kv heads, size]
	Slot         device.Ptr // int [rows]
	Cos, Sin     device.Ptr // float [rows, size/2]
	LogN         device.Ptr // float [rows]: ln(position+2)
	Scale        device.Ptr // float [heads], 0 where the kind is not scaled
	QNorm, KNorm device.Ptr // float [size], 0 for none

	Rows, Heads, KVHeads, Size int
	Eps                        float32 // of QNorm and KNorm
}

// Rope normalises each head of q and k where there is a norm, rotates both by
// halves, multiplies q by 1/sqrt(size), and in scaled kinds by
// Scale[head]·LogN[row], and stores keys and values in the row's slot.
func Rope(m Mode, a RopeArgs) *device.Launch {
	return &device.Launch{Kernel: "sb_rope" + m.suffix(), Grid: device.Dim{X: a.Rows}, Block: device.Dim{X: RowThreads},
		Args: slices.Concat([]device.Arg{device.P(a.QKV)}, a.heads(), []device.Arg{device.I(a.Rows)})}
}

// heads says where heads go and what becomes of them.
func (a RopeArgs) heads() []device.Arg {
	return []device.Arg{
		device.P(a.Q), device.P(a.Keys), device.P(a.Values), device.P(a.Slot), device.P(a.Cos), device.P(a.Sin),
		device.P(a.LogN), device.P(a.Scale), device.P(a.QNorm), device.P(a.KNorm),
		device.I(a.Heads), device.I(a.KVHeads), device.I(a.Size),
		device.F(float32(1 / math.Sqrt(float64(a.Size)))), device.F(a.Eps),
	}
}

// FusesRope says whether QKV computes a head size: whether a tile of the product has whole
// heads. Others are a Store and a Rope.
func FusesRope(size int) bool { return GemmN%size == 0 }

// QKV is Gemm's product of a [rows, k] with w [(heads + 2·kv heads)·size, k] whose sums,
// with the bias, Rope would be given: it does to them what Rope does, to the bit, and they
// are never written. Of r QKV is not read.
func QKV(mode Mode, a, w, bias device.Ptr, k int, r RopeArgs) *device.Launch {
	n := (r.Heads + 2*r.KVHeads) * r.Size
	return productOf(mode, "sb_qkv", a, w, r.Rows, n, k,
		slices.Concat([]device.Arg{device.P(bias)}, r.heads(), []device.Arg{device.I(r.Rows), device.I(n), device.I(k)})...)
}

// AttentionArgs are the operands of Attention and Observe.
type AttentionArgs struct {
	Q            device.Ptr // T [rows, heads, size], rotated and scaled
	Keys, Values device.Ptr // T [slots, kv heads, size]
	Out          device.Ptr // T [rows, heads, size]
	Stats        device.Ptr // float [rows, heads, 2]: maximum, and what weights are multiplied by; 0: not wanted
	// Tiles is int [N, TileInts]: first row, rows, absolute position of the first
	// row, first run of its path, runs of its path. Runs is int [·, 2]: absolute
	// position, and the slot of that position; the next positions lie in the
	// next slots, up to where the next run starts.
	Tiles, Runs device.Ptr
	N           int

	Kind                 attention.Kind
	Window               int // keys at this distance or more are not seen; 0: all are
	Heads, KVHeads, Size int
}

// AttentionKernel names the kernel of a head size, and by wgmma of a kind.
func AttentionKernel(m Mode, size int, kind attention.Kind) string {
	if byHopper(m, size) {
		return fmt.Sprintf("sb_attention_%d_%s_wgmma", size, strings.ReplaceAll(kind.String(), "-", "_"))
	}
	return fmt.Sprintf("sb_attention_%d%s", size, m.suffix())
}

// Attention computes softmax(q·kᵀ)·v, or another kind's weights, for every row
// of every tile, one pass over key blocks that start at multiples of KeyBlock
// from position 0. A block is a tile and a key/value head: its queries are the
// tile's rows times the heads that share the keys. There is a kernel for each of
// HeadSizes, and by wgmma one for each of their kinds.
func Attention(m Mode, a AttentionArgs) *device.Launch {
	shared, kind := 0, []device.Arg{device.I(int(a.Kind))}
	if byHopper(m, a.Size) {
		// Queries, two blocks of keys and one of values; two tables of slots; what the
		// kernel may skip to begin on a kilobyte.
		kind, shared = nil, 2*a.Size*(QueryBlock(m, a.Size)+3*KeyBlock)+2*4*KeyBlock+1024
	}
	return &device.Launch{Kernel: AttentionKernel(m, a.Size, a.Kind), Grid: device.Dim{X: a.N, Y: a.KVHeads},
		Block: device.Dim{X: AttentionThreads * QueryBlock(m, a.Size) / queryBlock}, Shared: shared,
		Args: slices.Concat([]device.Arg{
			device.P(a.Q), device.P(a.Keys), device.P(a.Values), device.P(a.Out), device.P(a.Stats), device.P(a.Tiles), device.P(a.Runs),
		}, kind, []device.Arg{device.I(a.Window), device.I(a.Heads), device.I(a.KVHeads)})}
}

// Observe writes the final weights of one tile over keys [key, key+keys), key a
// multiple of KeyBlock, into out, float [heads, rows, keys]: zero where the
// query may not see the key. Stats must hold what Attention left there.
func Observe(m Mode, a AttentionArgs, tile, rows, key, keys int, out device.Ptr) *device.Launch {
	return &device.Launch{Kernel: "sb_observe" + m.suffix(), Grid: device.Dim{X: blocks(keys, KeyBlock), Y: a.KVHeads}, Block: device.Dim{X: AttentionThreads},
		Args: []device.Arg{
			device.P(a.Q), device.P(a.Keys), device.P(a.Stats), device.P(a.Tiles + Offset(tile, 4*TileInts)), device.P(a.Runs), device.P(out),
			device.I(key), device.I(keys), device.I(int(a.Kind)), device.I(a.Window), device.I(a.Heads), device.I(a.KVHeads), device.I(a.Size),
		}}
}

// HeadBlocks is the number of partials of a row: one for every HeadColumns
// entries of the vocabulary, counted from token 0.
func HeadBlocks(vocab int) int { return blocks(vocab, HeadColumns) }

// Head multiplies h T [m, hidden] with w T [vocab, hidden] and keeps of the
// logits the targets' and a partial {maximum, sum of e^(logit-maximum), its
// token} for every HeadColumns of them. start is int [m+1]: row r's targets are
// ids[start[r]:start[r+1]], and so are their logits. Blocks of the same entries of the
// vocabulary are neighbours in the grid: all rows share one read of w.
func Head(mode Mode, h, w, start, ids, logits, partials device.Ptr, m, vocab, hidden int) *device.Launch {
	l := productOf(mode, "sb_head", h, w, m, vocab, hidden,
		device.P(start), device.P(ids), device.P(logits), device.P(partials), device.I(m), device.I(vocab), device.I(hidden))
	l.Grid = device.Dim{X: blocks(m, HeadRows), Y: HeadBlocks(vocab)}
	return l
}

// HeadMerge joins each row's partials, a warp a row, in an order that n alone fixes: lse double [m], the lowest token
// of the greatest logit int [m].
func HeadMerge(partials, lse, argmax device.Ptr, m, n int) *device.Launch {
	return &device.Launch{Kernel: "sb_head_merge", Grid: device.Dim{X: blocks(m, RowThreads/32)}, Block: device.Dim{X: RowThreads},
		Args: []device.Arg{device.P(partials), device.P(lse), device.P(argmax), device.I(m), device.I(n)}}
}

func blocks(n, size int) int { return (n + size - 1) / size }
