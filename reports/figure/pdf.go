package figure

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/image/font/sfnt"

	"github.com/softbench/softbench/reports/chart"
)

// writePDF writes a scene as a PDF of one page of its size (ISO 32000-1, version 1.4): paths
// stay paths, and type is type, of the glyphs of the font that it uses, which it embeds.
func writePDF(w io.Writer, s *chart.Scene, unit float64, title string) error {
	p := &printed{used: map[sfnt.GlyphIndex]rune{}, opacities: []float64{1}}
	// From the scene's px, downwards, to points, upwards.
	fmt.Fprintf(&p.page, "%s 0 0 %s 0 %s cm\n", real(unit), real(-unit), real(s.Height*unit))
	p.ink(inkNames{fill: "paper"})
	fmt.Fprintf(&p.page, "0 0 %s %s re f\n", real(s.Width), real(s.Height))
	for i := range s.Shapes {
		p.shape(&s.Shapes[i])
	}
	return p.write(w, s.Width*unit, s.Height*unit, title)
}

// printed is a page in the making.
type printed struct {
	page      bytes.Buffer
	used      map[sfnt.GlyphIndex]rune
	opacities []float64
}

// real writes a number as PDF has them, without an exponent.
func real(x float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(x+0, 'f', 4, 64), "0"), ".")
}

type inkNames struct{ fill, stroke string }

func (p *printed) ink(n inkNames) {
	for _, c := range []struct{ ink, op string }{{n.fill, "rg"}, {n.stroke, "RG"}} {
		if c.ink != "" {
			rgb := chart.Light.RGB(c.ink)
			fmt.Fprintf(&p.page, "%s %s %s %s\n", real(float64(rgb[0])/255), real(float64(rgb[1])/255), real(float64(rgb[2])/255), c.op)
		}
	}
}

func (p *printed) opacity(x float64) {
	if x <= 0 || x > 1 {
		x = 1
	}
	k := slices.Index(p.opacities, x)
	if k < 0 {
		k = len(p.opacities)
		p.opacities = append(p.opacities, x)
	}
	fmt.Fprintf(&p.page, "/G%d gs\n", k)
}

func (p *printed) path(path []chart.Segment) {
	for _, s := range outline(path) {
		for _, v := range s.points[:points(s.op)] {
			p.page.WriteString(real(v) + " ")
		}
		p.page.WriteString(string(s.op) + "\n")
	}
}

func (p *printed) shape(s *chart.Shape) {
	p.opacity(s.Opacity)
	switch {
	case s.Text != "":
		p.text(s)
	case s.Stroke != "":
		ends, dash := 0, "[]"
		if s.Line.Round {
			ends = 1
		}
		if s.Line.Dashed {
			dash = "[3 3]"
		}
		p.ink(inkNames{stroke: s.Stroke})
		fmt.Fprintf(&p.page, "%s w %d J %d j %s 0 d\n", real(s.Line.Width), ends, ends, dash)
		p.path(s.Path)
		p.page.WriteString("S\n")
	default:
		if s.Halo > 0 {
			p.ink(inkNames{stroke: "paper"})
			fmt.Fprintf(&p.page, "%s w 1 J 1 j [] 0 d\n", real(s.Halo))
			p.path(s.Path)
			p.page.WriteString("S\n")
		}
		p.ink(inkNames{fill: s.Fill})
		p.path(s.Path)
		p.page.WriteString("f\n")
	}
}

func (p *printed) text(s *chart.Shape) {
	glyphs, width := shape(s.Text)
	back := anchored(s.Anchor, width*s.Size)
	matrix := fmt.Sprintf("1 0 0 -1 %s %s", real(s.X-back), real(s.Y))
	if s.Turned {
		matrix = fmt.Sprintf("0 -1 -1 0 %s %s", real(s.X), real(s.Y+back))
	}
	p.ink(inkNames{fill: s.Fill})
	fmt.Fprintf(&p.page, "BT /F1 %s Tf %s Tm <", real(s.Size), matrix)
	for _, g := range glyphs {
		p.used[g.index] = g.text
		fmt.Fprintf(&p.page, "%04X", uint16(g.index))
	}
	p.page.WriteString("> Tj ET\n")
}

// write writes the file: its objects, numbered from 1, and where each begins.
func (p *printed) write(w io.Writer, width, height float64, title string) error {
	var states strings.Builder
	for k, x := range p.opacities {
		fmt.Fprintf(&states, "/G%d << /ca %s /CA %s >> ", k, real(x), real(x))
	}
	metrics := func(g sfnt.GlyphIndex) int {
		var b sfnt.Buffer
		a, _ := face().GlyphAdvance(&b, g, 1000<<6, 0)
		return int(a+32) >> 6
	}
	var indices []sfnt.GlyphIndex
	for g := range p.used {
		indices = append(indices, g)
	}
	slices.Sort(indices)
	var widths, unicode strings.Builder
	for i, g := range indices {
		fmt.Fprintf(&widths, "%d [%d] ", g, metrics(g))
		if i%100 == 0 {
			if i > 0 {
				unicode.WriteString("endbfchar\n")
			}
			fmt.Fprintf(&unicode, "%d beginbfchar\n", min(100, len(indices)-i))
		}
		fmt.Fprintf(&unicode, "<%04X> <", uint16(g))
		for _, u := range utf16.Encode([]rune{p.used[g]}) {
			fmt.Fprintf(&unicode, "%04X", u)
		}
		unicode.WriteString(">\n")
	}
	if len(indices) > 0 {
		unicode.WriteString("endbfchar\n")
	}
	cmap := "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /Softbench def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n" + unicode.String() + "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
	font := subset(p.used)
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %s %s] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> /ExtGState << %s>> >> >>", real(width), real(height), states.String()),
		stream("", p.page.Bytes()),
		"<< /Type /Font /Subtype /Type0 /BaseFont /SBCHRT+GoRegular /Encoding /Identity-H /DescendantFonts [6 0 R] /ToUnicode 9 0 R >>",
		"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /SBCHRT+GoRegular /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /CIDToGIDMap /Identity /DW 600 /W [" + widths.String() + "] /FontDescriptor 7 0 R >>",
		"<< /Type /FontDescriptor /FontName /SBCHRT+GoRegular /Flags 4 /FontBBox [-440 -432 2160 1075] /ItalicAngle 0 /Ascent 945 /Descent -212 /CapHeight 710 /StemV 80 /FontFile2 8 0 R >>",
		stream(fmt.Sprintf("/Length1 %d ", len(font)), font),
		stream("", []byte(cmap)),
		"<< /Producer (softbench) /Title " + textString(title) + " >>",
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	var at []int
	for i, o := range objects {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, len(objects), table)
	_, err := w.Write(b.Bytes())
	return err
}

// stream is a compressed stream.
func stream(entries string, data []byte) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(data) // into memory
	_ = z.Close()
	return fmt.Sprintf("<< %s/Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream", entries, b.Len(), b.String())
}

// textString is a text in UTF-16 with its mark, in hexadecimal: nothing in it needs an escape.
func textString(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	b.WriteString(">")
	return b.String()
}
