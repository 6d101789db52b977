package kernel

import "math"

// What only some architectures need is portable code, the same for every Set:
// each output depends on its own inputs alone.

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
