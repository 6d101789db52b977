package pyfunc

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

// numberWords are the words that word2number 1.1 knows.
var numberWords = func() map[string]int64 {
	out := map[string]int64{"hundred": 100, "thousand": 1000, "million": 1e6, "billion": 1e9, "point": -1}
	for i, w := range strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen") {
		out[w] = int64(i)
	}
	for i, w := range strings.Fields("twenty thirty forty fifty sixty seventy eighty ninety") {
		out[w] = int64(20 + 10*i)
	}
	return out
}()

// wordNumber is word2number.w2n.word_to_num of a text: a whole number, or one with a fraction after "point".
func wordNumber(text string) (py.Value, error) {
	text = py.Lower(strings.ReplaceAll(text, "-", " "))
	if py.IsDigits(text) && text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err
	}
	var words []string
	for _, w := range strings.FieldsFunc(text, py.IsSpace) {
		if _, ok := numberWords[w]; ok {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return nil, raise("ValueError", "No valid number words found!")
	}
	at := map[string]int{}
	for _, w := range []string{"thousand", "million", "billion", "point"} {
		at[w] = slices.Index(words, w)
		if at[w] >= 0 && slices.Contains(words[at[w]+1:], w) {
			return nil, raise("ValueError", "Redundant number word!")
		}
	}
	var decimals []string
	if i := at["point"]; i >= 0 {
		words, decimals = words[:i], words[i+1:]
		for _, w := range []string{"thousand", "million", "billion"} {
			at[w] = slices.Index(words, w)
		}
	}
	whole, err := wholeOf(words, at)
	if err != nil || len(decimals) == 0 {
		return whole, err
	}
	fraction := "0."
	for _, w := range decimals {
		n := numberWords[w]
		if n < 0 || n > 9 {
			return whole, nil
		}
		fraction += strconv.FormatInt(n, 10)
	}
	x, err := strconv.ParseFloat(fraction, 64)
	return float64(whole) + x, err
}

func wholeOf(words []string, at map[string]int) (sum int64, err error) {
	thousand, million, billion := at["thousand"], at["million"], at["billion"]
	if thousand >= 0 && (thousand < million || thousand < billion) || million >= 0 && million < billion {
		return 0, raise("ValueError", "Malformed number!")
	}
	switch len(words) {
	case 0:
		return 0, nil
	case 1:
		return numberWords[words[0]], nil
	}
	from := 0
	for _, step := range []struct {
		at   int
		size int64
	}{{billion, 1e9}, {million, 1e6}, {thousand, 1e3}} {
		if step.at < 0 {
			continue
		}
		n, err := together(words[from:step.at])
		if err != nil {
			return 0, err
		}
		sum, from = sum+n*step.size, step.at+1
	}
	// What is left over is looked for behind the smallest of these words that is not the last, so that "one million two hundred
	// thousand" counts its hundreds twice, as word2number does.
	rest := words
	for _, i := range []int{thousand, million, billion} {
		if i >= 0 && i != len(words)-1 {
			rest = words[i+1:]
			break
		}
		if i >= 0 {
			rest = nil
		}
	}
	if len(rest) == 0 {
		return sum, nil
	}
	n, err := together(rest)
	return sum + n, err
}

// together is a number below a thousand of its words.
func together(words []string) (int64, error) {
	n := make([]int64, len(words))
	for i, w := range words {
		n[i] = numberWords[w]
	}
	switch len(n) {
	case 0:
		return 0, raise("IndexError", "list index out of range")
	case 4:
		return n[0]*n[1] + n[2] + n[3], nil
	case 3:
		return n[0]*n[1] + n[2], nil
	case 2:
		if slices.Contains(n, 100) {
			return n[0] * n[1], nil
		}
		return n[0] + n[1], nil
	}
	return n[0], nil
}

func init() {
	known["word2number.w2n"] = &external{"word2number.w2n"}
	known["word2number.w2n.word_to_num"] = one("word_to_num", func(_ *budget, v py.Value) (py.Value, error) {
		s, ok := v.(string)
		if !ok {
			return nil, raise("ValueError", "Type of input is not string!")
		}
		return wordNumber(s)
	})
	known["regex.compile"] = native(func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
		if s, ok := args[0].(string); ok && len(args) == 1 && len(named) == 0 && !strings.ContainsAny(strings.ReplaceAll(s, "(?:", ""), "<>=!") {
			// (?|a|b) numbers the groups of its parts alike; without groups in it it is (?:a|b).
			return reCompile(b, []py.Value{strings.ReplaceAll(s, "(?|", "(?:")}, nil)
		}
		return nil, fmt.Errorf("regex.compile like this is not understood")
	})
	textMethods["translate"] = func(s string, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		d, ok := py.Value(nil), false
		if len(args) == 1 {
			d = args[0]
			_, ok = d.(*py.Dict)
		}
		if !ok {
			return nil, fmt.Errorf("translate like this is not understood")
		}
		return translated(s, d.(*py.Dict))
	}
	attributes["fromkeys"], attributes["word_to_num"] = true, true
}

// translated is a text with characters left out or replaced.
func translated(s string, table *py.Dict) (py.Value, error) {
	to := map[rune]string{}
	var err error
	each(table, func(k, v py.Value) {
		n, ok := py.Int(k)
		switch x := v.(type) {
		case nil:
			to[rune(n)] = ""
		case string:
			to[rune(n)] = x
		case int64:
			to[rune(n)] = string(rune(x))
		default:
			ok = false
		}
		if !ok || n < 0 || n > math.MaxInt32 {
			err = fmt.Errorf("translate by a table like this is not understood")
		}
	})
	var b strings.Builder
	for _, r := range s {
		if t, ok := to[r]; ok {
			b.WriteString(t)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String(), err
}
