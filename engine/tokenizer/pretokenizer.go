package tokenizer

import "strings"

// preTokenizer cuts a piece into smaller ones; merges never cross the cuts.
type preTokenizer interface {
	split(p piece, emit func(piece))
}

// splitter cuts at the matches of a pattern (tokenizers' Split, Digits, Punctuation, Whitespace...).
type splitter struct {
	pattern pattern
	invert  bool
	how     behavior
}

func (s splitter) split(p piece, emit func(piece)) {
	if s.how == isolated {
		previous := 0
		s.pattern.find(p.text, func(start, end int) {
			emitSlice(p, previous, start, emit)
			emitSlice(p, start, end, emit)
			previous = end
		})
		emitSlice(p, previous, len(p.text), emit)
		return
	}
	spans := spansOf(s.pattern, p.text, nil)
	if s.invert {
		for i := range spans {
			spans[i].match = !spans[i].match
		}
	}
	for _, c := range arrange(spans, s.how) {
		emitSlice(p, c.start, c.end, emit)
	}
}

func emitSlice(p piece, start, end int, emit func(piece)) {
	if start < end {
		emit(p.slice(start, end))
	}
}

// byteLevel is tokenizers' ByteLevel: an optional leading space, GPT-2's split, then each byte as a
// character. Where it is the last step, respell is false and the model does the spelling per word.
type byteLevel struct {
	prefixSpace bool
	pattern     pattern // nil: use_regex false
	respell     bool
}

func (b byteLevel) split(p piece, emit func(piece)) {
	if b.prefixSpace && !strings.HasPrefix(p.text, " ") {
		p = p.prepend(" ")
	}
	if b.pattern == nil {
		b.emit(p, emit)
		return
	}
	b.pattern.find(p.text, func(start, end int) {
		// The pattern matches every character, so there are no gaps.
		b.emit(p.slice(start, end), emit)
	})
}

func (b byteLevel) emit(p piece, emit func(piece)) {
	if b.respell {
		p = piece{text: toByteLevel(p.text), zero: len(toByteLevel(p.text[:p.zero]))}
	}
	emit(p)
}

// prepend puts s before p, with the origin of p's first character. An empty p stays empty.
func (p piece) prepend(s string) piece {
	if p.text == "" {
		return p
	}
	if p.zero > 0 {
		p.zero += len(s)
	}
	p.text = s + p.text
	return p
}

// prependScheme says when Metaspace writes a replacement character before a piece.
type prependScheme int

const (
	prependAlways prependScheme = iota
	prependFirst
	prependNever
)

// metaspace writes spaces as a visible character and cuts before each of them.
type metaspace struct {
	replacement string
	scheme      prependScheme
	cut         bool
}

func (m metaspace) split(p piece, emit func(piece)) {
	if strings.Contains(p.text, " ") {
		p.zero = len(strings.ReplaceAll(p.text[:p.zero], " ", m.replacement))
		p.text = strings.ReplaceAll(p.text, " ", m.replacement)
	}
	first := m.scheme == prependAlways || m.scheme == prependFirst && p.zero > 0
	if first && !strings.HasPrefix(p.text, m.replacement) {
		p = p.prepend(m.replacement)
	}
	if !m.cut {
		emit(p)
		return
	}
	// Every replacement character starts a piece: MergedWithNext joins it to what follows, and a run of
	// them gives pieces of one character before that.
	start := 0
	for start < len(p.text) {
		next := strings.Index(p.text[start+1:], m.replacement)
		if next < 0 {
			break
		}
		emitSlice(p, start, start+1+next, emit)
		start += 1 + next
	}
	emitSlice(p, start, len(p.text), emit)
}

// preTokenize runs the steps one after another over p.
func preTokenize(steps []preTokenizer, p piece, emit func(piece)) {
	switch len(steps) {
	case 0:
		emit(p)
	case 1:
		steps[0].split(p, emit)
	default:
		steps[0].split(p, func(q piece) { preTokenize(steps[1:], q, emit) })
	}
}
