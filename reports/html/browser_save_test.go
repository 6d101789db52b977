package html

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
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
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// save opens a figure's box and presses its buttons, for the browser to keep the files in a folder.
func (b *tab) save(dir, figure string, formats []string) map[string][]byte {
	b.t.Helper()
	raw, _ := json.Marshal(formats)
	if found := eval[[]string](b, fmt.Sprintf(`(async () => {
  const box = document.querySelector("#%s .save"), found = [];
  box.open = true;
  for (let k = 0; k < 50 && box.children.length < 2; k++) await new Promise((done) => setTimeout(done, 10));
  for (const format of %s) {
    const button = [...box.querySelectorAll("button")].find((e) => e.textContent === format);
    if (!button) continue;
    found.push(format);
    button.click();
  }
  return found;
})()`, figure, raw)); len(found) != len(formats) {
		b.t.Fatalf("%s has buttons %q", figure, found)
	}
	out := map[string][]byte{}
	for tries := 0; len(out) < len(formats); tries++ {
		if tries == 1000 {
			b.t.Fatalf("%s: of %q not all were saved", figure, formats)
		}
		time.Sleep(10 * time.Millisecond)
		for _, format := range formats {
			if data, err := os.ReadFile(filepath.Join(dir, figure+"."+strings.ToLower(format))); err == nil && len(data) > 0 {
				out[format] = data
			}
		}
	}
	return out
}

// drawn is a figure's drawing as the page's style shows it, two pixels to a px, without what
// stands beside it: a copy in the window's corner, where a px begins with a pixel.
func (b *tab) drawn(figure string) image.Image {
	b.t.Helper()
	size := eval[[]float64](b, fmt.Sprintf(`(() => {
  const svg = [...document.querySelectorAll("#%s .drawing svg")].find((s) => s.getClientRects().length), box = document.createElement("div");
  box.className = "drawing";
  box.id = "copy";
  box.append(svg.cloneNode(true));
  Object.assign(box.style, { position: "fixed", left: 0, top: 0, zIndex: 9, background: "var(--paper)" });
  document.body.append(box);
  return [svg.viewBox.baseVal.width, svg.viewBox.baseVal.height];
})()`, figure))
	var data []byte
	if err := chromedp.Run(b.ctx, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		data, err = cdppage.CaptureScreenshot().WithClip(&cdppage.Viewport{Width: size[0], Height: size[1], Scale: 2}).Do(ctx)
		return err
	})); err != nil {
		b.t.Fatal(err)
	}
	eval[bool](b, `(document.getElementById("copy").remove(), true)`)
	return decodePNG(b.t, data)
}

