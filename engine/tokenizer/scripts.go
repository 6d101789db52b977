package tokenizer

import (
	"sort"
	"unicode/utf8"
)

// scriptRange is a run of code points of one script, by a number of our own.
type scriptRange struct {
	lo, hi rune
	script uint8
}

// anyScript fits every script.
const anyScript = 0

// scriptOf is the script that UnicodeScripts sees: Japanese kana count as Han, what is unassigned and the
// space as any.
func scriptOf(r rune) uint8 {
	i := sort.Search(len(scriptTable()), func(i int) bool { return scriptTable()[i].hi >= r })
	if i < len(scriptTable()) && scriptTable()[i].lo <= r {
		return scriptTable()[i].script
	}
	return anyScript
}

// unicodeScripts is tokenizers' UnicodeScripts: it cuts where the script changes. What stands before the
// first character of a script is dropped, as the reference drops it.
type unicodeScripts struct{}

func (unicodeScripts) split(p piece, emit func(piece)) {
	start, last := -1, uint8(anyScript)
	for i, r := range p.text {
		script := scriptOf(r)
		if script == anyScript {
			continue
		}
		if script != last {
			if start >= 0 {
				emitSlice(p, start, i, emit)
			}
			start, last = i, script
		}
	}
	if start >= 0 {
		emitSlice(p, start, len(p.text), emit)
	}
}

// fixedLength cuts after every so many characters.
type fixedLength int

func (n fixedLength) split(p piece, emit func(piece)) {
	start, count := 0, 0
	for i, r := range p.text {
		if count++; count == int(n) {
			end := i + utf8.RuneLen(r)
			emitSlice(p, start, end, emit)
			start, count = end, 0
		}
	}
	emitSlice(p, start, len(p.text), emit)
}
