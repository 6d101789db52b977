package html

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/structure anew")

// structure is what a page has, a line for each thing, in its order, with its rough place and
// size: those that come of the style and the drawings, and no height of a text, which goes with
// the machine's fonts.
const structure = `(() => {
  const near = (x) => Math.round(x / 10) * 10;
  const seen = (e) => e.getClientRects().length > 0;
  const type = (svg) => {
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    const sizes = [...svg.querySelectorAll("text")].map((t) => parseFloat(t.getAttribute("font-size")) * scale);
    return sizes.length ? Math.min(...sizes).toFixed(1) : "none";
  };
  const say = (e) => {
    const svg = e.tagName === "FIGURE" && [...e.querySelectorAll(".drawing svg")].filter(seen);
    if (svg && svg.length) {
      const box = svg[0].getBoundingClientRect();
      return "  figure " + e.id + " " + (svg[0].closest(".wide") ? "wide" : "narrow") + " at " + near(box.left) + ", " + near(box.width) + " by " + near(box.height) + ", type " + type(svg[0]) +
        (e.querySelector(".legend") ? ", legend of " + e.querySelectorAll(".legend li").length : "") + (e.querySelector(".save") ? ", save" : "");
    }
    if (e.tagName === "TABLE") {
      const head = [...e.querySelectorAll("thead th")];
      return "  table of " + head.length + " columns" + (!e.closest("details:not([open])") ? ", " + head.filter(seen).length + " seen" : ", folded") + ", " + e.tBodies[0].rows.length + " rows";
    }
    if (e.tagName === "DETAILS") return e.classList.contains("save") ? "" : "  fold: " + e.querySelector("summary").textContent;
    if (e.tagName === "FORM") return "  form of " + e.elements.length;
    if (e.tagName === "OL") return "  list of " + e.children.length;
    if (/^H[1-6]$/.test(e.tagName)) return (e.tagName < "H3" ? "" : "  ") + e.tagName.toLowerCase() + " " + e.textContent;
    if (e.matches(".verdicts, .warnings, .who, .legend, nav ul")) return (e.closest("section") ? "  " : "") + (e.className || "links") + " of " + e.children.length;
    return "";
  };
  return [...document.querySelectorAll("header *, main *")].filter((e) => !e.closest("figure") || e.tagName === "FIGURE").filter((e) => !e.closest("li")).map(say).filter((s) => s).join("\n");
})()`

// crowded are texts of drawings that lie over one another or outside of their drawing, drawings
// with type below 10 px, and figures that lie over one another.
const crowded = `(() => {
  const out = [];
  const over = (a, b) => Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) * Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const figures = [...document.querySelectorAll("figure")].filter((f) => f.getClientRects().length);
  const boxes = figures.map((f) => f.getBoundingClientRect());
  boxes.forEach((a, i) => boxes.slice(0, i).forEach((b, j) => { if (over(a, b) > 1) out.push("figure " + figures[i].id + " lies over " + figures[j].id); }));
  for (const f of figures) {
    const svg = [...f.querySelectorAll(".drawing svg")].find((s) => s.getClientRects().length);
    if (!svg) continue;
    const frame = svg.getBoundingClientRect(), scale = frame.width / svg.viewBox.baseVal.width;
    const texts = [...svg.querySelectorAll("text")].map((t) => [t.textContent, t.getBoundingClientRect(), parseFloat(t.getAttribute("font-size")) * scale]);
    for (const [text, box, size] of texts) {
      if (size < 10) out.push(f.id + ": type of " + size.toFixed(1) + " px: " + text);
      if (box.left < frame.left - 4 || box.right > frame.right + 4 || box.top < frame.top - 4 || box.bottom > frame.bottom + 4) out.push(f.id + ": outside of the drawing: " + text);
    }
    texts.forEach(([text, a], i) => texts.slice(0, i).forEach(([other, b]) => {
      if (over(a, b) > 0.15 * Math.min(a.width * a.height, b.width * b.height)) out.push(f.id + ": " + text + " lies over " + other);
    }));
  }
  return out;
})()`

