package train

import (
	"cmp"
	"fmt"
	"math"
)

// Optimiser is AdamW (Loshchilov and Hutter, arXiv 1711.05101) with decoupled
// weight decay on matrices only, the embedding not among them.
type Optimiser struct {
	Beta1, Beta2, Eps, Decay float64
	Steps                    int // taken so far
	first, second            []float32
	decays                   []bool // by parameter
}

// Adam are the optimiser's constants. A zero means the usual one.
type Adam struct {
	Beta1, Beta2 float64 // of the first and the second moment; 0: 0.9 and 0.95
	Eps          float64 // added to the second moment's root; 0: 1e-8
}

func (a Adam) filled() Adam {
	a.Beta1 = cmp.Or(a.Beta1, 0.9)
	a.Beta2 = cmp.Or(a.Beta2, 0.95)
	a.Eps = cmp.Or(a.Eps, 1e-8)
	return a
}

func (a Adam) check() error {
	if !(a.Beta1 >= 0 && a.Beta1 < 1 && a.Beta2 >= 0 && a.Beta2 < 1) {
		return fmt.Errorf("the Adam betas %v and %v: want numbers from 0 up to, not including, 1", a.Beta1, a.Beta2)
	}
	if !(a.Eps >= 0) || math.IsInf(a.Eps, 0) {
		return fmt.Errorf("the Adam epsilon %v: want a number above zero", a.Eps)
	}
	return nil
}

// NewOptimiser makes an optimiser for p.
func NewOptimiser(p *Params, decay float64, a Adam) *Optimiser {
	a = a.filled()
	o := &Optimiser{
		Beta1: a.Beta1, Beta2: a.Beta2, Eps: a.Eps, Decay: decay,
		first: make([]float32, len(p.All)), second: make([]float32, len(p.All)), decays: make([]bool, len(p.All)),
	}
	// Which parameters decay is found by marking them: tensors are views of All.
	marks := NewParams(p.config)
	for _, t := range marks.Tensors() {
		if t.Decay {
			for i := range t.Data {
				t.Data[i] = 1
			}
		}
	}
	for i, m := range marks.All {
		o.decays[i] = m == 1
	}
	return o
}

// Step moves p against the gradient g at a learning rate.
func (o *Optimiser) Step(p, g []float32, rate float64, op *ops) {
	o.Steps++
	fix1 := 1 - math.Pow(o.Beta1, float64(o.Steps))
	fix2 := 1 - math.Pow(o.Beta2, float64(o.Steps))
	b1, b2 := float32(o.Beta1), float32(o.Beta2)
	const part = 1 << 14
	op.each((len(p)+part-1)/part, func(_, task int) {
		for i := task * part; i < min(len(p), (task+1)*part); i++ {
			o.first[i] = b1*o.first[i] + (1-b1)*g[i]
			o.second[i] = b2*o.second[i] + (1-b2)*g[i]*g[i]
			move := float64(o.first[i]) / fix1 / (math.Sqrt(float64(o.second[i])/fix2) + o.Eps)
			if o.decays[i] {
				move += o.Decay * float64(p[i])
			}
			p[i] -= float32(rate * move)
		}
	})
}

// clip scales g so that its norm is at most most, and returns the norm it had.
func clip(g []float32, most float64) float64 {
	var sum float64
	for _, x := range g {
		sum += float64(x) * float64(x)
	}
	norm := math.Sqrt(sum)
	if most > 0 && norm > most {
		s := float32(most / norm)
		for i := range g {
			g[i] *= s
		}
	}
	return norm
}

// schedule is the learning rate of a step (from 0): linear warm-up, then a
// cosine down to a tenth.
func schedule(step, warmup, steps int, peak float64) float64 {
	if step < warmup {
		return peak * float64(step+1) / float64(warmup)
	}
	if steps <= warmup {
		return peak
	}
	done := float64(step-warmup) / float64(steps-warmup)
	return peak * (0.1 + 0.9*0.5*(1+math.Cos(math.Pi*min(1, done))))
}
