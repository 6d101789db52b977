package tokenizer

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalizer rewrites text before it is cut. Each one follows the tokenizers class it is named after.
type normalizer interface {
	normalize(p piece) piece
}

// unicodeForm is NFC, NFD, NFKC or NFKD.
type unicodeForm norm.Form

func (f unicodeForm) normalize(p piece) piece {
	form := norm.Form(f)
	// Text that is normal for newer Unicode tables is normal for the reference's older ones.
	if form.IsNormalString(p.text) {
		return p
	}
	zero := 0
	if p.zero > 0 {
		zero = len(normalForm(form, p.text[:p.zero]))
	}
	text := normalForm(form, p.text)
	return piece{text: text, zero: min(zero, len(text))}
}

// normalForm is Unicode's normalization (UAX 15) limited to the characters the reference's tables know:
// every other character is inert. golang.org/x/text alone would also break runs of more than 30 marks with
// U+034F, which the reference does not.
func normalForm(form norm.Form, s string) string {
	decomposition := norm.NFD
	if form == norm.NFKC || form == norm.NFKD {
		decomposition = norm.NFKD
	}
	marks := make([]mark, 0, len(s))
	var encoded [utf8.UTFMax]byte
	run := 0 // start of the run of marks at the end
	add := func(r rune) {
		class := uint8(0)
		if r >= 0x300 && active.has(r) {
			class = norm.NFD.Properties(encoded[:utf8.EncodeRune(encoded[:], r)]).CCC()
		}
		if class == 0 {
			sortMarks(marks[run:])
			run = len(marks) + 1
		}
		marks = append(marks, mark{r, class})
	}
	for _, r := range s {
		if r < 0x80 || !active.has(r) {
			add(r)
			continue
		}
		for _, d := range decomposition.String(string(r)) {
			add(d)
		}
	}
	sortMarks(marks[run:])
	if form == norm.NFC || form == norm.NFKC {
		marks = compose(marks)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, m := range marks {
		b.WriteRune(m.r)
	}
	return b.String()
}

// mark is a character and its canonical combining class, 0 for a starter.
type mark struct {
	r     rune
	class uint8
}

// sortMarks puts a run of marks in canonical order.
func sortMarks(marks []mark) {
	if len(marks) > 1 {
		slices.SortStableFunc(marks, func(a, b mark) int { return int(a.class) - int(b.class) })
	}
}

// compose joins each mark to the last starter where Unicode has a character for the two and nothing
// between them blocks it.
func compose(marks []mark) []mark {
	out := marks[:0]
	starter := -1 // index in out of the last starter
	for _, m := range marks {
		adjacent := starter == len(out)-1
		if starter >= 0 && (adjacent || out[len(out)-1].class < m.class) && active.has(m.r) {
			if c, ok := composed(out[starter].r, m.r); ok {
				out[starter].r = c
				continue
			}
		}
		if m.class == 0 {
			starter = len(out)
		}
		out = append(out, m)
	}
	return out
}

// composed returns the character that canonically composes a and b.
func composed(a, b rune) (rune, bool) {
	var pair [2 * utf8.UTFMax]byte
	text := utf8.AppendRune(utf8.AppendRune(pair[:0], a), b)
	joined := norm.NFC.Bytes(text)
	c, n := utf8.DecodeRune(joined)
	return c, n == len(joined) && active.has(c)
}

// lowercase maps every character to its lower case.
type lowercase struct{}

func (lowercase) normalize(p piece) piece {
	return piece{text: toLower(p.text), zero: len(toLower(p.text[:p.zero]))}
}

// strip removes white space at the ends.
type strip struct{ left, right bool }

func (s strip) normalize(p piece) piece {
	if s.left {
		p = p.slice(len(p.text)-len(strings.TrimLeftFunc(p.text, isSpace)), len(p.text))
	}
	if s.right {
		p.text = strings.TrimRightFunc(p.text, isSpace)
	}
	p.zero = min(p.zero, len(p.text))
	return p
}

// prepend writes text before any input that is not empty.
type prepend string

func (s prepend) normalize(p piece) piece { return p.prepend(string(s)) }

// replace writes content in place of every match.
type replace struct {
	pattern pattern
	content string
}

func (r replace) normalize(p piece) piece {
	if l, ok := r.pattern.(literal); ok && !strings.Contains(p.text, string(l)) {
		return p
	}
	var b strings.Builder
	b.Grow(len(p.text))
	last, zero := 0, 0
	keep := func(end int) {
		zero += max(0, min(p.zero, end)-last)
		b.WriteString(p.text[last:end])
		last = end
	}
	r.pattern.find(p.text, func(start, end int) {
		keep(start)
		// What is written stems from the last character of the match.
		if end <= p.zero {
			zero += len(r.content)
		}
		b.WriteString(r.content)
		last = end
	})
	keep(len(p.text))
	return piece{text: b.String(), zero: zero}
}

// spellBytes is the ByteLevel normalizer: every byte as its character.
type spellBytes struct{}

func (spellBytes) normalize(p piece) piece {
	return piece{text: toByteLevel(p.text), zero: len(toByteLevel(p.text[:p.zero]))}
}
