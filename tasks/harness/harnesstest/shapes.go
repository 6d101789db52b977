// Package harnesstest makes values by the rules of testdata/golden/harness_shapes.py: a shape and a seed give
// the same value here and there, so that documents need not be kept.
package harnesstest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

var words = []string{
	"Mina's boat", `the "red" door`, "été", "北京 road", " padded ", "two\nlines", "tab\tstop", "A", "3", "10%",
	`back\slash`, "smile 🙂", "[SEP]", "“quoted”", "no\u00a0break", "question: why", "x_y", "end.", `it's a "test"`, "İstanbul",
	"straße", "{{braces}}", "[[1, 2]]", "None", "lake", "seven ducks", "ship", "a b", "old mill", "grain",
}

func number(seed string, below int) int {
	sum := sha256.Sum256([]byte(seed))
	n := uint64(0)
	for _, b := range sum[:6] {
		n = n<<8 | uint64(b)
	}
	return int(n % uint64(below))
}

func text(seed string) string {
	parts := make([]string, 1+number(seed+"/n", 3))
	for i := range parts {
		parts[i] = words[number(fmt.Sprintf("%s/%d", seed, i), len(words))]
	}
	return strings.Join(parts, " ")
}

// split cuts at the commas that stand in no bracket.
func split(s string) []string {
	var out []string
	depth, from := 0, 0
	for i, c := range s {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, s[from:i])
				from = i + 1
			}
		}
	}
	if from < len(s) {
		out = append(out, s[from:])
	}
	return out
}

// Value is what a shape and a seed give: s text, w one word, i 0 to 3, k a letter A to D, c a digit 1 to 4,
// f a number with a fraction, b true or false, t 0 or 1, u 0 to 2, o text or null, n null, kk the letter of the place in a list,
// _s text with a blank in it, [shape*4] a list, {name:shape,...} an object.
func Value(shape, seed string) py.Value {
	switch shape {
	case "kk":
		i, _ := strconv.Atoi(seed[strings.LastIndexByte(seed, '/')+1:])
		return "ABCDEFGH"[i%8:][:1]
	case "_s":
		return text(seed) + " _ " + text(seed+"/_")
	}
	switch shape[0] {
	case 's':
		return text(seed)
	case 'w':
		return []string{"lake", "ship", "grain", "mill", "ducks"}[number(seed, 5)]
	case 'i':
		return int64(number(seed, 4))
	case 'k':
		return "ABCD"[number(seed, 4):][:1]
	case 'c':
		return "1234"[number(seed, 4):][:1]
	case 't':
		return int64(number(seed, 2))
	case 'u':
		return int64(number(seed, 3))
	case 'f':
		return float64(number(seed, 1000))/8 - 20
	case 'b':
		return number(seed, 2) == 1
	case 'o':
		if number(seed, 3) == 0 {
			return nil
		}
		return text(seed + "/o")
	case '[':
		inner := shape[1 : len(shape)-1]
		star := strings.LastIndexByte(inner, '*')
		n, _ := strconv.Atoi(inner[star+1:])
		l := &py.List{Items: make([]py.Value, n)}
		for i := range l.Items {
			l.Items[i] = Value(inner[:star], fmt.Sprintf("%s/%d", seed, i))
		}
		return l
	case '{':
		d := py.NewDict()
		for _, part := range split(shape[1 : len(shape)-1]) {
			name, s, _ := strings.Cut(part, ":")
			d.Set(name, Value(s, seed+"/"+name))
		}
		return d
	}
	return nil
}

// JSON is a value as a line of JSON, its keys in order.
func JSON(v py.Value) string {
	switch x := v.(type) {
	case *py.List:
		parts := make([]string, len(x.Items))
		for i, e := range x.Items {
			parts[i] = JSON(e)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case *py.Dict:
		items, _ := x.Items()
		parts := make([]string, len(items))
		for i, e := range items {
			parts[i] = JSON(e.(py.Tuple)[0]) + ":" + JSON(e.(py.Tuple)[1])
		}
		return "{" + strings.Join(parts, ",") + "}"
	case float64:
		return py.Float(x)
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Answer is a generated text for a right answer, by the rules of make_scores.py.
func Answer(seed, target string) string {
	switch number(seed+"/way", 4) {
	case 0:
		return target
	case 1:
		return "The answer is (" + target + ")."
	case 2:
		return text(seed)
	}
	return py.Upper(target) + " " + text(seed)
}

// LogLikelihood is an answer to a request for one, and whether its text is the greedy one.
func LogLikelihood(seed string) (float64, bool) {
	return -float64(number(seed, 1000))/8 - 1, number(seed+"/greedy", 2) == 1
}
