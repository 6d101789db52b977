package stats

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"
)

// golden is testdata/golden.json: what SciPy and statsmodels say, written by
// testdata/make_golden.py, with their versions.
type golden struct {
	McNemar []struct {
		OnlyA int     `json:"only_a"`
		OnlyB int     `json:"only_b"`
		P     float64 `json:"p"`
		MidP  float64 `json:"mid_p"`
	} `json:"mcnemar"`
	Wilson         []shareCase `json:"wilson"`
	ClopperPearson []shareCase `json:"clopper_pearson"`
	Holm           []struct{ P, Adjusted []float64 }
	Mean           []struct {
		Values              []float64
		Clusters            []string
		Level               float64
		Mean, SE, Low, High float64
	}
	SignFlip []struct {
		Differences []float64
		P           float64
	} `json:"sign_flip"`
	Bootstrap []struct {
		Name       string
		Transform  string
		A, B       []float64
		Weights    []float64
		Clusters   []string
		Draws      int
		Seed       uint64
		Level      float64
		ValueA     float64 `json:"value_a"`
		ValueB     float64 `json:"value_b"`
		Difference float64
		SE         float64
		Percentile [2]float64
		BCa        [2]float64
		FirstDraws []string `json:"first_draws"`
	}
	Binary []struct {
		N               int
		OnlyA           int `json:"only_a"`
		OnlyB           int `json:"only_b"`
		Level           float64
		Percentile, BCa [2]float64
	}
	Tango []struct {
		N        int
		OnlyA    int `json:"only_a"`
		OnlyB    int `json:"only_b"`
		Level    float64
		Interval [2]float64
	}
	McNemarPower []powerCase `json:"mcnemar_power"`
	McNemarMDE   []powerCase `json:"mcnemar_mde"`
	McNemarN     []powerCase `json:"mcnemar_n"`
}

type shareCase struct {
	K, N     int
	Level    float64
	Interval [2]float64
}

type powerCase struct {
	N                                          int
	Discordance, Difference, Level, Power, MDE float64
}

func readGolden(t *testing.T) golden {
	t.Helper()
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// near compares with a relative tolerance (absolute below 1e-3).
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*max(1e-3, math.Abs(want))) {
		t.Errorf("%s: %.17g; the reference has %.17g", what, got, want)
	}
}

func cases[T any](t *testing.T, all []T) []T {
	t.Helper()
	if len(all) == 0 {
		t.Fatal("the golden file has no such cases")
	}
	return all
}

func TestMcNemarGolden(t *testing.T) {
	for _, c := range cases(t, readGolden(t).McNemar) {
		p, mid, err := McNemar(c.OnlyA, c.OnlyB)
		if err != nil {
			t.Fatal(err)
		}
		// Relative however small: p of 1e-250 is asked for to ten digits.
		if math.Abs(p-c.P) > 1e-10*c.P || math.Abs(mid-c.MidP) > 1e-9*c.MidP {
			t.Errorf("%d to %d: p %v, mid-p %v; the reference has %v, %v", c.OnlyA, c.OnlyB, p, mid, c.P, c.MidP)
		}
	}
}

func TestShareIntervalGolden(t *testing.T) {
	g := readGolden(t)
	for _, c := range cases(t, g.Wilson) {
		low, high, err := Wilson(c.K, c.N, c.Level)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "Wilson low", low, c.Interval[0], 1e-11)
		near(t, "Wilson high", high, c.Interval[1], 1e-11)
	}
	for _, c := range cases(t, g.Tango) {
		low, high := tango(float64(c.N), float64(c.OnlyA), float64(c.OnlyB), c.Level)
		near(t, "Tango low", low, c.Interval[0], 1e-9)
		near(t, "Tango high", high, c.Interval[1], 1e-9)
	}
	for _, c := range cases(t, g.ClopperPearson) {
		low, high := clopperPearsonLow(c.K, c.N, c.Level), 1-clopperPearsonLow(c.N-c.K, c.N, c.Level)
		near(t, "Clopper-Pearson low", low, c.Interval[0], 1e-9)
		near(t, "Clopper-Pearson high", high, c.Interval[1], 1e-9)
	}
}

func TestHolmGolden(t *testing.T) {
	for _, c := range cases(t, readGolden(t).Holm) {
		got, err := Holm(c.P)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			near(t, "Holm", got[i], c.Adjusted[i], 1e-14)
		}
	}
}

