package kernel

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// Every Set has the products that --dtype asks for. Any other pair it refuses by name, and does not
// compute as if it were one that it has.
func TestProductsAreLookedUp(t *testing.T) {
	for _, name := range Available() {
		s, err := ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		for a := range arithmetics {
			if err := FormatsOf(a).Check(s); err != nil {
				t.Error(err)
			}
			for f := range storages {
				formats := Formats{Storage: f, Arithmetic: a}
				err := formats.Check(s)
				if (err == nil) != s.Multiplies(f, a) {
					t.Errorf("%s, %v: %v", name, formats, err)
				}
				if err == nil {
					continue
				}
				for _, part := range []string{name, "weights kept as " + f.String(), "with " + a.String() + " arithmetic"} {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%q does not say %q", err, part)
					}
				}
				in := Input{}
				in.Reset(a, 1, 32)
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("%s multiplies %v", name, formats)
						}
					}()
					w := s.NewMatrix(f, 64, 32) // of int8 there is none: it has products of its own
					s.MatMul(make([]float32, 64), 64, &in, 0, 1, w, 0, 64, false)
				}()
			}
		}
	}
}

// A product is one row of a Set's table: here rounded weights with float32 arithmetic.
// docs/extending.md says so.
func TestANewProductIsOneRow(t *testing.T) {
	formats := Formats{Storage: StoredBFloat16, Arithmetic: Float32}
	if formats.Check(Generic{}) == nil {
		t.Fatal("the toy is there already")
	}
	cell := &genericProducts[StoredBFloat16][Float32]
	cell.panel, cell.row = panelBFloat16, rowFloat32
	t.Cleanup(func() { cell.panel, cell.row = nil, nil })
	if err := formats.Check(Generic{}); err != nil {
		t.Fatal(err)
	}
	const n, k = 24, 40
	rng := rand.New(rand.NewPCG(1, 2))
	weights, x := make([]float32, n*k), make([]float32, k)
	for i := range weights {
		weights[i] = FromBF16(ToBF16(rng.Float32() - 0.5))
	}
	for i := range x {
		x[i] = rng.Float32()
	}
	product := func(f Formats) []float32 {
		w, in, y := Generic{}.NewMatrix(f.Storage, n, k), Input{}, make([]float32, n)
		Generic{}.PackRows(w, 0, n, func(j int, dst []float32) { copy(dst, weights[j*k:]) })
		in.Reset(f.Arithmetic, 1, k)
		Generic{}.Prepare(&in, x, k, 0, 1)
		Generic{}.MatMul(y, n, &in, 0, 1, w, 0, n, false)
		return y
	}
	got, want := product(formats), product(FormatsOf(Float32))
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("output %d is %v; of the same weights in float32 %v", i, got[i], want[i])
		}
	}
}
