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
	return m.value(wholeFile)
}

// place is where a value stands in the file, as far as that matters to what it means.
type place int

const (
	elsewhere place = iota
	wholeFile
	ofModel
	ofMerges
	oneMerge
)

// member is the place of an object's member.
func (p place) member(key string) place {
	switch {
	case p == wholeFile && key == "model":
		return ofModel
	case p == ofModel && key == "merges":
		return ofMerges
	}
	return elsewhere
}

// item is the place of a list's items.
func (p place) item() place {
	if p == ofMerges {
		return oneMerge
	}
	return elsewhere
}

// meaner goes through valid JSON value by value, keeping no more than a hash of each.
type meaner struct {
	rest []byte // not yet read
	text []byte // the last string, behind an "s"

	pairs, half []byte // of the last pair
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

// value hashes the next value.
func (m *meaner) value(at place) [32]byte {
	switch m.next() {
	case '[':
		return m.list(at)
	case '{':
		return m.object(at)
	case '"':
		text := m.string()
		if at == oneMerge { // "a b" as ["a", "b"]
			if left, right, ok := bytes.Cut(text, []byte(" ")); ok && bytes.IndexByte(right, ' ') < 0 {
				return m.pair(left, right)
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
		m.text = append(append(m.text[:0], 'n'), plainNumber(json.Number(w))...)
		return sha256.Sum256(m.text)
	}
}

// pair hashes the list of two texts.
func (m *meaner) pair(left, right []byte) [32]byte {
	both := append(m.pairs[:0], 'l')
	for _, s := range [...][]byte{left, right} {
		m.half = append(append(m.half[:0], 's'), s...)
		sum := sha256.Sum256(m.half)
		both = append(both, sum[:]...)
	}
	m.pairs = both
	return sha256.Sum256(both)
}

// null's hash is that of how Go prints it.
var null = sha256.Sum256(fmt.Append(nil, "c", nil))

func (m *meaner) list(at place) [32]byte {
	h := sha256.New()
	h.Write([]byte("l"))
	for m.rest = m.rest[1:]; m.next() != ']'; {
		sum := m.value(at.item())
		h.Write(sum[:])
	}
	m.rest = m.rest[1:]
	return [32]byte(h.Sum(nil))
}

// object hashes members by key. Of two with one key the last counts, as for every reader here; of the
// whole file, only the sections count, and one that is null as one that is not there.
func (m *meaner) object(at place) [32]byte {
	var members []keyed
	for m.rest = m.rest[1:]; m.next() != '}'; {
		key := string(m.string())
		sum := m.value(at.member(key))
		if at == wholeFile && (!slices.Contains(sections, key) || sum == null) {
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
