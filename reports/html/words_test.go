package html

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// Words and numbers that agree: each test has numbers beside which a page once said
// something else.

var tag = regexp.MustCompile(`<[^>]*>`)

// rowsOf are the rows of the section of that id, as plain text with | between cells.
func rowsOf(page, id string) (rows []string) {
	_, section, _ := strings.Cut(page, `<section id="`+id+`"`)
	section, _, _ = strings.Cut(section, "</section>")
	for _, row := range strings.Split(section, "<tr>")[1:] {
		row, _, _ = strings.Cut(row, "</tr>")
		row = strings.NewReplacer("</td>", "|", "</th>", "|").Replace(row)
		rows = append(rows, tag.ReplaceAllString(row, ""))
	}
	return rows
}

// top is what stands above the sections.
func top(page string) string {
	_, head, _ := strings.Cut(page, "<h1>")
	head, _, _ = strings.Cut(head, "<nav")
	return tag.ReplaceAllString(head, "")
}

// An interval that leaves out 0 beside "~" explains itself in its own row: the other one
// holds 0, and the row says so.
func TestAnIntervalBesideChanceExplainsItself(t *testing.T) {
	p := twoRuns(t)
	alone := 0
	page := write(t, p)
	rows := rowsOf(page, "differences")[1:]
	k := 0
	for i := range p.Comparison.Metrics {
		m := &p.Comparison.Metrics[i]
		row := rows[k]
		k++
		says := strings.Contains(row, "shown alone, not among several")
		excludes := m.Low > 0 || m.High < 0
		if decided := m.LowAdjusted > 0 || m.HighAdjusted < 0; decided != (m.Verdict != compare.Noise) && !m.Same() {
			t.Errorf("%s %s: [%v, %v] is %s", m.Task, m.Metric, m.LowAdjusted, m.HighAdjusted, m.Verdict)
		}
		if want := excludes && m.Verdict == compare.Noise; says != want {
			t.Errorf("%s %s: [%v, %v] alone, [%v, %v] adjusted, %s: the row says %q", m.Task, m.Metric, m.Low, m.High, m.LowAdjusted, m.HighAdjusted, m.Verdict, row)
		} else if want {
			alone++
		}
	}
	if alone == 0 {
		t.Error("no metric is shown alone and not among several: the test looks at the wrong runs")
	}
}

// Equal runs are the same, and nothing of theirs may be chance; of runs that are equal on
// one task alone, the page names it.
func TestEqualRunsAreTheSame(t *testing.T) {
	a := madeRun("one", 1, 60, 0)
	b := a
	b.Name = "copy"
	page := write(t, Page{Runs: []Run{a, b}, Comparison: compared(t, a, b)})
	if head := top(page); !strings.Contains(head, "one and copy are the same on 6 tasks") || strings.Contains(head, "chance") {
		t.Errorf("%s", head)
	}
	for _, row := range rowsOf(page, "differences")[1:] {
		if !strings.Contains(row, "|same|") {
			t.Errorf("%q", row)
		}
	}

	b = madeRun("other", 2, 60, 0.3)
	b.Samples = append([]rundir.Sample(nil), b.Samples...)
	for i := range b.Samples {
		if b.Samples[i].Task == "piqa" {
			b.Samples[i] = a.Samples[i]
		}
	}
	b.Manifest.Tasks[2] = a.Manifest.Tasks[2]
	head := top(write(t, Page{Runs: []Run{a, b}, Comparison: compared(t, a, b)}))
	if !strings.Contains(head, "On piqa both are the same.") || regexp.MustCompile(`piqa[^.]*chance`).MatchString(head) {
		t.Errorf("%s", head)
	}
}

// "Adjusted" and "corrected" stand over what was one of several, and over nothing else.
func TestCorrectedIsWhatWasCorrected(t *testing.T) {
	a, b := madeRun("one", 1, 80, 0), madeRun("two", 2, 80, 0.1)
	for _, r := range []*Run{&a, &b} {
		r.Manifest.Tasks = r.Manifest.Tasks[:1]
		r.Manifest.Tasks[0].Metrics = r.Manifest.Tasks[0].Metrics[:1]
		r.Manifest.Passkey, r.Manifest.Settings.Passkey = nil, nil
		r.Manifest.Settings.Tasks = r.Manifest.Settings.Tasks[:1]
		n := 0
		for n < len(r.Samples) && r.Samples[n].Task == "arc_easy" {
			n++
		}
		r.Samples = r.Samples[:n]
	}
	single := compared(t, a, b)
	for i, m := range single.Metrics {
		if m.Tests != 1 || m.P != m.Adjusted || m.Low != m.LowAdjusted {
			t.Fatalf("metric %d of one task: %+v", i, m)
		}
	}
	several := twoRuns(t)
	for name, c := range map[string]struct {
		page string
		want bool
	}{"single": {write(t, Page{Runs: []Run{a, b}, Comparison: single}), false}, "several": {write(t, several), true}} {
		rows := rowsOf(c.page, "differences")
		if got := strings.Contains(rows[0], "adjusted") && strings.Contains(rows[0], "alone"); got != c.want {
			t.Errorf("%s: the head says %q", name, rows[0])
		}
		if _, section, _ := strings.Cut(c.page, `id="differences-h"`); strings.Contains(tag.ReplaceAllString(strings.Split(section, "<table>")[0], ""), "adjust") != c.want {
			t.Errorf("%s: the words above the table are of the other kind", name)
		}
	}
}

