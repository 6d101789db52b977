package checkpoint

import (
	"cmp"
	"encoding/json"
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
	Type   string  // "default", "linear", "dynamic", "yarn", "longrope" or "llama3"
	Factor float64 // linear, yarn, llama3

	LowFreqFactor, HighFreqFactor float64   // llama3
	OriginalMaxPositions          int       // llama3, yarn, longrope
	BetaFast, BetaSlow            float64   // yarn
	Whole                         bool      // yarn: its range is not rounded to whole components
	Short                         []float64 // longrope, one for each pair
	Alpha                         float64   // dynamic, HunYuan's; 0: none
	Amplitude                     float64   // of cosines and sines; 0: 1
	// QueryBeta multiplies queries by 1+β·ln(1+floor(position/OriginalMaxPositions)).
	QueryBeta float64
}

// rotary reads rotary settings in either spelling: rope_theta and rope_scaling,
// or the rope_parameters of transformers 5, which hold both. As there,
// rope_scaling wins over rope_parameters, and a rope_theta inside over one
// outside. All layers are rotated alike.
func (c *Config) rotary(f *fields, d defaults) {
	if f.isNull("rope_theta") {
		f.fail("rope_theta is null: want a number")
	}
	theta := f.positive("rope_theta", cmp.Or(d.theta, 10000))
	part := f.rotatedShare(d, cmp.Or(d.partial, 1))
	p := f.rope(d)
	for _, nested := range []string{fullAttention, slidingAttention} {
		if p != nil && p.has(nested) {
			f.fail("%s%s: rotary settings that differ by layer are not supported for this model type", p.prefix, nested)
		}
	}
	c.Rotary = []Rotary{c.rotaryOf(f, p, d, theta, part)}
}

// rope is the object that holds the rotary settings, the config class's where the
// config has none; nil for none at all.
func (f *fields) rope(d defaults) *fields {
	p := f.object("rope_scaling")
	if p == nil || len(p.values) == 0 {
		p = f.object("rope_parameters")
	}
	if p == nil && d.rope != "" && f.err == nil {
		own := &fields{values: map[string]json.RawMessage{"rope_parameters": json.RawMessage(d.rope)}}
		p = own.object("rope_parameters")
	}
	return p
}

// rotaryByType reads the rotary settings of full layers, Rotary[0], and of
// sliding ones, Rotary[1]: an object for each in rope_parameters, or, in the
// older spelling, rope_theta and rope_scaling for full ones and localKey, absent
// where it has none, for sliding ones.
func (c *Config) rotaryByType(f *fields, d defaults, localKey string, absent float64, sliding []bool) {
	theta, local := f.positive("rope_theta", cmp.Or(d.theta, 10000)), f.positive(localKey, absent)
	full, own := f.object("rope_scaling"), (*fields)(nil)
	if p := f.object("rope_parameters"); p != nil && len(p.values) > 0 && f.err == nil {
		if !p.has(fullAttention) && !p.has(slidingAttention) {
			f.fail("rope_parameters has neither %s nor %s", fullAttention, slidingAttention)
		}
		of := p.object(slidingAttention)
		own = of
		if of := p.object(fullAttention); full == nil {
			full = of
		}
		if f.err == nil {
			f.err = p.err
		}
	}
	c.Rotary = []Rotary{c.rotaryOf(f, full, d, theta, 1), c.rotaryOf(f, own, d, local, 1)}
	c.eachBlock(func(i int, b *Block) {
		if sliding[i] {
			b.Rotary = 1
		}
	})
}

// rotaryOf reads p, an object of rotary settings; nil for none.
func (c *Config) rotaryOf(f, p *fields, d defaults, theta, part float64) Rotary {
	r := Rotary{Theta: theta, Scaling: Scaling{Type: "default"}}
	if p != nil && f.err == nil && len(p.values) > 0 {
		r.Theta = p.positive("rope_theta", r.Theta)
		part = p.rotatedShare(d, part)
		if d.mrope && p.text("rope_type", p.text("type", "")) == "mrope" {
			p.set("rope_type", "default")
		}
		r.Scaling = p.scaling(f, c)
		if f.err == nil {
			f.err = p.err
		}
	}
	r.Dim = c.HeadDim
	if part != 1 {
		r.Dim = int(float64(c.HeadDim) * part)
	}
	return r
}

