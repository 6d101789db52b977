package tokenizer

import (
	"strconv"
	"strings"
	"sync"
)

// lazySet is a set of code points that is unpacked when it is first asked for.
type lazySet struct{ get func() *codeSet }

func newLazySet(packed string) lazySet {
	return lazySet{sync.OnceValue(func() *codeSet { return newCodeSet(unpack(packed)) })}
}

func (s lazySet) has(r rune) bool { return s.get().has(r) }

var (
	bertControl = newLazySet(bertControlTable)
	bertMarks   = newLazySet(bertMarkTable)
	combining   = newLazySet(combiningTable)
)

// unpack reads what make_classes.py packs: for each range the gap since the last one and its length less one.
func unpack(packed string) (ranges []codeRange) {
	at := rune(0)
	for field := range strings.SplitSeq(packed, ",") {
		numbers := packedNumbers(field)
		r := codeRange{at + numbers[0], at + numbers[0]}
		if len(numbers) > 1 {
			r.hi += numbers[1]
		}
		ranges = append(ranges, r)
		at = r.hi + 1
	}
	return ranges
}

func packedNumbers(field string) (numbers []rune) {
	for word := range strings.FieldsSeq(field) {
		n, _ := strconv.ParseInt(word, 36, 32) // of our own making: see TestClassTables
		numbers = append(numbers, rune(n))
	}
	return numbers
}

// scriptTable is the scripts in the order of their code points.
var scriptTable = sync.OnceValue(func() (table []scriptRange) {
	at := rune(0)
	for field := range strings.SplitSeq(scriptRuns, ",") {
		n := packedNumbers(field)
		table = append(table, scriptRange{at + n[0], at + n[0] + n[1], uint8(n[2])})
		at += n[0] + n[1] + 1
	}
	return table
})
