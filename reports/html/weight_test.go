package html

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// deepRuns is a page about runs of a model of 30 layers of 9 heads, as SmolLM2-135M has, with
// diagnostics and the attention maps that a run keeps unasked: of two heads of three layers, over
// 40 tokens.
func deepRuns(t testing.TB, n, docs int) Page {
	p := Page{Softbench: "test"}
	for k := range n {
		r := madeRun(fmt.Sprint("SmolLM2-135M ", string(rune('a'+k))), uint64(k+5), docs, 0.03*float64(k))
		addDiagnostics(&r, 30, k%2 == 1)
		r.Manifest.Process.Directory = "checkpoints/SmolLM2-135M"
		r.Maps, _ = MapsOf(recordedMaps(uint64(k), 30, 9), n)
		p.Runs = append(p.Runs, r)
	}
	if n > 1 {
		p.Comparison = compared(t, p.Runs...)
	}
	return p
}

// recordedMaps are attention maps as a run keeps them unasked.
func recordedMaps(seed uint64, layers, heads int) (out []rundir.MapRow) {
	r := rand.New(rand.NewPCG(seed, 3))
	words := strings.SplitAfter(configs.DefaultMaps.Text, " ")
	for _, layer := range []int{0, layers / 2, layers - 1} {
		for head := range min(2, heads) {
			m := rundir.MapRow{Layer: int32(layer), Head: int32(head)}
			for q := range configs.DefaultMaps.Tokens {
				m.Tokens = append(m.Tokens, words[q%len(words)])
				row, sum := make([]float64, q+1), 0.0
				for k := range row {
					row[k] = math.Exp(2 * r.NormFloat64())
					sum += row[k]
				}
				for _, w := range row {
					m.Weights = append(m.Weights, float32(w/sum))
				}
			}
			out = append(out, m)
		}
	}
	return out
}

// The bounds of a page about four runs of thirty layers.
const (
	mostBytes = 2_000_000
	mostNodes = 15_000 // elements and texts
)

// A page about four runs of thirty layers stays within its bounds, however many documents flipped,
// and no number of a map stands in it twice.
func TestFourDeepRunsStaySmall(t *testing.T) {
	p := deepRuns(t, 4, 800)
	for i, r := range p.Runs {
		if len(r.Maps) != 6 || len(r.Manifest.Diagnostics.Layers) != 30 {
			t.Fatalf("run %d has %d maps", i, len(r.Maps))
		}
	}
	page := write(t, p)
	if len(page) > mostBytes {
		t.Errorf("%d bytes, want at most %d", len(page), mostBytes)
	}
	if !strings.Contains(page, "the first of each task, to stay small") {
		t.Error("all documents have room: the page is small for want of them")
	}
	if n := strings.Count(page, fmt.Sprint(p.Runs[3].Maps[5].Weights[30][7])); n != 1 {
		t.Errorf("a weight stands %d times in the page", n)
	}
	b := open(t, openBrowser(t), page, 1280, "light")
	const nodes = `(() => { const w = document.createTreeWalker(document, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT); let n = 0; while (w.nextNode()) n++; return n; })()`
	n := eval[int](b, nodes)
	t.Logf("%d bytes, %d nodes", len(page), n)
	if n > mostNodes {
		t.Errorf("%d nodes, want at most %d", n, mostNodes)
	}
	checkDrawings(b, 1280, 30)
	b.quiet()
}

// A map's table is made when it is opened, of the page's JSON and without a network, and is
// there on paper; a table that is not opened is not.
func TestWeightsAreATable(t *testing.T) {
	p := deepRuns(t, 1, 20)
	b := open(t, openBrowser(t), write(t, p), 1280, "light")
	m := &p.Runs[0].Maps[3]
	cells := eval[[][]string](b, `(async () => {
  const box = document.querySelector("#map-0-3 details.weights");
  box.open = true;
  await new Promise((done) => setTimeout(done, 100));
  return [...box.querySelectorAll("tbody tr")].map((r) => [...r.children].map((c) => c.textContent + (c.firstElementChild ? " " + c.firstElementChild.value + " " + c.firstElementChild.dataset.from : "")));
})()`)
	if len(cells) != len(m.Tokens) {
		t.Fatalf("%d rows for %d tokens", len(cells), len(m.Tokens))
	}
	for q, row := range cells {
		if len(row) != q+2 || row[0] != m.Tokens[q] {
			t.Fatalf("row %d is %q", q, row)
		}
		for k, w := range m.Weights[q] {
			var shown, value float64
			var from string
			if _, err := fmt.Sscan(strings.Replace(row[k+1], "−", "-", 1), &shown, &value, &from); err != nil {
				t.Fatal(err)
			}
			want, _ := strconv.ParseFloat(strings.Replace(text.Figures(w), "−", "-", 1), 64)
			if math.Abs(shown-want) > 1.01e-3*want || value != w || from != fmt.Sprintf("/runs/0/attention_maps/3/weights/%d/%d", q, k) {
				t.Errorf("query %d, key %d: %q; the weight is %v", q, k, row[k+1], w)
			}
		}
	}
	if err := chromedp.Run(b.ctx, emulation.SetEmulatedMedia().WithMedia("print")); err != nil {
		t.Fatal(err)
	}
	if printed := eval[[]int](b, `[...document.querySelectorAll("details.weights")].map((d) => [...d.querySelectorAll("td")].filter((c) => c.getClientRects().length).length)`); fmt.Sprint(printed) != "[0 0 0 820 0 0]" {
		t.Errorf("weights on paper: %v", printed)
	}
	b.quiet()
}

// A task whose documents fill the page leaves room for the others', and the page's documents are
// in the order of the tasks.
func TestFlippedDocumentsShareTheRoom(t *testing.T) {
	a, b := madeRun("a", 1, 400, 0), madeRun("b", 2, 400, 0.1)
	all := findFlips(a.Samples, b.Samples, 1<<30)
	few := findFlips(a.Samples, b.Samples, 40_000)
	if all.Total != few.Total || all.Carried != all.Total || few.Carried != len(few.Shown) || few.Carried >= few.Total {
		t.Fatalf("%d of %d and %d of %d", all.Carried, all.Total, few.Carried, few.Total)
	}
	count := func(f *Flips) (order []string, n map[string]int) {
		n = map[string]int{}
		for _, d := range f.Shown {
			if n[d.Task]++; n[d.Task] == 1 {
				order = append(order, d.Task)
			}
		}
		return order, n
	}
	order, have := count(few)
	want, total := count(all)
	if fmt.Sprint(order) != fmt.Sprint(want) {
		t.Errorf("tasks %q, want %q", order, want)
	}
	most := slices.Max(slices.Collect(maps.Values(have)))
	for _, task := range want {
		if have[task] < min(total[task], most-2) {
			t.Errorf("%s has %d documents of %d, where another has %d", task, have[task], total[task], most)
		}
	}
	size := 0
	for i := range few.Shown {
		size += few.Shown[i].size(1 << 30)
	}
	if size > 40_000 || size < 35_000 {
		t.Errorf("%d bytes where there is room for 40,000", size)
	}
}