// Plain and clustered standard errors and t intervals of a paired difference are ordinary least squares on a constant.
func TestMeanGolden(t *testing.T) {
	for _, c := range cases(t, readGolden(t).Mean) {
		e, err := Mean(c.Values, c.Clusters, c.Level)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "mean", e.Value, c.Mean, 1e-13)
		near(t, "standard error", e.SE, c.SE, 1e-12)
		near(t, "low", e.Low, c.Low, 1e-9)
		near(t, "high", e.High, c.High, 1e-9)
		a := make([]float64, len(c.Values))
		b := make([]float64, len(c.Values))
		for i, v := range c.Values {
			a[i] = float64(i%3) - v/2
			b[i] = a[i] + v
		}
		got, err := Compare(Pairs{A: a, B: b, Clusters: c.Clusters}, Options{Draws: 200})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "paired difference", got.Diff, c.Mean, 1e-12)
		near(t, "its standard error", got.SE, c.SE, 1e-12)
		u := (&Pairs{A: a, B: b, Clusters: c.Clusters}).units(Share)
		low, high := u.student(-studentQuantile(c.Level/2, u.n()-1), got.Diff)
		near(t, "low", low, c.Low, 1e-9)
		near(t, "high", high, c.High, 1e-9)
	}
}

func TestSignFlipGolden(t *testing.T) {
	for _, c := range cases(t, readGolden(t).SignFlip) {
		got, err := SignFlip(c.Differences, 1000, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got.P != c.P || !got.Exact {
			t.Errorf("%v: %+v; the reference has p = %v", c.Differences, got, c.P)
		}
	}
}

// The same draws as the reference program's own random numbers, and SciPy's
// percentile and BCa intervals of them; the standard error is that of weighted
// least squares.
func TestBootstrapGolden(t *testing.T) {
	transforms := map[string]Transform{"share": Share, "perplexity": Perplexity, "bits": Bits}
	for _, c := range cases(t, readGolden(t).Bootstrap) {
		t.Run(c.Name, func(t *testing.T) {
			p := Pairs{A: c.A, B: c.B, Weights: c.Weights, Clusters: c.Clusters}
			tr, ok := transforms[c.Transform]
			if !ok {
				t.Fatalf("transform %q", c.Transform)
			}
			for method, want := range map[Method][2]float64{Percentile: c.Percentile, BCa: c.BCa} {
				o := Options{Transform: tr, Draws: c.Draws, Seed: c.Seed, Level: c.Level, Method: method}
				got, err := Compare(p, o)
				if err != nil {
					t.Fatal(err)
				}
				low, high, used := bootstrapOf(t, p, o)
				if used != method {
					t.Errorf("fell back to %s", used)
				}
				if got.Low > low || got.High < high {
					t.Errorf("[%v, %v] is narrower than the bootstrap's [%v, %v]", got.Low, got.High, low, high)
				}
				near(t, "A", got.A, c.ValueA, 1e-13)
				near(t, "B", got.B, c.ValueB, 1e-13)
				near(t, "difference", got.Diff, c.Difference, 1e-11)
				near(t, "standard error", got.SE, c.SE, 1e-11)
				near(t, string(method)+" low", low, want[0], 1e-8)
				near(t, string(method)+" high", high, want[1], 1e-8)
			}
			u := p.units(tr)
			first := make([]float64, len(c.FirstDraws))
			u.filler()(c.Seed, 0, first)
			for i, text := range c.FirstDraws {
				want, err := strconv.ParseFloat(text, 64)
				if err != nil {
					t.Fatal(err)
				}
				if first[i] != want {
					t.Errorf("draw %d: %x; the reference has %x", i, first[i], want)
				}
			}
		})
	}
}

func TestBinaryIntervalGolden(t *testing.T) {
	for _, c := range cases(t, readGolden(t).Binary) {
		for method, want := range map[Method][2]float64{Percentile: c.Percentile, BCa: c.BCa} {
			got, err := BinaryInterval(c.N, c.OnlyA, c.OnlyB, c.Level, method)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got.Low-want[0]) > 1e-9 || math.Abs(got.High-want[1]) > 1e-9 {
				t.Errorf("%d to %d of %d, %s: [%v, %v]; the reference has %v", c.OnlyA, c.OnlyB, c.N, method, got.Low, got.High, want)
			}
		}
	}
}

func TestPowerGolden(t *testing.T) {
	g := readGolden(t)
	for _, c := range cases(t, g.McNemarPower) {
		got := mcNemarPower(c.N, c.Discordance, c.Difference, criticalCounts(c.N, c.Level))
		near(t, "McNemar power", got, c.Power, 1e-9)
	}
	for _, c := range cases(t, g.McNemarMDE) {
		got, err := mcNemarMDE(c.N, c.Discordance, c.Level, Power)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "McNemar detectable effect", got, c.MDE, 1e-8)
	}
	for _, c := range cases(t, g.McNemarN) {
		got, err := McNemarN(c.Discordance, c.Difference, c.Level, Power)
		if err != nil {
			t.Fatal(err)
		}
		// Exact power is a sawtooth in n: the reference has its first crossing.
		if got < c.N || float64(got) > 1.05*float64(c.N)+2 {
			t.Errorf("needed documents: %d; the reference has %d", got, c.N)
		}
	}
}
