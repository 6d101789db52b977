package checkpoint

import "math"

// RopeScaling is how rotary frequencies are stretched beyond the base formula.
type RopeScaling struct {
	Type   string  // "default", "linear" or "llama3"
	Factor float64 // linear, llama3

	// llama3 only.
	LowFreqFactor, HighFreqFactor float64
	OriginalMaxPositions          int
}

// rope reads rotary settings in either spelling: rope_theta and rope_scaling, or
// the rope_parameters of transformers 5, which hold both. As there, rope_scaling
// wins over rope_parameters, and a rope_theta inside over one outside.
func (c *Config) rope(f *fields) {
	c.Rope.Type = "default"
	if f.isNull("rope_theta") {
		f.fail("rope_theta is null: want a number")
	}
	c.RopeTheta = f.positive("rope_theta", 10000)
	f.wholeRotary()
	r := f.object("rope_scaling")
	if r == nil || len(r.values) == 0 {
		r = f.object("rope_parameters")
	}
	if r == nil || f.err != nil {
		return
	}
	if c.ModelType == "transformer" && len(r.values) > 0 {
		f.fail("%s is not supported for model_type \"transformer\", which would ignore it: set it to null", r.prefix[:len(r.prefix)-1])
		return
	}
	defer func() {
		if f.err == nil {
			f.err = r.err
		}
	}()
	for _, nested := range []string{"full_attention", "sliding_attention"} {
		if r.has(nested) {
			r.fail("%s%s: rotary settings that differ by layer are not supported", r.prefix, nested)
		}
	}
	c.RopeTheta = r.positive("rope_theta", c.RopeTheta)
	r.wholeRotary()
	c.Rope.Type = r.text("rope_type", r.text("type", "default"))
	switch c.Rope.Type {
	case "default":
	case "linear":
		c.Rope.Factor = r.required("factor")
	case "llama3":
		c.Rope.Factor = r.required("factor")
		c.Rope.LowFreqFactor = r.required("low_freq_factor")
		c.Rope.HighFreqFactor = r.required("high_freq_factor")
		c.Rope.OriginalMaxPositions = r.dimension("original_max_position_embeddings", int64(c.MaxPositions))
		// Where the config has the key at its top, transformers prefers that.
		c.Rope.OriginalMaxPositions = f.dimension("original_max_position_embeddings", int64(c.Rope.OriginalMaxPositions))
		if r.err == nil && c.Rope.HighFreqFactor <= c.Rope.LowFreqFactor {
			r.fail("%shigh_freq_factor %v is not above low_freq_factor %v", r.prefix, c.Rope.HighFreqFactor, c.Rope.LowFreqFactor)
		}
	default:
		r.fail("%srope_type %q is not supported: want \"default\", \"linear\" or \"llama3\"", r.prefix, c.Rope.Type)
	}
}

// wholeRotary refuses heads that are rotated in part.
func (f *fields) wholeRotary() {
	if p := f.number("partial_rotary_factor", 1); p != 1 {
		f.fail("%spartial_rotary_factor %v is not supported: want 1", f.prefix, p)
	}
}

func (f *fields) required(key string) float64 {
	if f.err == nil && !f.has(key) {
		f.fail("%s%s is missing", f.prefix, key)
	}
	return f.positive(key, 1)
}

// InvFreq returns the rotary inverse frequencies, one for each of the HeadDim/2
// pairs (i, i+HeadDim/2), after scaling. The angle at position p is p times it.
//
// Each is a float32 value: transformers computes them, and rounds after every
// step, in float32 (compute_default_rope_parameters and ROPE_INIT_FUNCTIONS), and
// at position 100000 that rounding is visible in a logit. The power is rounded
// once from float64, where torch's may be off in its last place.
func (c *Config) InvFreq() []float64 {
	out := make([]float64, c.HeadDim/2)
	for i := range out {
		exponent := float32(2*i) / float32(c.HeadDim)
		f := 1 / float32(math.Pow(c.RopeTheta, float64(exponent)))
		switch c.Rope.Type {
		case "linear":
			f /= float32(c.Rope.Factor)
		case "llama3":
			f = c.Rope.llama3(f)
		}
		out[i] = float64(f)
	}
	return out
}

// llama3 keeps short wavelengths, divides long ones by the factor, and blends
// between the two in the middle.
func (r *RopeScaling) llama3(f float32) float32 {
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
