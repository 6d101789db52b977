package html

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/stress"
)

// madeStress is a test of n models with two methods at three numbers of bits.
func madeStress(n int, names string) *stress.Result {
	average := func(x float64) compare.Average {
		return compare.Average{Value: rundir.Number(x), Low: rundir.Number(x - 0.0625), High: rundir.Number(x + 0.0625)}
	}
	r := &stress.Result{
		Schema: stress.Schema, Suites: []string{"world"}, Level: 0.05, Confidence: 95, Headline: "made",
		Tasks:  []stress.Task{{Name: names + " quiz", Documents: 200, Chance: 0.25, Scored: true}, {Name: "text", Documents: 24, Chance: rundir.Number(nan)}},
		Claims: []stress.Claim{}, Files: []stress.File{{Task: "quiz", Path: "data/" + names, SHA256: strings.Repeat("ab", 32), Rows: 1234}}, Notes: []string{names + ": nothing was calibrated"},
	}
	for i := range n {
		m := stress.Model{Name: fmt.Sprint(names, " ", string(rune('a'+i))), Type: "llama", Attention: "softmax", Stored: "BF16", DType: "bfloat16", SHA256: strings.Repeat("cd", 32), Parameters: 1_053_824}
		add := func(setting, method string, bits int, damage float64) {
			c := stress.Cell{
				Setting: setting, Method: method, Bits: bits, Bytes: int64(100_000 * bits), Score: average(0.6 - damage), Kept: average(1 - 2*damage), KL: average(damage + 0.0625), Median: rundir.Number(damage / 3),
				P99: rundir.Number(9 * damage), SameTop: average(0.9375 - damage/8), Tokens: 2000, Kurtosis: 201.5, Largest: 116.25,
				Tasks: []stress.Score{{Task: names + " quiz", Metric: "acc", Value: 0.5}, {Task: "text", Metric: "bits_per_byte", Value: 1.5}},
			}
			if method == "" {
				c.KL, c.SameTop = compare.Average{Value: rundir.Number(nan), Low: rundir.Number(nan), High: rundir.Number(nan)}, average(1)
			}
			if bits == 2 {
				c.Warnings = []string{names + ": hardly above chance"}
			}
			m.Cells = append(m.Cells, c)
		}
		add(stress.Stored, "", 16, 0)
		for _, method := range []string{"rtn", "hqq"} {
			for _, bits := range []int{8, 4, 2} {
				add(fmt.Sprintf("%s:%d:64", method, bits), method, bits, 0.8/float64(bits*bits))
			}
		}
		r.Models = append(r.Models, m)
		if i > 0 {
			for k, verdict := range []stress.Verdict{stress.Holds, stress.DoesNot, stress.CannotTell} {
				r.Claims = append(r.Claims, stress.Claim{
					Setting: fmt.Sprintf("rtn:%d:64", 8>>k), Method: "rtn", Bits: 8 >> k, First: r.Models[0].Name, Second: m.Name, FirstKept: average(0.4), SecondKept: average(0.7),
					FirstHalf: stress.Less, SecondHalf: stress.More, Difference: average(0.3), Real: k == 0, Verdict: verdict,
				})
			}
		}
	}
	return r
}

func writeStress(t testing.TB, r *stress.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteStress(&b, r, "test"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestStressPage: every number is the JSON's, whatever the number of models, and the same result
// gives the same bytes.
func TestStressPage(t *testing.T) {
	for _, n := range []int{1, 2, 3} {
		page := writeStress(t, madeStress(n, "kind"))
		if page != writeStress(t, madeStress(n, "kind")) {
			t.Error("the same result gives two pages")
		}
		shown, faults := checkText(page)
		for _, f := range faults {
			t.Error(f)
		}
		if shown < 100*n {
			t.Errorf("%d numbers of %d models are shown", shown, n)
		}
		for _, from := range []string{"models/0/cells/6/score/value", "models/0/cells/6/kept/low", "models/0/cells/6/kl/high", "models/0/cells/1/bytes", "models/0/cells/0/kurtosis", "models/0/cells/2/largest", "tasks/0/chance", "files/0/rows"} {
			if !strings.Contains(page, `data-from="/`+from+`"`) {
				t.Errorf("%s is not on the page", from)
			}
		}
		if got := strings.Count(page, "<svg"); got != 4 {
			t.Errorf("%d drawings, want two of each method", got)
		}
		if has := strings.Contains(page, `data-from="/claims/0/difference/value"`); has != (n > 1) {
			t.Errorf("%d models: claims are shown: %v", n, has)
		}
	}
	if err := WriteStress(&bytes.Buffer{}, &stress.Result{}, ""); err == nil {
		t.Error("a page of no models is written")
	}
}

// TestHostileStressComesOutAsText: nothing of a name becomes a tag.
func TestHostileStressComesOutAsText(t *testing.T) {
	page := writeStress(t, madeStress(2, hostile))
	for _, bad := range []string{"<script>alert", "<img src=x", "</title><", "\x00", "\x1b", "<!--"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	var r stress.Result
	if err := json.Unmarshal([]byte(block(page, "report")), &r); err != nil || r.Models[0].Name != hostile+" a" {
		t.Errorf("the JSON has %v (%v)", r.Models, err)
	}
}

func TestStressPageInABrowser(t *testing.T) {
	b := open(t, openBrowser(t), writeStress(t, madeStress(2, "kind")), 1280, "light")
	b.inEveryWindow("stress", func(b *tab, width int) { checkDrawings(b, width, 4) })
}