// The p of diagnostics is the corrected one, and says so.
func TestDiagnosticsAreCorrected(t *testing.T) {
	p := twoRuns(t)
	change := compare.Change{Name: "sink_rate", A: 0.4, B: 0.3, Difference: -0.1, N: 12, Clusters: 6, Low: -0.15, High: -0.05, P: 0.01, Adjusted: 0.04, LowAdjusted: -0.19, HighAdjusted: -0.01}
	other := change
	other.Name = "mass"
	for n, want := range map[int]bool{1: false, 2: true} {
		p.Comparison.Diagnostics = []compare.Change{change, other}[:n]
		page := write(t, p)
		rows := rowsOf(page, "diagnostics")
		if got := strings.Contains(rows[0], "p, adjusted") && strings.Contains(page, "corrected for the number of measures"); got != want {
			t.Errorf("%d measures: the head says %q", n, rows[0])
		}
		if !strings.Contains(page, `data-from="/comparison/diagnostics/0/p_adjusted">0.040`) || strings.Contains(page, `data-from="/comparison/diagnostics/0/p">`) {
			t.Errorf("%d measures: another p than the one that decides is shown", n)
		}
	}
}

// Perplexities are ratios on a logarithmic axis, in one direction with the shares: right of
// the line is better. They were differences on axes of their own, right of which was worse.
func TestPerplexitiesAreRatios(t *testing.T) {
	p := twoRuns(t)
	page := write(t, p)
	if strings.Contains(page, "lower is better</figcaption>") && strings.Contains(page, `"forest-0"`) {
		t.Error("a perplexity has an axis of its own still")
	}
	if !strings.Contains(page, `<figure id="ratios"`) || !strings.Contains(page, "perplexity of A over that of B, log axis") {
		t.Fatal("no chart of ratios")
	}
	_, drawing, _ := strings.Cut(page, `<figure id="ratios"`)
	drawing, _, _ = strings.Cut(drawing, "</svg>")
	var at, ratio []float64
	for _, tick := range regexp.MustCompile(`<text text-anchor="middle" x="([0-9.]+)"[^>]*>([0-9.]+)</text>`).FindAllStringSubmatch(drawing, -1) {
		x, _ := strconv.ParseFloat(tick[1], 64)
		r, _ := strconv.ParseFloat(tick[2], 64)
		at, ratio = append(at, x), append(ratio, math.Log(r))
	}
	if len(at) < 3 {
		t.Fatalf("ticks at %v: too few to tell a scale", at)
	}
	slope := (at[len(at)-1] - at[0]) / (ratio[len(at)-1] - ratio[0])
	for i := range at {
		if want := at[0] + slope*(ratio[i]-ratio[0]); !(slope > 0) || math.Abs(at[i]-want) > 0.5 {
			t.Errorf("the tick of ratio %v is at %v, on a log axis at %v", math.Exp(ratio[i]), at[i], want)
		}
	}
	for i := range p.Comparison.Metrics {
		m := &p.Comparison.Metrics[i]
		want := float64(m.A / m.B)
		switch m.Metric {
		case "perplexity", "word_perplexity":
		case "bits_per_byte": // of the byte's perplexity
			want = math.Exp2(float64(m.A - m.B))
		default:
			if !math.IsNaN(float64(m.Ratio)) {
				t.Errorf("%s %s has the ratio %v", m.Task, m.Metric, m.Ratio)
			}
			continue
		}
		if math.Abs(float64(m.Ratio)/want-1) > 1e-9 || !(m.RatioLow < m.Ratio && m.Ratio < m.RatioHigh) {
			t.Errorf("%s %s: ratio %v [%v, %v], want %v", m.Task, m.Metric, m.Ratio, m.RatioLow, m.RatioHigh, want)
		}
		if decided := m.RatioLow > 1 || m.RatioHigh < 1; decided != (m.Verdict != compare.Noise) || decided && (m.Ratio > 1) != (m.Verdict == compare.Better) {
			t.Errorf("%s %s: ratio %v [%v, %v] is %s", m.Task, m.Metric, m.Ratio, m.RatioLow, m.RatioHigh, m.Verdict)
		}
	}
}

