package forward

import (
	"fmt"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine/checkpoint"
)

// sizes is how the device's memory is divided. Everything is known before any
// is taken; what weights and scratch leave holds keys and values.
type sizes struct {
	rows    int // most rows of a plan
	scored  int // most scored rows of one pass of the head
	targets int // most targets of one pass of the head
	runs    int // most runs of a plan
	slots   int // positions of keys and values

	weights, scratch, perSlot, total int64
}

// Bounds of a plan that hold whatever the memory.
const (
	mostRows   = 8192
	leastRows  = 64
	mostScored = 4096
	mostRuns   = 1 << 16
	// leastSlots is less than which nothing useful can run: the default context
	// of a checkpoint that does not name one.
	leastSlots = 2048
	// reserve is left to the driver, which needs memory for the kernels' own
	// stacks and images as they first run.
	reserve = 512 << 20
	// observed bounds the attention weights that are on the device at once.
	observed = 16 << 20
)

const mib = 1 << 20

// divide decides the sizes for a device as found.
func divide(c *checkpoint.Config, tied bool, mode abi.Mode, info device.Info, o Options) (sizes, error) {
	budget := info.Free - reserve
	limit := fmt.Sprintf("%s has %d MiB free of %d", info.Name, info.Free/mib, info.Total/mib)
	if o.Memory > 0 && o.Memory < budget {
		budget, limit = o.Memory, fmt.Sprintf("the bound is %d MiB", o.Memory/mib)
	}
	s := sizes{weights: weightBytes(c, tied, mode), perSlot: slotBytes(c, mode)}
	remedy := "use --device cpu or a GPU with more memory"
	if mode == abi.F32 {
		remedy = "use --dtype bfloat16, --device cpu or a GPU with more memory"
	}
	if s.weights > budget {
		return s, fmt.Errorf("out of GPU memory: the weights in %s take %d MiB, %s (%d MiB are left to the driver): %s", mode.DType(), s.weights/mib, limit, int64(reserve)/mib, remedy)
	}
	if s.rows = mostRows; o.Rows > 0 {
		s.rows = min(o.Rows, mostRows)
	}
	for ; ; s.rows /= 2 {
		s.scored = min(mostScored, s.rows)
		s.targets = 4 * s.rows
		s.runs = mostRuns
		left := budget - s.weights
		scratch := scratchParts(c, mode, s).bytes()
		if scratch <= left/4 || s.rows <= leastRows {
			slots := min((left-scratch-tableSlack)/(s.perSlot+runBytes), 1<<30)
			if slots < leastSlots {
				return s, fmt.Errorf("out of GPU memory: beside weights of %d MiB and %d MiB of scratch there is no room for the keys and values of %d tokens (%d MiB), %s: %s",
					s.weights/mib, scratch/mib, leastSlots, leastSlots*s.perSlot/mib+1, limit, remedy)
			}
			s.slots = int(slots)
			s.runs = max(mostRuns, s.slots)
			s.scratch = scratchParts(c, mode, s).bytes()
			s.total = s.weights + s.scratch + int64(c.Layers)*device.RoundUp(int64(s.slots)*s.perSlot/int64(c.Layers)/2)*2
			return s, nil
		}
	}
}

const (
	runBytes   = 8                    // of a run in the table, one a slot at worst
	tableSlack = 1 << 20              // rounding of the layers' stores
	tileBytes  = abi.TileInts * 4     // of a tile in the table
	scoreBytes = (abi.HeadFloats) * 4 // of a partial of the head
)

// slotBytes is what one position's keys and values take in all layers.
func slotBytes(c *checkpoint.Config, mode abi.Mode) int64 {
	return int64(c.Layers) * 2 * int64(c.KVHeads) * int64(c.HeadDim) * int64(mode.Bytes())
}

// parts are sizes in bytes, in the order of scratch's fields.
type parts []int64

func (p parts) bytes() (total int64) {
	for _, n := range p {
		total += device.RoundUp(n)
	}
	return total
}

// scratch is the device memory of activations and tables, for plans of up to
// sizes.rows rows. T is the mode's element.
type scratch struct {
	x, x2    device.Ptr // float [rows, hidden]: the residual stream; x2 of the rows that leave the last layer
	h        device.Ptr // T [rows, hidden]: normalised
	qkv      device.Ptr // float [rows, (heads + 2·kv heads)·head size]; 0 where the product rotates and stores
	q        device.Ptr // T [rows, heads·head size]: rotated and scaled
	mixed    device.Ptr // T [rows, heads·head size]: the attention's output
	act      device.Ptr // T [rows, intermediate]: silu(gate)·up
	stats    device.Ptr // float [rows, heads, 2]: maximum, factor; for observers
	weights  device.Ptr // float, observed bytes: attention weights for observers
	partials device.Ptr // the head's, [scored, blocks of columns]
	lse      device.Ptr // double [scored]
	argmax   device.Ptr // int [scored]
	logits   device.Ptr // float [targets]
	norms    device.Ptr // T, 4 bytes of each row [rows]: where the last layer's first norm begins
	tables   device.Ptr // the plan, one upload
	heads    device.Ptr // the head's rows and targets, one upload
}

// scratchParts lists the sizes of scratch's fields in their order.
func scratchParts(c *checkpoint.Config, mode abi.Mode, s sizes) parts {
	rows, t := int64(s.rows), int64(mode.Bytes())
	hidden, wide := int64(c.Hidden), int64(c.Heads)*int64(c.HeadDim)
	qkv := 4 * rows * (wide + 2*int64(c.KVHeads)*int64(c.HeadDim))
	if abi.FusesRope(c.HeadDim) {
		qkv = 0
	}
	return parts{
		4 * rows * hidden, 4 * rows * hidden,
		t * rows * hidden,
		qkv,
		t * rows * wide,
		t * rows * wide,
		t * rows * int64(c.Intermediate),
		8 * rows * int64(c.Heads),
		observed,
		int64(s.scored) * int64(abi.HeadBlocks(c.Vocab)) * scoreBytes,
		8 * int64(s.scored),
		4 * int64(s.scored),
		4 * int64(s.targets),
		4 * rows,
		tableBytes(c, s),
		headBytes(s),
	}
}

// take gives scratch its memory.
func (s *scratch) take(a *device.Arena, p parts) {
	for i, to := range []*device.Ptr{
		&s.x, &s.x2, &s.h, &s.qkv, &s.q, &s.mixed, &s.act, &s.stats, &s.weights,
		&s.partials, &s.lse, &s.argmax, &s.logits, &s.norms, &s.tables, &s.heads,
	} {
		if p[i] > 0 {
			*to = a.Take(p[i])
		}
	}
}

// tableBytes bounds a plan's tables: per row its id, position, slot, cosines,
// sines, ln(position+2), index after the last layer and place in h; a tile a row at worst,
// twice; and the runs.
func tableBytes(c *checkpoint.Config, s sizes) int64 {
	perRow := int64(4*6 + 4*c.HeadDim + 2*tileBytes)
	return int64(s.rows)*perRow + int64(s.runs)*runBytes + 16*device.Align
}

// headBytes bounds the head's table: per scored row its row and first target.
func headBytes(s sizes) int64 {
	return int64(s.scored)*8 + 4 + int64(s.targets)*4 + 4*device.Align
}
