package tokenizer

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// perRune rewrites each character on its own, "" to drop it.
type perRune func(b *strings.Builder, r rune)

func (f perRune) normalize(p piece) piece {
	text := f.all(p.text)
	if text == p.text {
		return p
	}
	return piece{text: text, zero: len(f.all(p.text[:p.zero]))}
}

func (f perRune) all(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		f(&b, r)
	}
	return b.String()
}

// without drops the characters of a set.
func without(set lazySet) perRune {
	return func(b *strings.Builder, r rune) {
		if !set.has(r) {
			b.WriteRune(r)
		}
	}
}

// stripAccents drops every combining mark (tokenizers' StripAccents).
func stripAccents() normalizer { return without(combining) }

// cleanBert is BertNormalizer's clean_text: control characters go, white space becomes a space.
func cleanBert(b *strings.Builder, r rune) {
	switch {
	case r == '\t' || r == '\n' || r == '\r' || isSpace(r) && !bertControl.has(r):
		b.WriteByte(' ')
	case !bertControl.has(r):
		b.WriteRune(r)
	}
}

// spaceChinese puts a space on both sides of every ideograph.
func spaceChinese(b *strings.Builder, r rune) {
	if !isChinese(r) {
		b.WriteRune(r)
		return
	}
	b.WriteByte(' ')
	b.WriteRune(r)
	b.WriteByte(' ')
}

// isChinese is what BERT takes for an ideograph.
func isChinese(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && r <= 0x4DBF || r >= 0x20000 && r <= 0x2A6DF || r >= 0x2A700 && r <= 0x2B73F ||
		r >= 0x2B740 && r <= 0x2B81F || r >= 0x2B920 && r <= 0x2CEAF || r >= 0xF900 && r <= 0xFAFF || r >= 0x2F800 && r <= 0x2FA1F
}

// bertNormalizer is the steps of BertNormalizer; without strip_accents, what is lower-cased is stripped.
func bertNormalizer(clean, chinese bool, strip *bool, lower bool) []normalizer {
	var steps []normalizer
	if clean {
		steps = append(steps, perRune(cleanBert))
	}
	if chinese {
		steps = append(steps, perRune(spaceChinese))
	}
	if strip == nil && lower || strip != nil && *strip {
		steps = append(steps, unicodeForm(norm.NFD), without(bertMarks))
	}
	if lower {
		steps = append(steps, lowercase{})
	}
	return steps
}

// nmt is tokenizers' Nmt normalizer: control characters go, what separates becomes a space.
func nmt(b *strings.Builder, r rune) {
	switch {
	case r >= 1 && r <= 8 || r == 0xB || r >= 0xE && r <= 0x1F || r == 0x7F || r == 0x8F || r == 0x9F:
	case r == '\t' || r == '\n' || r == '\f' || r == '\r' || r == 0x1680 || r >= 0x200B && r <= 0x200F || r == 0x2028 || r == 0x2029 ||
		r == 0x2581 || r == 0xFEFF || r == 0xFFFD:
		b.WriteByte(' ')
	default:
		b.WriteRune(r)
	}
}

// decodeWordPiece joins words with spaces and takes the prefix off what continues one.
func decodeWordPiece(prefix string, cleanup bool) decoder {
	return func(tokens []string) []string {
		out := make([]string, len(tokens))
		for i, t := range tokens {
			if i > 0 {
				if rest, ok := strings.CutPrefix(t, prefix); ok {
					t = rest
				} else {
					t = " " + t
				}
			}
			if cleanup {
				t = cleanUp(t)
			}
			out[i] = t
		}
		return out
	}
}

// cleanUps are the English spellings that cleanup mends, one after another.
var cleanUps = [][2]string{
	{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"}, {" 'm", "'m"}, {" do not", " don't"},
	{" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
}

func cleanUp(s string) string {
	for _, c := range cleanUps {
		s = strings.ReplaceAll(s, c[0], c[1])
	}
	return s
}
