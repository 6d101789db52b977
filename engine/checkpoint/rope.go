package checkpoint

import (
	"cmp"
	"math"
)

// Rotary is how a layer rotates queries and keys by their position.
type Rotary struct {
	Theta float64
	Dim   int // components of a head that are rotated, its first ones; even
	Scaling
}

// Scaling is how rotary frequencies are stretched beyond the base formula.
type Scaling struct {
	Type   string  // "default", "linear" or "llama3"
	Factor float64 // linear, llama3

	// llama3 only.
	LowFreqFactor, HighFreqFactor float64
	OriginalMaxPositions          int
}

// rotary reads rotary settings in either spelling: rope_theta and rope_scaling,
// or the rope_parameters of transformers 5, which hold both. As there,
// rope_scaling wins over rope_parameters, and a rope_theta inside over one
// outside. All layers are rotated alike.
func (c *Config) rotary(f *fields, d defaults) {
	r := Rotary{Scaling: Scaling{Type: "default"}}
	if f.isNull("rope_theta") {
		f.fail("rope_theta is null: want a number")
	}
	r.Theta = f.positive("rope_theta", cmp.Or(d.theta, 10000))
	part := f.rotatedShare(d, cmp.Or(d.partial, 1))
	p := f.object("rope_scaling")
	if p == nil || len(p.values) == 0 {
		p = f.object("rope_parameters")
	}
	if p != nil && f.err == nil && len(p.values) > 0 {
		for _, nested := range []string{fullAttention, slidingAttention} {
			if p.has(nested) {
				p.fail("%s%s: rotary settings that differ by layer are not supported for this model type", p.prefix, nested)
			}
		}
		r.Theta = p.positive("rope_theta", r.Theta)
		part = p.rotatedShare(d, part)
		r.Scaling = p.scaling(f, c.MaxPositions)
		if f.err == nil {
			f.err = p.err
		}
	}
	r.Dim = c.HeadDim
	if part != 1 {
		r.Dim = int(float64(c.HeadDim) * part)
	}
	c.Rotary = []Rotary{r}
}

// scaling reads p, a rope_scaling or rope_parameters of the config f.
func (p *fields) scaling(f *fields, maxPositions int) (s Scaling) {
	s.Type = p.text("rope_type", p.text("type", "default"))
	switch s.Type {
	case "default":
	case "linear":
		s.Factor = p.required("factor")
	case "llama3":
		s.Factor = p.required("factor")
		s.LowFreqFactor = p.required("low_freq_factor")
		s.HighFreqFactor = p.required("high_freq_factor")
		s.OriginalMaxPositions = p.dimension("original_max_position_embeddings", int64(maxPositions))
		// Where the config has the key at its top, transformers prefers that.
		s.OriginalMaxPositions = f.dimension("original_max_position_embeddings", int64(s.OriginalMaxPositions))
		if p.err == nil && s.HighFreqFactor <= s.LowFreqFactor {
			p.fail("%shigh_freq_factor %v is not above low_freq_factor %v", p.prefix, s.HighFreqFactor, s.LowFreqFactor)
		}
	default:
		p.fail("%srope_type %q is not supported: want \"default\", \"linear\" or \"llama3\"", p.prefix, s.Type)
	}
	return s
}

// rotatedShare reads partial_rotary_factor, and refuses it where the model type
// rotates whole heads.
func (f *fields) rotatedShare(d defaults, absent float64) float64 {
	p := f.number("partial_rotary_factor", absent)
	switch {
	case d.partial == 0 && p != 1:
		f.fail("%spartial_rotary_factor %v is not supported for this model type: want 1", f.prefix, p)
	case !(p > 0 && p <= 1):
		f.fail("%spartial_rotary_factor %v: want a share of a head, above 0 and at most 1", f.prefix, p)
	}
	return p
}

// share reads a number above 0 and at most 1.
func (f *fields) share(key string, absent float64) float64 {
	v := f.positive(key, absent)
	if v > 1 {
		f.fail("%s%s is %v: want at most 1", f.prefix, key, v)
	}
	return v
}

func (f *fields) required(key string) float64 {
	if f.err == nil && !f.has(key) {
		f.fail("%s%s is missing", f.prefix, key)
	}
	return f.positive(key, 1)
}

// InvFreq returns the rotary inverse frequencies, one for each of the Dim/2
// pairs (i, i+Dim/2), after scaling. The angle at position p is p times it.
//
// Each is a float32 value: transformers computes them, and rounds after every
// step, in float32 (compute_default_rope_parameters and ROPE_INIT_FUNCTIONS), and
// at position 100000 that rounding is visible in a logit. The power is rounded
// once from float64, where torch's may be off in its last place.
func (r *Rotary) InvFreq() []float64 {
	out := make([]float64, r.Dim/2)
	for i := range out {
		exponent := float32(2*i) / float32(r.Dim)
		f := 1 / float32(math.Pow(r.Theta, float64(exponent)))
		switch r.Type {
		case "linear":
			f /= float32(r.Factor)
		case "llama3":
			f = r.llama3(f)
		}
		out[i] = float64(f)
	}
	return out
}

// llama3 keeps short wavelengths, divides long ones by the factor, and blends
// between the two in the middle.
func (r *Scaling) llama3(f float32) float32 {
	original := float64(r.OriginalMaxPositions)
	// Torch divides a number by a tensor as the number times the reciprocal.
	wavelength := float32(2*math.Pi) * float32(1/f)
	switch {
	case wavelength > float32(original/r.LowFreqFactor):
		return f / float32(r.Factor)
	case wavelength < float32(original/r.HighFreqFactor):
		return f
	}
	smooth := (float32(float32(original)*float32(1/wavelength)) - float32(r.LowFreqFactor)) / float32(r.HighFreqFactor-r.LowFreqFactor)
	long := float32((1-smooth)*f) / float32(r.Factor)
	return long + float32(smooth*f)
}
