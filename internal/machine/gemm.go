package machine

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/rescue"
)

// gemmRows is a batch of the engine; gemmShapes are the weight matrices
// [outputs, inputs] of a 340M model: attention, the MLP's two, the head.
const gemmRows = 512

var gemmShapes = [][2]int{{1024, 1024}, {2816, 1024}, {1024, 2816}, {32768, 1024}}

type gemmTiming struct {
	timing
	dtype           kernel.Arithmetic
	inputs, outputs int
}

func gemmTimings(o Options) ([]gemmTiming, error) {
	var list []gemmTiming
	for _, dt := range o.DTypes {
		for _, s := range gemmShapes {
			p := newProduct(o.Set, dt, gemmRows, s[0], s[1])
			p.multiply(o.Set, o.Threads)
			if err := p.check(o.Set.Name()); err != nil {
				return nil, err
			}
			list = append(list, gemmTiming{timing{name: fmt.Sprintf("%v %dx%d", dt, s[1], s[0]), run: func(ctx context.Context, d time.Duration) (float64, error) {
				return p.time(ctx, o.Set, o.Threads, d)
			}}, dt, s[1], s[0]})
		}
	}
	return list, nil
}

func (g *gemmTiming) report(peak float64) GEMM {
	r := rate(g.got)
	return GEMM{DType: g.dtype.String(), Rows: gemmRows, Inputs: g.inputs, Outputs: g.outputs, Rate: r, OfPeak: fraction(r.Median, peak)}
}

// product is y [m, n] = x [m, k] · wᵀ, w [n, k].
type product struct {
	m, n, k int
	x       []float32
	in      kernel.Input
	w       *kernel.Matrix
	y       []float32
	weight  func(j int, dst []float32) // row j of w, as it was before packing
}

func newProduct(set kernel.Set, dt kernel.Arithmetic, m, n, k int) *product {
	p := &product{m: m, n: n, k: k, x: make([]float32, m*k), y: make([]float32, m*n)}
	uniform(p.x, rand.New(rand.NewPCG(1, 0)))
	p.weight = func(j int, dst []float32) { uniform(dst, rand.New(rand.NewPCG(2, uint64(j)))) }
	p.w = set.NewMatrix(kernel.FormatsOf(dt).Storage, n, k)
	set.PackRows(p.w, 0, n, p.weight)
	p.in.Reset(dt, m, k)
	set.Prepare(&p.in, p.x, k, 0, m)
	return p
}

// uniform fills dst with numbers from -1 to 1.
func uniform(dst []float32, rng *rand.Rand) {
	for i := range dst {
		dst[i] = float32(int32(rng.Uint32())) / (1 << 31)
	}
}

// multiply computes y on so many threads, in tasks of whole panels as the
// engine's layers do.
func (p *product) multiply(set kernel.Set, threads int) {
	tile := kernel.TaskColumns(set, p.n, threads)
	var next atomic.Int64
	var wg rescue.Group
	work := func() {
		for {
			n0 := (int(next.Add(1)) - 1) * tile
			if n0 >= p.n {
				return
			}
			set.MatMul(p.y[n0:], p.n, &p.in, 0, p.m, p.w, n0, min(p.n, n0+tile), false)
		}
	}
	for range threads - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

// time multiplies for about d, at least once, and returns FLOP/s by the median
// of the products' times: where other programs take the processor away for a
// moment, some products are slow and most are not.
func (p *product) time(ctx context.Context, set kernel.Set, threads int, d time.Duration) (float64, error) {
	var took []time.Duration
	for start := time.Now(); len(took) == 0 || time.Since(start) < d; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		t := time.Now()
		p.multiply(set, threads)
		took = append(took, time.Since(t))
	}
	slices.Sort(took)
	return 2 * float64(p.m) * float64(p.n) * float64(p.k) / took[len(took)/2].Seconds(), nil
}

// checked is the number of elements that are computed again.
const checked = 64

// check compares elements of y with sums in float64 of the operands as the
// format stores them. What a float32 sum of k terms may lose is k·2^-24 of the
// sum of magnitudes; twice that is allowed.
func (p *product) check(name string) error {
	rng := rand.New(rand.NewPCG(3, 0))
	row := make([]float32, p.k)
	for range checked {
		i, j := rng.IntN(p.m), rng.IntN(p.n)
		p.weight(j, row)
		var sum, abs float64
		for l, b := range row {
			a := p.x[i*p.k+l]
			if p.in.Arithmetic == kernel.BFloat16 {
				a, b = kernel.FromBF16(kernel.ToBF16(a)), kernel.FromBF16(kernel.ToBF16(b))
			}
			sum += float64(a) * float64(b)
			abs += math.Abs(float64(a) * float64(b))
		}
		if got := float64(p.y[i*p.n+j]); !(math.Abs(got-sum) <= 2*float64(p.k)*abs/(1<<24)) {
			return fmt.Errorf("kernel %s, %v, %dx%d: element [%d, %d] is %v and should be %v: this is a fault of softbench; set %s to another instruction set",
				name, p.in.Arithmetic, p.k, p.n, i, j, got, sum, kernel.EnvISA)
		}
	}
	return nil
}