// Perplexity by position says of how many tokens and documents it is, and how sure.
func TestPositionsHaveIntervals(t *testing.T) {
	sample := func(hash string, likelihood ...float64) rundir.Sample {
		return rundir.Sample{Task: "text", DocHash: hash, PositionLikelihood: likelihood, PositionTokens: []int32{10, 10, int32(min(1, -likelihood[2]) * 10)}}
	}
	of, err := positionsOf([]rundir.Sample{sample("a", -10, -20, -30), sample("b", -14, -22, 0), sample("c", -12, -18, 0), sample("c", -12, -18, 0)})
	if err != nil {
		t.Fatal(err)
	}
	b := of[0].Buckets
	if b[0].Documents != 4 || b[0].Tokens != 40 || math.Abs(float64(b[0].Perplexity)-math.Exp(1.2)) > 1e-12 || !(b[0].Low < b[0].Perplexity && b[0].Perplexity < b[0].High) {
		t.Errorf("%+v", b[0])
	}
	if b[2].Documents != 1 || b[2].Tokens != 10 || !math.IsNaN(float64(b[2].Low)) || math.Abs(float64(b[2].Perplexity)-math.Exp(3)) > 1e-12 {
		t.Errorf("of one document: %+v", b[2])
	}
	// On the log scale, a cluster of two copies being one unit: r = 1.2, jackknifed over a,
	// b and the two of c: leaving one out gives 38/30, 34/30 and 24/20; t of 2 degrees.
	mean := (38.0/30 + 34.0/30 + 24.0/20) / 3
	v := 0.0
	for _, r := range []float64{38.0 / 30, 34.0 / 30, 24.0 / 20} {
		v += (r - mean) * (r - mean)
	}
	half := 4.302652729911275 * math.Sqrt(v*2/3)
	if got := math.Log(float64(b[0].High)) - 1.2; math.Abs(got-half) > 0.02*half {
		t.Errorf("the interval is %v wide each way, by hand %v", got, half)
	}
	rows := rowsOf(write(t, twoRuns(t)), "positions")
	if !strings.Contains(rows[0], "95% interval|tokens|documents") || strings.Count(rows[1], " to ") != 2 {
		t.Errorf("%q\n%q", rows[0], rows[1])
	}
}

// The mass of softmax, 0.999999 to 1.000001, is a constant and no chart; that of softpick
// is one, and so is a constant that another run does not share.
func TestConstantsAreFolded(t *testing.T) {
	soft, pick := madeRun("softmax", 1, 20, 0), madeRun("softpick", 2, 20, 0)
	addDiagnostics(&soft, 6, false)
	addDiagnostics(&pick, 6, true)
	for k, x := range []rundir.Number{0.999999, 1.000001, 1, 0.9999995, 1, 1} {
		soft.Manifest.Diagnostics.Layers[k].Mass = x
	}
	page := write(t, Page{Runs: []Run{soft}})
	const figure = "<figcaption>Mass: mean sum"
	if strings.Contains(page, figure) || !regexp.MustCompile(`Mass: mean sum of a query&#39;s weights: <data [^>]*>1.000</data> in every layer\.`).MatchString(page) {
		t.Error("the mass of softmax alone is a chart, or is not said")
	}
	if page := write(t, Page{Runs: []Run{soft, pick}, Comparison: compared(t, soft, pick)}); !strings.Contains(page, figure) {
		t.Error("the mass of both is not drawn")
	}
}

// acc_bytes has no row where it equals acc_norm, and has one where it does not.
func TestBytesLikeNormAreFolded(t *testing.T) {
	add := func(r *Run, task int, off rundir.Number) {
		m := r.Manifest.Tasks[task].Metrics[1]
		m.Name, m.Value = "acc_bytes", m.Value+off
		r.Manifest.Tasks[task].Metrics = append(r.Manifest.Tasks[task].Metrics, m)
	}
	a, b := madeRun("one", 1, 60, 0), madeRun("two", 2, 60, 0.1)
	for task := range 3 {
		add(&a, task, 0)
		add(&b, task, 0)
	}
	b.Manifest.Tasks[1].Metrics[2].Value -= 0.05 // of hellaswag
	rows := strings.Join(rowsOf(write(t, Page{Runs: []Run{a, b}}), "scores"), "\n")
	if n := strings.Count(rows, "acc_bytes"); n != 1 || !regexp.MustCompile(`hellaswag\|acc_bytes`).MatchString(rows) {
		t.Errorf("acc_bytes has %d rows; want hellaswag's:\n%s", n, rows)
	}

	c := &compare.Comparison{}
	norm := compare.Metric{Task: "piqa", Metric: "acc_norm", N: 10, A: 0.5, B: 0.6, Difference: 0.1, Low: -0.1, High: 0.3, P: 0.4}
	bytes := norm
	bytes.Metric = "acc_bytes"
	c.Metrics = []compare.Metric{norm, bytes}
	if !likeNorm(c.Metrics, &c.Metrics[1]) || likeNorm(c.Metrics, &c.Metrics[0]) {
		t.Error("equal ones are not folded, or acc_norm is")
	}
	for _, change := range []func(m *compare.Metric){func(m *compare.Metric) { m.P = 0.41 }, func(m *compare.Metric) { m.B = 0.61 }, func(m *compare.Metric) { m.Task = "arc" }} {
		c.Metrics[1] = bytes
		change(&c.Metrics[1])
		if likeNorm(c.Metrics, &c.Metrics[1]) {
			t.Errorf("%+v is folded into another", c.Metrics[1])
		}
	}
}