// inEveryWindow checks a page at the widths of a phone and of windows, and in both themes.
func (b *tab) inEveryWindow(name string, check func(b *tab, width int)) {
	b.t.Helper()
	for _, c := range []struct {
		width int
		theme string
	}{{390, "light"}, {760, "light"}, {800, "dark"}, {1280, "light"}, {1280, "dark"}, {1600, "dark"}} {
		b.at(c.width, c.theme)
		check(b, c.width)
		for _, fault := range eval[[]string](b, crowded) {
			b.t.Errorf("at %d: %s", c.width, fault)
		}
		b.screenshot(fmt.Sprintf("%s-%d-%s", name, c.width, c.theme))
	}
	b.quiet()
}

// Without ECharts and without a network the page has it all, from a phone's width to a large
// window's and in both themes: what stands in testdata/structure (go test -update writes it),
// drawings with content and type that can be read, a table for every chart, nothing over
// another, no request, no complaint.
func TestPagesHaveTheirStructure(t *testing.T) {
	chromium := openBrowser(t)
	for name, p := range map[string]Page{
		"one": deepRuns(t, 1, 40), "two": twoRuns(t), "four": deepRuns(t, 4, 40),
		"course": courseOfRuns("a/step-10", "a/step-100", "a/step-1000", "a/step-10000", "b/step-10", "b/step-100", "b/step-1000", "b/step-10000"),
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, chromium, write(t, p), 1280, "light")
			var all strings.Builder
			for _, width := range []int{390, 760, 800, 1280, 1600} {
				b.at(width, "light")
				light := eval[string](b, structure)
				checkFigures(b, width, 4)
				for _, c := range eval[[]string](b, crowded) {
					t.Errorf("at %d: %s", width, c)
				}
				if width == 760 || width == 800 {
					continue // as the others, but for the drawings' sizes
				}
				fmt.Fprintf(&all, "At %d pixels\n\n%s\n\n", width, light)
				b.screenshot(fmt.Sprintf("%s-%d-light", name, width))
				b.at(width, "dark")
				if dark := eval[string](b, structure); dark != light {
					t.Errorf("at %d the dark page has another structure:\n%s\nthan the light one:\n%s", width, dark, light)
				}
				checkDrawings(b, width, 4)
				b.screenshot(fmt.Sprintf("%s-%d-dark", name, width))
			}
			b.quiet()
			path := filepath.Join("testdata", "structure", name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(all.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if line, got, old := firstDifference(all.String(), string(want)); line > 0 {
				t.Errorf("%s:%d: the page has %q; written down is %q", path, line, got, old)
			}
		})
	}
}

// firstDifference is the first line, from 1, in which two texts differ; 0 where none does.
func firstDifference(a, b string) (line int, inA, inB string) {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range max(len(x), len(y)) {
		if i < len(x) {
			inA = x[i]
		}
		if i < len(y) {
			inB = y[i]
		}
		if inA != inB || i >= len(x) || i >= len(y) {
			return i + 1, inA, inB
		}
	}
	return 0, "", ""
}

// The measures see what they are for: small type, a text over another, one outside of its
// drawing, and a figure over another.
func TestCrowdedDrawingsAreSeen(t *testing.T) {
	b := open(t, openBrowser(t), write(t, Page{Runs: twoRuns(t).Runs[:1]}), 1280, "light")
	raw := eval[json.RawMessage](b, `(() => {
  const seen = {}, svg = document.querySelector("#scores-chart .wide svg"), texts = svg.querySelectorAll("text");
  const tried = (what, attribute, value, e) => { const old = e.getAttribute(attribute); e.setAttribute(attribute, value); seen[what] = `+crowded+`.length; old === null ? e.removeAttribute(attribute) : e.setAttribute(attribute, old); };
  tried("nothing", "data-nothing", "", svg);
  tried("small type", "width", "300", svg);
  tried("over another", "x", texts[0].getAttribute("x"), texts[1]);
  tried("outside", "x", "-40", texts[0]);
  return seen;
})()`)
	var seen map[string]int
	if err := json.Unmarshal(raw, &seen); err != nil {
		t.Fatal(err)
	}
	for what, n := range seen {
		if (n == 0) != (what == "nothing") {
			t.Errorf("%s: %d faults seen", what, n)
		}
	}
}
