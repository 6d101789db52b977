package tokenizer

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// ContentSHA256 returns, in hex, the SHA-256 over what the tokenizer's files mean: equal for files that
// say the same in other blanks, in another order of keys, or with merges written as one text or as two.
// Of tokenizer.model it is that of the bytes. It is computed when first asked for.
func (t *Tokenizer) ContentSHA256() string { return t.content() }

// contentOf returns the function behind ContentSHA256; data is what SHA256 was made of, which parsed.
func contentOf(data, encoded []byte, isJSON bool) func() string {
	return func() string {
		file := sha256.Sum256(data)
		if isJSON {
			file = meaning(data)
		}
		sum := sha256.Sum256(append(file[:], encoded...))
		return hex.EncodeToString(sum[:])
	}
}

// sections are the keys of tokenizer.json that decide ids or pieces; the others (version, truncation,
// padding) say how a program used it last.
var sections = []string{"added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"}

// meaning hashes the JSON of a tokenizer by what it says. JSON that cannot be read this way is hashed
// as it is.
func meaning(data []byte) [32]byte {
	m := meaner{json.NewDecoder(bytes.NewReader(data))}
	m.in.UseNumber()
	sum, err := m.value("")
	if err == nil {
		_, err = m.in.Token()
	}
	if err != io.EOF {
		return sha256.Sum256(data)
	}
	return sum
}

// meaner reads JSON value by value, keeping no more than a hash of each.
type meaner struct{ in *json.Decoder }

type keyed struct {
	key string
	sum [32]byte
}

// value hashes the next value; path is where it is, an item of a list having no name.
func (m *meaner) value(path string) ([32]byte, error) {
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
		if path == "/model/merges/" { // "a b" as ["a", "b"]
			if left, right, ok := strings.Cut(x, " "); ok && !strings.Contains(right, " ") {
				return listSum([][32]byte{textSum(left), textSum(right)}), nil
			}
		}
		return textSum(x), nil
	}
	return sha256.Sum256(fmt.Append(nil, "c", token)), nil // true, false, null
}

func textSum(s string) [32]byte { return sha256.Sum256([]byte("s" + s)) }

func listSum(items [][32]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("l"))
	for _, s := range items {
		h.Write(s[:])
	}
	return [32]byte(h.Sum(nil))
}

func (m *meaner) list(path string) ([32]byte, error) {
	h := sha256.New()
	h.Write([]byte("l"))
	inside := path + "/"
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
func (m *meaner) object(path string) ([32]byte, error) {
	var members []keyed
	null := sha256.Sum256(fmt.Append(nil, "c", nil))
	for m.in.More() {
		token, err := m.in.Token()
		if err != nil {
			return [32]byte{}, err
		}
		key, _ := token.(string)
		inside := ""
		if strings.Count(path, "/") < 3 && len(key) < 100 { // deeper, no place matters
			inside = path + "/" + key
		}
		sum, err := m.value(inside)
		if err != nil {
			return sum, err
		}
		if path == "" && (!slices.Contains(sections, key) || sum == null) {
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

// plainNumber is a number as its shortest text: 1.0 and 1 are one.
func plainNumber(n json.Number) string {
	if i, err := n.Int64(); err == nil {
		return strconv.FormatInt(i, 10)
	}
	f, err := n.Float64()
	if err != nil {
		return n.String()
	}
	if f == float64(int64(f)) {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
