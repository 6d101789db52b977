package golden

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// UnmarshalJSON reads [context, scored, ids].
func (w *Window) UnmarshalJSON(data []byte) error {
	parts := []any{&w.Context, &w.Scored, &w.IDs}
	return json.Unmarshal(data, &parts)
}

// DocumentHash is the Hash of a document's canonical JSON: keys in the order of
// their code points, "," and ":" with no blanks, strings in UTF-8 where only
// the quote, the backslash and control characters below U+0020 are escaped (the
// latter as \b \f \n \r \t, else \u00xx), numbers as they stand. It is Python's
// json.dumps(doc, sort_keys=True, ensure_ascii=False, separators=(",", ":")).
func DocumentHash(line []byte) (string, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return "", err
	}
	var b strings.Builder
	if err := canonical(&b, doc); err != nil {
		return "", err
	}
	return Hash(b.String()), nil
}

func canonical(b *strings.Builder, v any) error {
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteByte(',')
			}
			quote(b, key)
			b.WriteByte(':')
			if err := canonical(b, v[key]); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := canonical(b, item); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case string:
		quote(b, v)
	case json.Number:
		b.WriteString(v.String())
	case bool:
		fmt.Fprint(b, v)
	case nil:
		b.WriteString("null")
	default:
		return fmt.Errorf("a value of type %T has no canonical form", v)
	}
	return nil
}

var escapes = map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

func quote(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		if e, ok := escapes[r]; ok {
			b.WriteString(e)
		} else if r < 0x20 {
			fmt.Fprintf(b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}
