package kernel

import "math"

// What only some architectures need is portable code, the same for every Set:
// each output depends on its own inputs alone.

// LayerNorm writes (x-mean)/sqrt(var+eps)·weight + bias into dst (may be x), var
// being the mean of the squared distances from the mean; weight and bias may be
// nil. Sums are float64.
func LayerNorm(dst, x, weight, bias []float32, eps float32) {
	var sum float64
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	var squares float64
	for _, v := range x {
		d := float64(v) - mean
		squares += d * d
	}
	r := 1 / math.Sqrt(squares/float64(len(x))+float64(eps))
	for i, v := range x {
		y := float32((float64(v) - mean) * r)
		if weight != nil {
			y *= weight[i]
		}
		if bias != nil {
			y += bias[i]
		}
		dst[i] = y
	}
}

// SiLU replaces x by x/(1+e^-x).
func SiLU(x []float32) {
	for i, v := range x {
		x[i] = v / (1 + exp32(-v))
	}
}

// QuickGELU replaces x by x/(1+e^-1.702x).
func QuickGELU(x []float32) {
	for i, v := range x {
		x[i] = v / (1 + exp32(-1.702*v))
	}
}

// GELU replaces x by x·Φ(x), Φ the normal distribution's.
func GELU(x []float32) {
	for i, v := range x {
		x[i] = float32(0.5 * float64(v) * math.Erfc(-float64(v)/math.Sqrt2))
	}
}

// GELUTanh replaces x by 0.5x(1+tanh(u)), u = √(2/π)(x+0.044715x³), written as
// x/(1+e^-2u).
func GELUTanh(x []float32) {
	const twice = 2 * 0.7978845608028654
	for i, v := range x {
		u := twice * (float64(v) + 0.044715*float64(v)*float64(v)*float64(v))
		x[i] = float32(float64(v) / (1 + math.Exp(-u)))
	}
}

// ReLU replaces x by max(x, 0).
func ReLU(x []float32) {
	for i, v := range x {
		if v < 0 {
			x[i] = 0
		}
	}
}

// ReLU2 replaces x by max(x, 0)².
func ReLU2(x []float32) {
	for i, v := range x {
		if v < 0 {
			v = 0
		}
		x[i] = v * v
	}
}

// XIELU replaces x by ax²+βx where x > 0, else by b(e^min(x,ε)-1-x)+βx.
func XIELU(x []float32, a, b, beta, eps float32) {
	for i, v := range x {
		if v > 0 {
			x[i] = a*v*v + beta*v
		} else {
			x[i] = (float32(math.Expm1(float64(min(v, eps))))-v)*b + beta*v
		}
	}
}

// ClampedSwiGLU writes gpt_oss's gate into gate: with gate and up cut off at limit, and
// up at -limit too, gate/(1+e^-α·gate)·(up+1).
func ClampedSwiGLU(gate, up []float32, alpha, limit float32) {
	for i, g := range gate {
		g = min(g, limit)
		u := max(-limit, min(limit, up[i]))
		gate[i] = (u + 1) * (g / (1 + exp32(-alpha*g)))
	}
}

// Multiply multiplies x by y, element by element.
func Multiply(x, y []float32) {
	for i, v := range y[:len(x)] {
		x[i] *= v
	}
}

// Gate multiplies x by 1/(1+e^-gate), element by element.
func Gate(x, gate []float32) {
	for i, g := range gate[:len(x)] {
		x[i] *= 1 / (1 + exp32(-g))
	}
}

// Add adds a·y to x.
func Add(x, y []float32, a float32) {
	for i, v := range y[:len(x)] {
		x[i] += a * v
	}
}

// SoftCap replaces x by c·tanh(x/c).
func SoftCap(x []float32, c float32) {
	for i, v := range x {
		x[i] = float32(float64(c) * math.Tanh(float64(v)/float64(c)))
	}
}

// Clip cuts x off at ±c.
func Clip(x []float32, c float32) {
	for i, v := range x {
		x[i] = max(-c, min(c, v))
	}
}