func decodePNG(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// unlike is by how much of what is drawn, against the paper, the lower parts of two pictures
// differ; of the second the legend is left out, which the page has beside its drawing. Blocks of
// pixels are compared, as type is smoothed as a program likes.
func unlike(page, file image.Image) float64 {
	const block = 4
	a, b := levels(page), levels(file)
	width, height := min(len(a[0]), len(b[0])), min(len(a), len(b))
	paper := b[1][1]
	sum := func(of [][]float64, x, y int) (s float64) {
		for dy := range block {
			for dx := range block {
				s += of[y+dy][x+dx] - paper
			}
		}
		return s
	}
	var off, drawn float64
	for y := 0; y+block <= height; y += block {
		for x := 0; x+block <= width; x += block {
			p, f := sum(a, x, y), sum(b, x, y)
			off, drawn = off+math.Abs(p-f), drawn+math.Abs(f)
		}
	}
	return off / drawn
}

// levels are how light a picture is, from 0 to 1, its last row first.
func levels(img image.Image) [][]float64 {
	at := img.Bounds()
	plain := image.NewRGBA(at)
	draw.Draw(plain, at, img, at.Min, draw.Src)
	out := make([][]float64, at.Dy())
	for k := range out {
		row := plain.Pix[plain.PixOffset(at.Min.X, at.Max.Y-1-k):]
		out[k] = make([]float64, at.Dx())
		for x := range out[k] {
			out[k][x] = float64(int(row[4*x])+int(row[4*x+1])+int(row[4*x+2])) / 765
		}
	}
	return out
}

// The buttons download what they say: an SVG and a PNG that look as the page does, opened
// alone, a PDF with its words that looks so too, and the numbers of the page's JSON. Nothing is
// asked of a network.
func TestButtonsDownload(t *testing.T) {
	p := twoRuns(t)
	text := write(t, p)
	formats := []string{"SVG", "PNG", "PDF", "CSV"}
	_, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Log("no pdftotext (poppler-utils) in PATH: the PDFs are not read by another program")
	}
	poppler := err == nil
	words := map[string]string{"forest": "percentage points", "positions-0": "position in the window", "layers-0": "softpick", "passkey-0": "depth", "map-0-0": "query"}
	for _, theme := range []string{"light", "dark"} {
		dir := t.TempDir()
		pictures := map[string]image.Image{}
		for figure, word := range words {
			if theme == "dark" && figure != "layers-0" && figure != "passkey-0" {
				continue // lines and shades have all the colours
			}
			// A tab for each: Chromium lets a page save ten files without a real mouse.
			b := open(t, openBrowser(t), text, 1280, theme)
			if err := chromedp.Run(b.ctx, cdpbrowser.SetDownloadBehavior(cdpbrowser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir)); err != nil {
				t.Fatal(err)
			}
			files := b.save(dir, figure, formats)
			svg := string(files["SVG"])
			for _, bad := range []string{"class=", "var(", "color-mix"} {
				if strings.Contains(svg, bad) {
					t.Errorf("%s.svg has %s", figure, bad)
				}
			}
			if !strings.Contains(svg, `xmlns="http://www.w3.org/2000/svg"`) || !strings.Contains(svg, word) {
				t.Errorf("%s.svg: %.300s", figure, svg)
			}
			picture := decodePNG(t, files["PNG"])
			pictures[figure] = picture
			// The SVG as an image, which takes nothing from the page it is in.
			opened := eval[struct {
				Width float64
				Data  string
			}](b, fmt.Sprintf(`(async () => {
  const i = new Image();
  i.src = "data:image/svg+xml;charset=utf-8," + %q;
  await i.decode();
  const height = new DOMParser().parseFromString(decodeURIComponent(i.src.split(",")[1]), "image/svg+xml").documentElement.getAttribute("height");
  const c = Object.assign(document.createElement("canvas"), { width: 2 * i.width, height: Math.round(2 * height) });
  c.getContext("2d").drawImage(i, 0, 0, c.width, c.height);
  return { width: i.width, data: c.toDataURL("image/png").split(",")[1] };
})()`, url.PathEscape(svg)))
			if dx := float64(picture.Bounds().Dx()); dx != 2*opened.Width {
				t.Errorf("%s.png is %v pixels wide, its drawing %v", figure, dx, opened.Width)
			}
			data, err := base64.StdEncoding.DecodeString(opened.Data)
			if err != nil {
				t.Fatal(err)
			}
			if figure == "map-0-0" {
				checkSavedMaps(t, svg, string(files["CSV"]), p)
			}
			shown := b.drawn(figure)
			for what, img := range map[string]image.Image{"SVG": decodePNG(t, data), "PNG": picture} {
				if off := unlike(shown, img); off > 0.02 && figure != "map-0-0" { // whose file has more than the page
					t.Errorf("%s in the %s theme: the page and the %s differ by %.3f of what is drawn", figure, theme, what, off)
				}
			}
			paper := picture.At(1, picture.Bounds().Dy()-2)
			if r, _, _, _ := paper.RGBA(); (r > 0x8000) != (theme == "light") {
				t.Errorf("%s.png: the paper is %v in the %s theme", figure, paper, theme)
			}
			if !bytes.HasPrefix(files["PDF"], []byte("%PDF-")) {
				t.Errorf("%s.pdf: %.80q", figure, files["PDF"])
			}
			if poppler {
				path := filepath.Join(dir, figure)
				out, err := exec.Command("pdftotext", "-raw", path+".pdf", "-").CombinedOutput()
				if err != nil || !strings.Contains(string(out), word) || strings.Contains(string(out), "rror") {
					t.Errorf("%s.pdf says %q: %v", figure, out, err)
				}
				if out, err := exec.Command("pdftoppm", "-r", "192", "-png", "-singlefile", path+".pdf", path+"-pdf").CombinedOutput(); err != nil || len(out) > 0 {
					t.Fatalf("pdftoppm: %s %v", out, err)
				}
				data, err := os.ReadFile(path + "-pdf.png")
				if err != nil {
					t.Fatal(err)
				}
				if off := unlike(decodePNG(t, data), picture); off > 0.15 {
					t.Errorf("%s in the %s theme: PDF and PNG differ by %.3f of what is drawn", figure, theme, off)
				}
			}
			rows, err := csv.NewReader(bytes.NewReader(files["CSV"])).ReadAll()
			if err != nil || len(rows) < 5 {
				t.Errorf("%s.csv has %d rows: %v", figure, len(rows), err)
			}
			b.quiet()
		}
		if off := unlike(pictures["layers-0"], pictures["passkey-0"]); off < 0.5 {
			t.Errorf("two different charts differ by %.3f: the measure sees nothing", off)
		}
		if theme == "light" {
			checkSavedNumbers(t, dir, p)
		}
	}
}

// checkSavedMaps: the same head's maps of both runs are in one drawing, with each token on both
// axes of each, and so are their numbers.
func checkSavedMaps(t *testing.T, svg, numbers string, p Page) {
	for _, word := range []string{"Remember", "&lt;s&gt;", "pass"} {
		if n := strings.Count(svg, ">"+word+"<"); n != 4 {
			t.Errorf("%s stands %d times in the maps, want on two axes of two", word, n)
		}
	}
	cells := 0
	for _, r := range p.Runs {
		for _, row := range r.Maps[0].Weights {
			for _, w := range row {
				if w != 0 {
					cells++
				}
			}
		}
	}
	rows, err := csv.NewReader(strings.NewReader(numbers)).ReadAll()
	if err != nil || len(rows) != cells+1 || rows[0][0] != "panel" || rows[1][0] != "A, layer 1, head 3" || rows[cells][0] != "B, layer 1, head 3" {
		t.Errorf("%d rows of %d weights, the first %q: %v", len(rows), cells, rows[0], err)
	}
}

// checkSavedNumbers: the numbers saved are those of a figure made without a browser.
func checkSavedNumbers(t *testing.T, dir string, p Page) {
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
