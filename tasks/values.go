package tasks

import (
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// stringList reads a list of texts; numbers and booleans in it become their text.
func stringList(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("it holds %s, not a list", typeName(v))
	}
	out := make([]string, len(list))
	for i, e := range list {
		s, ok := asText(e)
		if !ok {
			return nil, fmt.Errorf("element %d is %s, not text", i, typeName(e))
		}
		out[i] = s
	}
	return out, nil
}

// asText is a scalar as text.
func asText(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case int64:
		return strconv.FormatInt(x, 10), true
	case json.Number:
		return x.String(), true
	case bool:
		return strconv.FormatBool(x), true
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64), true
	}
	return "", false
}

// asIndex reads an answer's index: a whole number, its text, or a boolean (false 0, true 1).
func asIndex(v any) (int, bool) {
	switch x := v.(type) {
	case int64:
		if int64(int(x)) == x {
			return int(x), true
		}
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	case float64:
		if i := int(x); float64(i) == x {
			return i, true
		}
	case string:
		if i, err := strconv.Atoi(x); err == nil {
			return i, true
		}
	}
	return 0, false
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case int64, float64, json.Number:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprintf("%T", v)
}

// describe shows a value in an error.
func describe(v any) string {
	if s, ok := v.(string); ok {
		return strconv.Quote(shorten(s))
	}
	if s, ok := asText(v); ok {
		return s
	}
	return typeName(v)
}

// shorten cuts a text for an error message.
func shorten(s string) string {
	const limit = 60
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}
