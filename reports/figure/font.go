package figure

import (
	"encoding/binary"
	"slices"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"github.com/softbench/softbench/reports/chart"
)

// face is Go Regular: Latin, Greek and Cyrillic letters.
var face = sync.OnceValue(func() *sfnt.Font {
	f, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		panic("the Go font does not parse: " + err.Error()) // it is a constant
	}
	return f
})

// likeness are characters that the font does not have and that another stands for.
var likeness = map[rune]rune{'\u202f': '\u00a0', '\u2009': '\u00a0', '\u2581': '_'}

// glyph is a character as the font has it.
type glyph struct {
	index   sfnt.GlyphIndex
	advance float64 // of the type's size
	text    rune    // what it says, before likeness
}

// shape is a line as glyphs, those that the font does not have as its empty box.
func shape(line string) (glyphs []glyph, width float64) {
	var b sfnt.Buffer
	em := fixed.I(int(face().UnitsPerEm()))
	for _, r := range line {
		g := glyph{text: r}
		if other, ok := likeness[r]; ok {
			r = other
		}
		g.index, _ = face().GlyphIndex(&b, r) // 0 where there is none
		if advance, err := face().GlyphAdvance(&b, g.index, em, font.HintingNone); err == nil {
			g.advance = float64(advance) / float64(em)
		}
		glyphs, width = append(glyphs, g), width+g.advance
	}
	return glyphs, width
}

// Missing are the characters of a scene that the pictures have no glyph of, in order.
func Missing(s *chart.Scene) (out []rune) {
	for i := range s.Shapes {
		glyphs, _ := shape(s.Shapes[i].Text)
		for _, g := range glyphs {
			if g.index == 0 && !slices.Contains(out, g.text) {
				out = append(out, g.text)
			}
		}
	}
	slices.Sort(out)
	return out
}

// anchored is how far left of its place a line of that width begins.
func anchored(anchor string, width float64) float64 {
	switch anchor {
	case "middle":
		return width / 2
	case "end":
		return width
	}
	return 0
}

// subset is the font with the outlines of some glyphs alone, whose numbers stay: what a PDF
// embeds.
func subset(used map[sfnt.GlyphIndex]rune) []byte {
	src := goregular.TTF
	tables := map[string][]byte{}
	for i := range int(binary.BigEndian.Uint16(src[4:])) {
		at := src[12+16*i:]
		offset, length := binary.BigEndian.Uint32(at[8:]), binary.BigEndian.Uint32(at[12:])
		tables[string(at[:4])] = src[offset : offset+length]
	}
	glyf, loca, long := tables["glyf"], tables["loca"], binary.BigEndian.Uint16(tables["head"][50:]) == 1
	place := func(g int) int {
		if long {
			return int(binary.BigEndian.Uint32(loca[4*g:]))
		}
		return 2 * int(binary.BigEndian.Uint16(loca[2*g:]))
	}
	keep := map[int]bool{0: true}
	var add func(g int)
	add = func(g int) {
		if keep[g] && g != 0 {
			return
		}
		keep[g] = true
		outline := glyf[place(g):place(g+1)]
		if len(outline) < 10 || int16(binary.BigEndian.Uint16(outline)) >= 0 {
			return
		}
		for at := 10; ; { // a composite glyph names its parts
			flags := binary.BigEndian.Uint16(outline[at:])
			add(int(binary.BigEndian.Uint16(outline[at+2:])))
			at += 4 + 2 + 2*int(flags&1)
			switch {
			case flags&0x08 != 0:
				at += 2
			case flags&0x40 != 0:
				at += 4
			case flags&0x80 != 0:
				at += 8
			}
			if flags&0x20 == 0 {
				return
			}
		}
	}
	for g := range used {
		add(int(g))
	}
	n := int(binary.BigEndian.Uint16(tables["maxp"][4:]))
	var outlines []byte
	places := make([]byte, 4*(n+1))
	for g := range n {
		binary.BigEndian.PutUint32(places[4*g:], uint32(len(outlines)))
		if keep[g] {
			outlines = append(outlines, glyf[place(g):place(g+1)]...)
			for len(outlines)%4 != 0 {
				outlines = append(outlines, 0)
			}
		}
	}
	binary.BigEndian.PutUint32(places[4*n:], uint32(len(outlines)))
	head := slices.Clone(tables["head"])
	binary.BigEndian.PutUint16(head[50:], 1)
	out := map[string][]byte{"glyf": outlines, "loca": places, "head": head}
	for _, name := range []string{"hhea", "hmtx", "maxp", "cvt ", "fpgm", "prep"} {
		if t, ok := tables[name]; ok {
			out[name] = t
		}
	}
	names := make([]string, 0, len(out))
	for name := range out {
		names = append(names, name)
	}
	slices.Sort(names)
	file := slices.Clone(src[:4])
	power, log := 1, 0
	for power*2 <= len(names) {
		power, log = power*2, log+1
	}
	for _, v := range []int{len(names), 16 * power, log, 16 * (len(names) - power)} {
		file = binary.BigEndian.AppendUint16(file, uint16(v))
	}
	at := 12 + 16*len(names)
	for _, name := range names {
		file = append(file, name...)
		file = binary.BigEndian.AppendUint32(file, checksum(out[name]))
		file = binary.BigEndian.AppendUint32(file, uint32(at))
		file = binary.BigEndian.AppendUint32(file, uint32(len(out[name])))
		at += (len(out[name]) + 3) &^ 3
	}
	for _, name := range names {
		file = append(file, out[name]...)
		for len(file)%4 != 0 {
			file = append(file, 0)
		}
	}
	return file
}

// checksum is a table's in a font file.
func checksum(table []byte) (sum uint32) {
	for len(table) >= 4 {
		sum += binary.BigEndian.Uint32(table)
		table = table[4:]
	}
	var rest [4]byte
	copy(rest[:], table)
	return sum + binary.BigEndian.Uint32(rest[:])
}
