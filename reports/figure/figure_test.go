package figure

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/text"
)

// all has one chart of each kind, with the words that its figures must say.
func all() map[string]struct {
	chart chart.Drawn
	words []string
} {
	detail := []string{"", "", "", ""}
	lines := chart.Lines{Key: true, X: chart.Axis{Name: "step"}, Y: chart.Axis{Name: "perplexity", Format: text.Tick, Log: true, Floor: math.NaN()}, Series: []chart.Series{
		{Name: "softmax (a)", Ink: "run0", Band: true, X: []float64{0, 1, 2, 3}, Y: []float64{9, 7, math.NaN(), 4}, Low: []float64{8, 6, 5, 3}, High: []float64{10, 8, 6, 5}, Detail: detail},
		{Name: "softpick", Ink: "run1", X: []float64{0, 1, 2, 3}, Y: []float64{8, 6, 5, 3}, Low: []float64{7, 5, 4, 2}, High: []float64{9, 7, 6, 4}, Detail: detail}}}
	forest := chart.Forest{Axis: chart.Axis{Name: "percentage points", Format: text.PointsTick}, Rows: []chart.Estimate{
		{Label: "arc_easy acc", Value: -0.075, Low: -0.16, High: 0.01, HasInterval: true, Ink: "noise"}, {Label: "piqa <acc> & (more)", Value: 0.15, Low: 0.05, High: 0.25, HasInterval: true, Ink: "better"}}}
	grid := chart.Heat{Unit: chart.Percent, X: chart.Axis{Name: "depth"}, Y: chart.Axis{Name: "tokens"}, Columns: []string{"0%", "50%"}, Rows: []string{"1\u202f024", "2\u202f048"},
		Cells: []chart.Cell{{Column: 0, Row: 0, Value: 1}, {Column: 1, Row: 0, Value: 0.5}, {Column: 0, Row: 1, Value: 0}, {Column: 1, Row: 1, Value: 0.25}}}
	tokens := []string{"<s>", "The", " pass", "Ġkey"}
	weights := chart.Heat{Unit: chart.Weight, X: chart.Axis{Name: "key"}, Y: chart.Axis{Name: "query"}, Columns: tokens, Rows: tokens}
	for q := range tokens {
		for k := range q + 1 {
			weights.Cells = append(weights.Cells, chart.Cell{Column: k, Row: q, Value: 1 / float64(q+1)})
		}
	}
	both := chart.Panels{Titles: []string{"A softmax", "B softpick"}, Charts: []chart.Drawn{weights, weights}}
	type row = struct {
		chart chart.Drawn
		words []string
	}
	return map[string]row{
		"lines":   {lines, []string{"softmax (a)", "softpick", "perplexity", "step", "10"}},
		"forest":  {forest, []string{"arc_easy acc", "piqa <acc> & (more)", "percentage points", "−20", "+20"}},
		"grid":    {grid, []string{"depth", "tokens", "1 024", "2 048", "50%", "100", "25"}},
		"weights": {weights, []string{"query", "key", "<s>", "The", "pass", "Ġkey"}},
		"panels":  {both, []string{"A softmax", "B softpick", "The", "key"}},
	}
}

func written(t testing.TB, c chart.Drawn, format string, w Width) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, c, format, "a (title) \\ of ours", w); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return string(out)
}

// poppler skips a test where poppler is not installed.
func poppler(t testing.TB) {
	t.Helper()
	for _, name := range []string{"pdftotext", "pdftoppm", "pdfinfo", "pdffonts"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(name + " is not in PATH (poppler-utils): PDFs are not read by another program")
		}
	}
}

