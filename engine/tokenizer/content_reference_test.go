package tokenizer

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// meaningByDecoder is meaning by encoding/json's Decoder: slower, and the reference.
func meaningByDecoder(data []byte) [32]byte {
	m := decoded{json.NewDecoder(bytes.NewReader(data))}
	m.in.UseNumber()
	sum, err := m.value("$")
	if err == nil {
		_, err = m.in.Token()
	}
	if err != io.EOF {
		return sha256.Sum256(data)
	}
	return sum
}

// meaner reads JSON value by value, keeping no more than a hash of each.
type decoded struct{ in *json.Decoder }

// value hashes the next value; path is where it is, an item of a list having no name.
func (m *decoded) value(path string) ([32]byte, error) {
	token, err := m.in.Token()
	if err != nil {
		return [32]byte{}, err
	}
	switch x := token.(type) {
	case json.Delim:
		if x == '[' {
			return m.list(path)
		}
		return m.object(path)
	case json.Number:
		return sha256.Sum256([]byte("n" + plainNumber(x))), nil
	case string:
		if path == "$.model.merges[]" { // "a b" as ["a", "b"]
			if left, right, ok := strings.Cut(x, " "); ok && !strings.Contains(right, " ") {
				return listSum(textSum([]byte(left)), textSum([]byte(right))), nil
			}
		}
		return textSum([]byte(x)), nil
	}
	return sha256.Sum256(fmt.Append(nil, "c", token)), nil // true, false, null
}

func (m *decoded) list(path string) ([32]byte, error) {
	h := sha256.New()
	h.Write([]byte("l"))
	inside := path + "[]"
	for m.in.More() {
		sum, err := m.value(inside)
		if err != nil {
			return sum, err
		}
		h.Write(sum[:])
	}
	_, err := m.in.Token()
	return [32]byte(h.Sum(nil)), err
}

// object hashes members by key. Of two with one key the last counts, as for every reader here; of the
// whole file, only the sections count, and one that is null as one that is not there.
func (m *decoded) object(path string) ([32]byte, error) {
	var members []keyed
	for m.in.More() {
		token, err := m.in.Token()
		if err != nil {
			return [32]byte{}, err
		}
		key, _ := token.(string)
		inside := ""
		if len(path) < 100 && len(key) < 100 && !strings.ContainsAny(key, ".[]$") { // else no place matters
			inside = path + "." + key
		}
		sum, err := m.value(inside)
		if err != nil {
			return sum, err
		}
		if path == "$" && (!slices.Contains(sections, key) || sum == null) {
			continue
		}
		members = append(members, keyed{key, sum})
	}
	slices.SortStableFunc(members, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	h := sha256.New()
	h.Write([]byte("o"))
	for i, x := range members {
		if i+1 < len(members) && members[i+1].key == x.key {
			continue
		}
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(x.key))))
		h.Write([]byte(x.key))
		h.Write(x.sum[:])
	}
	_, err := m.in.Token()
	return [32]byte(h.Sum(nil)), err
}

// The two ways agree on what is JSON and on what is not.
func FuzzMeaning(f *testing.F) {
	for _, s := range []string{
		`{"model": {"vocab": {"a": 0, "\u00e9\n": 1, "é": 2, "\ud800": 3}, "merges": ["a b", ["a", "b"], "a b c", ""]}, "version": "1.0"}`,
		`{"model": null, "added_tokens": [], "decoder": {"a": -1.50e3, "b": true, "c": false, "d": [null, {}, []]}}`,
		` [1 , 2.0 ]`, `"a"`, `1 2`, `{"a":1}x`, `nul`, ``, "{\"model\": \"\xff\"}", `{"model":{"merges":{"x":"a b"}}}`, `{"model":1,"model":2}`,
		`{"normalizer":{"normalizers":[{"type":"Replace","pattern":{"String":"a"},"content":"b"}]},"model":{"merges":{"":"a b"},"x":{"y":{"z":{"model":1}}}}}`,
		`{"model":{"abcdefgh1":1,"abcdefgh0":2,"a":3,"a\u0000":4,"":5,"abcdefgh":6,"a":7}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := meaning(data), meaningByDecoder(data); got != want && json.Valid(data) {
			t.Errorf("%q: %x, by the decoder %x", data, got, want)
		}
	})
}

func textSum(s []byte) [32]byte { return sha256.Sum256(append([]byte("s"), s...)) }

func listSum(items ...[32]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("l"))
	for _, s := range items {
		h.Write(s[:])
	}
	return [32]byte(h.Sum(nil))
}
