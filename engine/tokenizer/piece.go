package tokenizer

// piece is a stretch of normalized text on its way to the model.
type piece struct {
	text string
	// zero counts the leading bytes of text that stem from the very start of the original input. Only
	// Metaspace's prepend_scheme "first" asks (zero > 0); it stands for tokenizers' offset alignment.
	zero int
}

// slice returns the part [start, end) of p.
func (p piece) slice(start, end int) piece {
	return piece{text: p.text[start:end], zero: max(0, min(end, p.zero)-start)}
}

// span is a stretch [start, end) of a text and whether a pattern matched it.
type span struct {
	start, end int
	match      bool
}

// behavior says what becomes of the matches of a split (tokenizers' SplitDelimiterBehavior).
type behavior int

const (
	isolated behavior = iota
	removed
	contiguous
	mergedWithPrevious
	mergedWithNext
)

var behaviorNames = map[string]behavior{
	"Isolated": isolated, "Removed": removed, "Contiguous": contiguous,
	"MergedWithPrevious": mergedWithPrevious, "MergedWithNext": mergedWithNext,
}

// arrange applies a behavior to spans that cover a text, and returns the spans to keep, in order.
// It works in place.
func arrange(spans []span, how behavior) []span {
	switch how {
	case removed:
		kept := spans[:0]
		for _, s := range spans {
			if !s.match {
				kept = append(kept, s)
			}
		}
		return kept
	case contiguous, mergedWithPrevious:
		kept := spans[:0]
		previous := false
		for _, s := range spans {
			join := s.match == previous
			if how == mergedWithPrevious {
				join = s.match && !previous
			}
			previous = s.match
			if join && len(kept) > 0 {
				kept[len(kept)-1].end = s.end
			} else {
				kept = append(kept, s)
			}
		}
		return kept
	case mergedWithNext:
		last := len(spans) // spans[last:] are done
		previous := false
		for i := len(spans) - 1; i >= 0; i-- {
			s := spans[i]
			join := s.match && !previous
			previous = s.match
			if join && last < len(spans) {
				spans[last].start = s.start
			} else {
				last--
				spans[last] = s
			}
		}
		return spans[last:]
	}
	return spans
}