// A PDF has the width of a column in points, all words as text, in a font that it embeds and
// type of 8 pt.
func TestPDFIsReadByPoppler(t *testing.T) {
	poppler(t)
	for name, c := range all() {
		for _, w := range []Width{Column, Page} {
			path := filepath.Join(t.TempDir(), name+".pdf")
			if err := os.WriteFile(path, written(t, c.chart, "pdf", w), 0o666); err != nil {
				t.Fatal(err)
			}
			info := run(t, "pdfinfo", path)
			if !strings.Contains(info, "Title:           a (title) \\ of ours") || strings.Contains(info, "rror") {
				t.Errorf("%s: %s", name, info)
			}
			_, size, _ := strings.Cut(info, "Page size:")
			if wide, err := strconv.ParseFloat(strings.Fields(size)[0], 64); err != nil || math.Abs(wide-float64(w)) > 0.5 {
				t.Errorf("%s is %s wide; want %v pt", name, strings.Fields(size)[0], w)
			}
			words := strings.Join(strings.Fields(strings.ReplaceAll(run(t, "pdftotext", "-raw", path, "-"), "\u00a0", " ")), " ")
			for _, want := range c.words {
				if !strings.Contains(words, want) {
					t.Errorf("%s, %v: no %q in %q", name, w, want, words)
				}
			}
			if fonts := run(t, "pdffonts", path); !strings.Contains(fonts, "GoRegular") || strings.Count(fonts, "yes") != 3 {
				t.Errorf("%s: the font is not embedded, as a subset, with its letters: %s", name, fonts)
			}
			for _, line := range strings.Split(run(t, "pdftotext", "-bbox", path, "-"), "\n") {
				if !strings.Contains(line, ">perplexity<") && !strings.Contains(line, ">points<") && !strings.Contains(line, ">depth<") {
					continue
				}
				var lo, hi float64
				_, at, _ := strings.Cut(line, `yMin="`)
				lo, _ = strconv.ParseFloat(at[:strings.IndexByte(at, '"')], 64)
				_, at, _ = strings.Cut(line, `yMax="`)
				hi, _ = strconv.ParseFloat(at[:strings.IndexByte(at, '"')], 64)
				if em := (hi - lo) / (0.945 + 0.212); math.Abs(em-8) > 0.4 {
					t.Errorf("%s, %v: type of %.2f pt; want 8", name, w, em)
				}
			}
		}
	}
}

// shrunk is the darkness of a picture in blocks of so many pixels.
func shrunk(img image.Image, block int) (out [][]float64) {
	b := img.Bounds()
	for y := b.Min.Y; y+block <= b.Max.Y; y += block {
		var row []float64
		for x := b.Min.X; x+block <= b.Max.X; x += block {
			sum := 0.0
			for dy := range block {
				for dx := range block {
					r, g, bl, _ := img.At(x+dx, y+dy).RGBA()
					sum += 1 - float64(r+g+bl)/(3*0xffff)
				}
			}
			row = append(row, sum/float64(block*block))
		}
		out = append(out, row)
	}
	return out
}

// unlike is the mean difference of two pictures over the mean darkness of the first.
func unlike(a, b image.Image, block int) float64 {
	x, y := shrunk(a, block), shrunk(b, block)
	off, dark := 0.0, 0.0
	for i := range min(len(x), len(y)) {
		for j := range min(len(x[i]), len(y[i])) {
			off, dark = off+math.Abs(x[i][j]-y[i][j]), dark+x[i][j]
		}
	}
	return off / dark
}