// scaling reads p, a rope_scaling or rope_parameters of the config f.
func (p *fields) scaling(f *fields, c *Config) (s Scaling) {
	s.Type = p.text("rope_type", p.text("type", "default"))
	switch s.Type {
	case "default":
	case "linear":
		s.Factor = p.required("factor")
	case "llama3":
		s.Factor = p.required("factor")
		s.LowFreqFactor = p.required("low_freq_factor")
		s.HighFreqFactor = p.required("high_freq_factor")
		s.OriginalMaxPositions = p.dimension("original_max_position_embeddings", int64(c.MaxPositions))
		// Where the config has the key at its top, transformers prefers that.
		s.OriginalMaxPositions = f.dimension("original_max_position_embeddings", int64(s.OriginalMaxPositions))
		if p.err == nil && s.HighFreqFactor <= s.LowFreqFactor {
			p.fail("%shigh_freq_factor %v is not above low_freq_factor %v", p.prefix, s.HighFreqFactor, s.LowFreqFactor)
		}
	case "dynamic": // stretched only beyond MaxPositions, the longest that is computed
		if p.required("factor"); p.has("alpha") { // HunYuan's: a base stretched once for all
			s.Alpha = p.positive("alpha", 1)
		}
	case "yarn":
		p.yarn(f, c, &s)
	case "longrope", "su":
		p.longrope(f, c, &s)
	default:
		p.fail("%srope_type %q is not supported: want \"default\", \"linear\", \"dynamic\", \"yarn\", \"longrope\" or \"llama3\"", p.prefix, s.Type)
	}
	return s
}

// original reads the context length before stretching: inside, else at the
// config's top, else the config's whole context.
func (p *fields) original(f *fields, c *Config) int {
	top := f.dimension("original_max_position_embeddings", int64(c.MaxPositions))
	return p.dimension("original_max_position_embeddings", int64(top))
}

// yarn reads YaRN's settings (arXiv 2309.00071) and works out the factor of
// cosines and sines, as transformers' _compute_yarn_parameters does.
func (p *fields) yarn(f *fields, c *Config, s *Scaling) {
	s.OriginalMaxPositions = p.original(f, c)
	s.Factor = p.required("factor")
	s.BetaFast, s.BetaSlow = p.positive("beta_fast", 32), p.positive("beta_slow", 1)
	s.Whole = !p.flag("truncate", true)
	mscale := func(key string) float64 {
		if s.Factor <= 1 {
			return 1
		}
		return 0.1*p.number(key, 1)*math.Log(s.Factor) + 1
	}
	s.Amplitude = mscale("")
	if m, all := p.number("mscale", 0), p.number("mscale_all_dim", 0); m != 0 && all != 0 {
		s.Amplitude = mscale("mscale") / mscale("mscale_all_dim")
	}
	s.Amplitude = p.positive("attention_factor", s.Amplitude)
}

// longrope reads LongRoPE's factors for the original context, which is all that
// is computed: beyond it transformers takes others for the whole sequence.
func (p *fields) longrope(f *fields, c *Config, s *Scaling) {
	s.Type = "longrope"
	s.OriginalMaxPositions = p.original(f, c)
	s.Short = p.numbers("short_factor")
	factor := p.positive("factor", float64(c.MaxPositions)/float64(max(1, s.OriginalMaxPositions)))
	s.Amplitude = 1
	if factor > 1 {
		s.Amplitude = math.Sqrt(1 + math.Log(factor)/math.Log(float64(s.OriginalMaxPositions)))
	}
	s.Amplitude = p.positive("attention_factor", s.Amplitude)
	c.MaxPositions = min(c.MaxPositions, s.OriginalMaxPositions)
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
	theta := r.Theta
	if r.Alpha != 0 {
		theta *= math.Pow(r.Alpha, float64(r.Dim)/float64(r.Dim-2))
	}
	var low, high float64
	if r.Type == "yarn" {
		low, high = r.yarnRange()
	}
	for i := range out {
		exponent := float32(2*i) / float32(r.Dim)
		f := 1 / float32(math.Pow(theta, float64(exponent)))
		switch r.Type {
		case "linear":
			f /= float32(r.Factor)
		case "yarn":
			pos := 1 / f
			ramp := float32(min(1, max(0, (float64(i)-low)/(high-low))))
			f = 1/(float32(r.Factor)*pos)*ramp + f*(1-ramp)
		case "longrope":
			f = 1 / (float32(r.Short[i]) * float32(math.Pow(theta, float64(exponent))))
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

// yarnRange is the components between which YaRN blends stretched and unstretched
// frequencies: those that turn BetaFast and BetaSlow times in the original context.
func (r *Rotary) yarnRange() (low, high float64) {
	at := func(turns float64) float64 {
		return float64(r.Dim) * math.Log(float64(r.OriginalMaxPositions)/(turns*2*math.Pi)) / (2 * math.Log(r.Theta))
	}
	low, high = at(r.BetaFast), at(r.BetaSlow)
	if !r.Whole {
		low, high = math.Floor(low), math.Ceil(high)
	}
	low, high = max(low, 0), min(high, float64(r.Dim-1))
	if low == high {
		high += 0.001
	}
	return low, high
}
