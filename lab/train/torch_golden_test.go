package train

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/kernel"
)

// torchCase is one of testdata/torch.json's, made by torch_goldens.py.
type torchCase struct {
	Kind, Regime string
	Tied         bool
	HeadDim      int `json:"head_dim"` // 0: the width divided by the heads
	Loss         float64
	DeadRows     int `json:"dead_rows"`
	Rows         int
	Gradient     []byte // float32, in the order of Tensors
	// ScaleTerms are, by layer and head, the sums of the absolute values of the
	// terms of the scales' gradients.
	ScaleTerms []float64 `json:"scale_terms"`
}

func readTorch(t *testing.T, file string) (ids, targets []int32, cases []torchCase) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		IDs, Targets []int32
		Cases        []torchCase
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g.IDs, g.Targets, g.Cases
}

// torchWeights sets the parameters by torch_goldens.py's rule.
func torchWeights(p *Params, regime string) {
	const size = 4
	state := uint64(7 + slices.Index([]string{"mixed", "dead-head", "negative"}, regime))
	layers, heads := 0, 1
	switch regime {
	case "dead-head":
		layers = 1
	case "negative":
		layers, heads = 2, 2
	}
	all := p.Tensors()
	for _, t := range all {
		for i := range t.Data {
			state = state*6364136223846793005 + 1442695040888963407
			v := float32(int(state>>40&0xfff)-2048) / 4096
			switch {
			case hasSuffix(t.Name, scaleSuffix):
				t.Data[i] = 0.5 + v/2
			case len(t.Shape) == 1:
				t.Data[i] = 1 + v/4
			default:
				t.Data[i] = 2 * v
			}
		}
		if t.Name == embedName && regime != "mixed" {
			for i := 0; i < len(t.Data); i += 8 {
				t.Data[i] = 8
			}
		}
	}
	for l := range layers {
		for _, t := range all {
			sign := float32(0)
			if strings.HasPrefix(t.Name, "model.layers."+string(rune('0'+l))) {
				switch {
				case hasSuffix(t.Name, "q_proj.weight"):
					sign = 1
				case hasSuffix(t.Name, "k_proj.weight"):
					sign = -1
				}
			}
			if sign == 0 {
				continue
			}
			for i := range t.Data[:heads*size*8] {
				t.Data[i] /= 8
			}
			for h := range heads {
				t.Data[(h*size+1)*8] = sign
			}
		}
	}
}

// magnified are the cases in which float32 cannot give 2e-5, whatever the kernels:
// backward computes weights anew as e^(x-lse), and lse's own rounding is common
// to a row. It counts where a rectified row's only positive score is close to zero
// (a weight is then the difference of two numbers in the hundreds), and where
// softmax's scores are all far below zero.
var magnified = map[string]float64{
	"dead-head rectified": 1.2e-4, "dead-head scaled-rectified": 1.2e-4,
	"negative softmax": 4e-5, "negative scaled-softmax": 4e-5,
}

// TestEqualsAutograd: loss and gradient of every kind, with rows and heads that
// see no score above zero, are PyTorch's (float64) within float32's rounding: the
// loss by 2e-6, the gradient of each parameter by 2e-5 of its norm, that of a scale,
// a sum that cancels, by 2e-5 of its terms, but for those in magnified.
func TestEqualsAutograd(t *testing.T) {
	ids, targets, cases := readTorch(t, "testdata/torch.json")
	if len(cases) != 3*len(specs()) {
		t.Fatalf("%d cases; want every kind, and its scaled form, in three regimes", len(cases))
	}
	_, _, others := readTorch(t, "testdata/torch_head_dim.json")
	if len(others) != len(plainKinds()) {
		t.Fatalf("%d cases with a head size of their own; want every kind", len(others))
	}
	cases = append(cases, others...)
	_, _, more := readTorch(t, "testdata/torch_remedies.json")
	if len(more) != len(remedies) {
		t.Fatalf("%d cases of learned sinks, gates and soft caps; want %d", len(more), len(remedies))
	}
	cases = append(cases, more...)
	for _, name := range kernel.Available() {
		set, err := kernel.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for _, c := range cases {
			spec, err := attention.Parse(c.Kind)
			if err != nil {
				t.Fatal(err)
			}
			if c.DeadRows == 0 || c.Regime == "negative" && c.DeadRows != c.Rows {
				t.Errorf("%s %s: %d dead rows of %d", c.Regime, c.Kind, c.DeadRows, c.Rows)
			}
			m, err := NewModel(Config{
				Hidden: 8, Intermediate: 12, Layers: 2, Heads: 2, HeadSize: c.HeadDim, Vocab: 13, Context: 20, Attention: spec.Kind, Scaled: spec.Scaled, Gated: spec.Gated, Cap: spec.Cap, RopeTheta: 1e6, NormEps: 1e-5, Tie: c.Tied,
			}, 2, set, 2)
			if err != nil {
				t.Fatal(err)
			}
			torchWeights(m.Params, c.Regime)
			loss, err := m.Step(context.Background(), ids, targets, 1)
			if err != nil {
				t.Fatal(err)
			}
			if !(math.Abs(loss-c.Loss) < 2e-6*c.Loss) {
				t.Errorf("%s, %s %s: loss %.9f, PyTorch's %.9f", set.Name(), c.Regime, c.Kind, loss, c.Loss)
			}
			limit := 2e-5
			if l, ok := magnified[c.Regime+" "+c.Kind]; ok {
				limit = l
			}
			data, terms := c.Gradient, c.ScaleTerms
			for _, g := range m.Grads.Tensors() {
				var off, norm float64
				for i, x := range g.Data {
					want := float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
					off += (float64(x) - want) * (float64(x) - want)
					norm += want * want
				}
				data = data[4*len(g.Data):]
				if hasSuffix(g.Name, scaleSuffix) {
					norm = 0
					for _, x := range terms[:len(g.Data)] {
						norm += x * x
					}
					terms = terms[len(g.Data):]
				}
				if norm == 0 && off == 0 {
					continue
				}
				ratio := math.Sqrt(off / norm)
				worst = math.Max(worst, ratio)
				if !(ratio < limit) {
					t.Errorf("%s, %s %s: the gradient of %s is off by %.2g of its norm", set.Name(), c.Regime, c.Kind, g.Name, ratio)
				}
			}
			if len(data) != 0 || len(terms) != 0 {
				t.Errorf("%s %s: the golden has %d bytes and %d terms more", c.Regime, c.Kind, len(data), len(terms))
			}
		}
		t.Logf("%s: gradients off by at most %.2g of their norms", set.Name(), worst)
	}
}