func decoded(t testing.TB, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// The PNG is twice a screen's pixels, and shows what poppler makes of the PDF.
func TestPNGLooksLikeThePDF(t *testing.T) {
	poppler(t)
	dir := t.TempDir()
	pictures := map[string]image.Image{}
	for name, c := range all() {
		img := decoded(t, written(t, c.chart, "png", Column))
		if got := img.Bounds().Dx(); got != 624 { // 3.25 inch of 192 pixels
			t.Errorf("%s is %d pixels wide; want 624", name, got)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path+".pdf", written(t, c.chart, "pdf", Column), 0o666); err != nil {
			t.Fatal(err)
		}
		run(t, "pdftoppm", "-r", "192", "-png", "-singlefile", path+".pdf", path)
		data, err := os.ReadFile(path + ".png")
		if err != nil {
			t.Fatal(err)
		}
		pictures[name] = decoded(t, data)
		if off := unlike(pictures[name], img, 6); off > 0.15 {
			t.Errorf("%s: PDF and PNG differ by %.3f of what is drawn", name, off)
		} else {
			t.Logf("%s: differ by %.3f", name, off)
		}
	}
	if off := unlike(pictures["lines"], pictures["forest"], 6); off < 0.5 {
		t.Errorf("two different charts differ by %.3f: the measure sees nothing", off)
	}
}

// An SVG stands alone: its name space, colours of its own, no class, nothing from elsewhere.
func TestSVGStandsAlone(t *testing.T) {
	for name, c := range all() {
		svg := string(written(t, c.chart, "svg", Column))
		for _, bad := range []string{"class=", "var(", "href", "NaN"} {
			if strings.Contains(svg, bad) {
				t.Errorf("%s has %s", name, bad)
			}
		}
		if !strings.HasPrefix(svg, `<svg xmlns="http://www.w3.org/2000/svg" `) || !strings.Contains(svg, ` width="234pt" `) || !strings.Contains(svg, `fill="#`) {
			t.Errorf("%s: %.200s", name, svg)
		}
		d := xml.NewDecoder(strings.NewReader(svg))
		var words strings.Builder
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if text, ok := token.(xml.CharData); ok {
				words.WriteString(strings.ReplaceAll(string(text), "\u202f", " ") + " ")
			}
		}
		for _, want := range c.words {
			if !strings.Contains(words.String(), want) {
				t.Errorf("%s: no %q in %q", name, want, words.String())
			}
		}
	}
}

// The CSV has every number in full, and none where there is none.
func TestCSVHasTheNumbers(t *testing.T) {
	for name, want := range map[string]string{
		"lines":   "series,step,perplexity,low,high\nsoftmax (a),0,9,8,10\nsoftmax (a),1,7,6,8\nsoftmax (a),2,,5,6\nsoftmax (a),3,4,3,5\nsoftpick,0,8,7,9\nsoftpick,1,6,5,7\nsoftpick,2,5,4,6\nsoftpick,3,3,2,4\n",
		"forest":  "estimate,value,low,high\narc_easy acc,-0.075,-0.16,0.01\npiqa <acc> & (more),0.15,0.05,0.25\n",
		"grid":    "tokens,depth,value\n1\u202f024,0%,1\n1\u202f024,50%,0.5\n2\u202f048,0%,0\n2\u202f048,50%,0.25\n",
		"weights": "query,key,query token,key token,weight\n0,0,<s>,<s>,1\n1,0,The,<s>,0.5\n",
		"panels":  "panel,query,key,query token,key token,weight\nA softmax,0,0,<s>,<s>,1\n",
	} {
		got := written(t, all()[name].chart, "csv", Column)
		if !strings.HasPrefix(string(got), want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
		if _, err := csv.NewReader(bytes.NewReader(got)).ReadAll(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The same chart gives the same bytes; a character that the type does not have is named.
func TestFiguresAreDeterministic(t *testing.T) {
	for name, c := range all() {
		for _, format := range Formats {
			if !bytes.Equal(written(t, c.chart, format, Page), written(t, c.chart, format, Page)) {
				t.Errorf("%s.%s differs from itself", name, format)
			}
		}
		if lost := Lost(c.chart, Column); len(lost) > 0 {
			t.Errorf("%s: no glyphs of %q", name, lost)
		}
	}
	c := chart.Forest{Rows: []chart.Estimate{{Label: "a 任務 b", Value: 1, Ink: "run0"}}, Axis: chart.Axis{Format: text.Tick}}
	if got := string(Lost(c, Column)); got != "任務" {
		t.Errorf("lost %q", got)
	}
	if err := Write(io.Discard, c, "gif", "", Column); err == nil {
		t.Error("a format that there is not was written")
	}
}
