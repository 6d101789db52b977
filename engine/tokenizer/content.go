package tokenizer

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
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

// meaning hashes the JSON of a tokenizer by what it says. JSON that cannot be read is hashed as it is.
// A tokenizer's file has 10^5 texts, and every run waits for this: the bytes are gone through once,
// not token by token with encoding/json's Decoder, which takes several times as long.
func meaning(data []byte) [32]byte {
	if !json.Valid(data) {
		return sha256.Sum256(data)
	}
	m := meaner{rest: data}
	return m.value("")
}

// meaner goes through valid JSON value by value, keeping no more than a hash of each.
type meaner struct {
	rest []byte // not yet read
	text []byte // the last string, behind an "s"
}

type keyed struct {
	key string
	sum [32]byte
}

// ordered is a place among an object's members, and the first eight bytes of its key, which
// nearly always tell keys apart.
type ordered struct {
	begins uint64
	place  int32
}

// inOrder are the places of members by key, and of one key by place.
func inOrder(members []keyed) []ordered {
	order := make([]ordered, len(members))
	for i, m := range members {
		var begins [8]byte
		copy(begins[:], m.key)
		order[i] = ordered{binary.BigEndian.Uint64(begins[:]), int32(i)}
	}
	slices.SortFunc(order, func(a, b ordered) int {
		if a.begins != b.begins {
			return cmp.Compare(a.begins, b.begins)
		}
		return cmp.Or(strings.Compare(members[a.place].key, members[b.place].key), cmp.Compare(a.place, b.place))
	})
	return order
}

// next is the next byte that is neither a blank, a comma nor a colon; it is not taken.
func (m *meaner) next() byte {
	for {
		switch c := m.rest[0]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			m.rest = m.rest[1:]
		default:
			return c
		}
	}
}

// string takes the next string; what it returns lasts until the next is taken.
func (m *meaner) string() []byte {
	m.next()
	end, simple := 1, true
	for m.rest[end] != '"' {
		if m.rest[end] == '\\' {
			simple = false
			end++
		}
		end++
	}
	quoted := m.rest[:end+1]
	m.rest = m.rest[end+1:]
	m.text = append(m.text[:0], 's')
	if simple && utf8.Valid(quoted) {
		m.text = append(m.text, quoted[1:end]...)
		return m.text[1:]
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // of valid JSON: it cannot fail
	m.text = append(m.text, s...)
	return m.text[1:]
}

// word takes a number, true, false or null.
func (m *meaner) word() string {
	end := bytes.IndexAny(m.rest, " \t\r\n,:]}")
	if end < 0 {
		end = len(m.rest)
	}
	w := string(m.rest[:end])
	m.rest = m.rest[end:]
	return w
}

// value hashes the next value; path is where it is, an item of a list having no name.
func (m *meaner) value(path string) [32]byte {
	switch m.next() {
	case '[':
		return m.list(path)
	case '{':
		return m.object(path)
	case '"':
		text := m.string()
		if path == "/model/merges/" { // "a b" as ["a", "b"]
			if left, right, ok := bytes.Cut(text, []byte(" ")); ok && bytes.IndexByte(right, ' ') < 0 {
				return listSum(textSum(left), textSum(right))
			}
		}
		return sha256.Sum256(m.text)
	}
	switch w := m.word(); w {
	case "true", "false":
		return sha256.Sum256([]byte("c" + w))
	case "null":
		return null
	default:
		return sha256.Sum256([]byte("n" + plainNumber(json.Number(w))))
	}
}

// null's hash is that of how Go prints it.
var null = sha256.Sum256(fmt.Append(nil, "c", nil))

func textSum(s []byte) [32]byte { return sha256.Sum256(append([]byte("s"), s...)) }

func listSum(items ...[32]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("l"))
	for _, s := range items {
		h.Write(s[:])
	}
	return [32]byte(h.Sum(nil))
}

func (m *meaner) list(path string) [32]byte {
	h := sha256.New()
	h.Write([]byte("l"))
	inside := path + "/"
	for m.rest = m.rest[1:]; m.next() != ']'; {
		sum := m.value(inside)
		h.Write(sum[:])
	}
	m.rest = m.rest[1:]
	return [32]byte(h.Sum(nil))
}

// object hashes members by key. Of two with one key the last counts, as for every reader here; of the
// whole file, only the sections count, and one that is null as one that is not there.
func (m *meaner) object(path string) [32]byte {
	var members []keyed
	named := strings.Count(path, "/") < 3 // deeper, no place matters
	for m.rest = m.rest[1:]; m.next() != '}'; {
		key, inside := string(m.string()), ""
		if named && len(key) < 100 {
			inside = path + "/" + key
		}
		sum := m.value(inside)
		if path == "" && (!slices.Contains(sections, key) || sum == null) {
			continue
		}
		members = append(members, keyed{key, sum})
	}
	m.rest = m.rest[1:]
	order := inOrder(members)
	h := sha256.New()
	h.Write([]byte("o"))
	var line []byte
	for i, o := range order {
		x := &members[o.place]
		if i+1 < len(order) && members[order[i+1].place].key == x.key {
			continue
		}
		line = binary.LittleEndian.AppendUint64(line[:0], uint64(len(x.key)))
		line = append(append(line, x.key...), x.sum[:]...)
		h.Write(line)
	}
	return [32]byte(h.Sum(nil))
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
