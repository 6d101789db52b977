package html

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"image/png"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// saved presses a figure's button, and returns the file that the browser keeps.
func (b *tab) saved(dir, figure, format string) []byte {
	b.t.Helper()
	path := filepath.Join(dir, figure+"."+strings.ToLower(format))
	if found := eval[bool](b, fmt.Sprintf(`(async () => {
  const box = document.querySelector("#%s .save");
  box.open = true;
  await new Promise((done) => setTimeout(done, 200));
  const button = [...box.querySelectorAll("button")].find((e) => e.textContent === %q);
  if (button) button.click();
  return !!button;
})()`, figure, format)); !found {
		b.t.Fatalf("%s has no button %s", figure, format)
	}
	for range 100 {
		if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
			return data
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.t.Fatalf("%s: nothing was saved", path)
	return nil
}

// The buttons download what they say: an SVG that looks the same opened alone, a PNG of twice
// the size, a PDF with its words, and the numbers of the page's JSON. Nothing is asked of a
// network, and hidden series are left out.
func TestButtonsDownload(t *testing.T) {
	p := twoRuns(t)
	for _, theme := range []string{"light", "dark"} {
		b := open(t, openBrowser(t), write(t, p), 1280, theme)
		dir := t.TempDir()
		if err := chromedp.Run(b.ctx, cdpbrowser.SetDownloadBehavior(cdpbrowser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir)); err != nil {
			t.Fatal(err)
		}
		words := map[string]string{"forest": "percentage points", "positions-0": "position in the window", "layers-0": "softpick", "passkey-0": "depth", "map-0-0": "query"}
		for figure, word := range words {
			svg := string(b.saved(dir, figure, "SVG"))
			for _, bad := range []string{"class=", "var(", "color-mix"} {
				if strings.Contains(svg, bad) {
					t.Errorf("%s.svg has %s", figure, bad)
				}
			}
			if !strings.Contains(svg, `xmlns="http://www.w3.org/2000/svg"`) || !strings.Contains(svg, word) {
				t.Errorf("%s.svg: %.300s", figure, svg)
			}
			img, err := png.Decode(bytes.NewReader(b.saved(dir, figure, "PNG")))
			if err != nil {
				t.Fatal(err)
			}
			size := eval[[]float64](b, fmt.Sprintf(`(async () => {
  const i = new Image();
  i.src = "data:image/svg+xml;charset=utf-8," + %q;
  await i.decode();
  return [i.width, i.height];
})()`, url.PathEscape(svg)))
			if dx := float64(img.Bounds().Dx()); dx != 2*size[0] {
				t.Errorf("%s.png is %v pixels wide, its drawing %v", figure, dx, size[0])
			}
			paper := img.At(1, img.Bounds().Dy()-2)
			if r, _, _, _ := paper.RGBA(); (r > 0x8000) != (theme == "light") {
				t.Errorf("%s.png: the paper is %v in the %s theme", figure, paper, theme)
			}
			pdf := b.saved(dir, figure, "PDF")
			if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
				t.Errorf("%s.pdf: %.80q", figure, pdf)
			}
			if _, err := exec.LookPath("pdftotext"); err == nil {
				out, err := exec.Command("pdftotext", "-raw", filepath.Join(dir, figure+".pdf"), "-").CombinedOutput()
				if err != nil || !strings.Contains(string(out), word) || strings.Contains(string(out), "rror") {
					t.Errorf("%s.pdf says %q: %v", figure, out, err)
				}
			} else {
				t.Log("no pdftotext (poppler-utils) in PATH: the PDFs are not read by another program")
			}
			rows, err := csv.NewReader(bytes.NewReader(b.saved(dir, figure, "CSV"))).ReadAll()
			if err != nil || len(rows) < 5 {
				t.Errorf("%s.csv has %d rows: %v", figure, len(rows), err)
			}
		}
		// The numbers are those of a figure made without a browser.
		figures, err := Figures(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range figures {
			if f.ID != "forest" && f.ID != "layers-0" && f.ID != "positions-0" {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, f.ID+".csv"))
			if err != nil {
				t.Fatal(err)
			}
			rows, _ := csv.NewReader(bytes.NewReader(data)).ReadAll()
			for k, want := range f.Chart.Table().Rows {
				for c, x := range want {
					var got, number float64
					if _, err := fmt.Sscan(x, &number); err != nil {
						continue
					}
					if _, err := fmt.Sscan(rows[k+1][c], &got); err != nil || math.Abs(got-number) > 1e-12*math.Abs(number) {
						t.Errorf("%s.csv row %d: %q, the figure has %q", f.ID, k+1, rows[k+1], want)
					}
				}
			}
		}
		b.quiet()
	}
}

// The pointer over a mark says its number, a legend hides a series, dragging shows a part and
// a double click all: of the page's own drawings, without a library.
func TestDrawingsAnswer(t *testing.T) {
	b := open(t, openBrowser(t), write(t, twoRuns(t)), 1280, "light")
	said := eval[[]string](b, `(() => ["forest", "layers-0", "passkey-0"].map((id) => {
  const svg = [...document.querySelectorAll("#" + id + " .drawing svg")].find((s) => s.getClientRects().length);
  const mark = svg.querySelector("path.stroke-paper, path[class*=stroke-heat]");
  svg.scrollIntoView({ block: "center" });
  const n = mark.getAttribute("d").match(/[-\d.]+/g).map(Number);
  const at = new DOMPoint(n[0] + 3, n[1]).matrixTransform(svg.getScreenCTM());
  svg.dispatchEvent(new PointerEvent("pointermove", { clientX: at.x, clientY: at.y }));
  const tip = document.querySelector(".tip");
  return tip.hidden ? "" : tip.textContent;
}))()`)
	for i, want := range []string{"arc_easy acc: +", "A, layer 0: ", " tokens, depth "} {
		if !strings.Contains(said[i], want) {
			t.Errorf("the pointer over a mark says %q; want %q", said[i], want)
		}
	}
	if hidden := eval[[]int](b, `(() => {
  const count = () => [...document.querySelectorAll("#layers-0 svg .stroke-run0")].filter((e) => e.getClientRects().length).length;
  const before = count(), item = document.querySelector("#diagnostics .legend").children[0];
  item.click();
  const after = count();
  item.click();
  return [before, after, count()];
})()`); hidden[0] == 0 || hidden[1] != 0 || hidden[2] != hidden[0] {
		t.Errorf("a legend shows %v lines before, hidden and after", hidden)
	}
	boxes := eval[[]string](b, `(() => {
  const svg = [...document.querySelectorAll("#forest .drawing svg")].find((s) => s.getClientRects().length);
  const box = svg.getBoundingClientRect();
  const at = (type, x, y) => svg.dispatchEvent(new PointerEvent(type, { pointerType: "mouse", clientX: box.left + x, clientY: box.top + y }));
  const out = [svg.getAttribute("viewBox")];
  at("pointerdown", 100, 20);
  at("pointerup", 300, 120);
  out.push(svg.getAttribute("viewBox"));
  svg.dispatchEvent(new MouseEvent("dblclick"));
  return [...out, svg.getAttribute("viewBox")];
})()`)
	if boxes[0] == boxes[1] || boxes[0] != boxes[2] {
		t.Errorf("dragging and a double click show %q", boxes)
	}
	b.quiet()
}
