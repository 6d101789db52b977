package tokenizer

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The goldens hold what the tokenizers and sentencepiece libraries gave (testdata/make.py). A difference
// here is a token id that differs from the reference.

// families are the small tokenizers of testdata.
var families = []string{
	"gpt2", "gpt2-prefix", "llama3", "qwen2", "tekken", "splits", "behaviors", "metaspace-always", "metaspace-first",
	"metaspace-never", "metaspace-cross", "llama2", "nfkc", "suffix", "flags", "flags-prepend", "spm", "spm-rules", "spm-plain",
	"unigram", "unigram-bytes", "spm-unigram", "spm-unigram-bytes", "wordpiece", "wordlevel", "scripts", "bert-cased", "strip-accents",
}

// hardStrings returns the strings of testdata/strings.json, as bytes: invalid UTF-8 included.
func hardStrings(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/strings.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Hard    []string
		Invalid []string
		Long    [][2]any
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	all := file.Hard
	for _, h := range file.Invalid {
		b, err := hex.DecodeString(h)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
	}
	for _, l := range file.Long {
		all = append(all, strings.Repeat(l[0].(string), int(l[1].(float64))))
	}
	return all
}

// digest is make.py's: the first 16 hex digits of the SHA-256 of the ids as little-endian int32.
func digest(ids []int32) string {
	b := make([]byte, 0, 4*len(ids))
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
	}
	return textDigest(string(b))
}

func textDigest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:16]
}

// goldenRow is make.py's row.
func goldenRow(tok *Tokenizer, s string) string {
	ids := tok.Encode(s, true)
	shown := "#" + digest(ids)[:8]
	if len(ids) > 0 && len(ids) <= 8 {
		parts := make([]string, len(ids))
		for i, id := range ids {
			parts[i] = strconv.Itoa(int(id))
		}
		shown = strings.Join(parts, ",")
	}
	rest := digest(tok.Encode(s, false)) + "\x00" + textDigest(tok.Decode(ids, false)) + "\x00" + textDigest(tok.Decode(ids, true))
	return fmt.Sprintf("%d %s %s", len(ids), shown, textDigest(rest)[:8])
}

// codepointText is make.py's text of 4,096 code points from start.
func codepointText(start rune) string {
	var b strings.Builder
	for c := start; c < start+4096; c++ {
		if c < 0xD800 || c >= 0xE000 {
			fmt.Fprintf(&b, "a%c %c1%c%c\u0315\u0334'%c", c, c, c, c, c)
		}
	}
	return b.String()
}

func load(t testing.TB, dir string) *Tokenizer {
	t.Helper()
	tok, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// checkRow compares one string and says the ids and pieces found.
func checkRow(t *testing.T, tok *Tokenizer, s, want string) {
	t.Helper()
	got := goldenRow(tok, s)
	if got == want {
		return
	}
	var pieces []string
	ids := tok.Encode(s, true)
	for _, id := range ids[:min(len(ids), 20)] {
		pieces = append(pieces, fmt.Sprintf("%d:%q", id, tok.Piece(id)))
	}
	t.Errorf("%.60q: got %s, want %s\n\tpieces %s\n\tdecoded %.80q", s, got, want, strings.Join(pieces, " "), tok.Decode(ids, false))
}

func TestGoldenFamilies(t *testing.T) {
	texts := hardStrings(t)
	for nth, name := range families {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tok := load(t, filepath.Join("testdata", name))
			data, err := os.ReadFile(filepath.Join("testdata", "golden", name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); n++ {
				line := lines.Text()
				code, want, isBlock := strings.Cut(line, " ")
				if !strings.HasPrefix(line, "U+") || !isBlock {
					if n >= len(texts) {
						t.Fatalf("golden has more rows than there are strings (%d)", len(texts))
					}
					checkRow(t, tok, texts[n], line)
					continue
				}
				checkCodepoints(t, tok, code, want, nth)
			}
			if n < len(texts) {
				t.Fatalf("golden has %d rows for %d strings", n, len(texts))
			}
		})
	}
}

// thin reports whether to take a sample only: with -short, and under the race detector.
func thin() bool { return testing.Short() || raceEnabled }

// alike reports whether the block of code points from start holds one kind of character throughout:
// ideographs, Hangul, or what is unassigned or private.
func alike(start uint64) bool {
	return start >= 0x4000 && start < 0x9000 || start == 0xB000 || start == 0xC000 || start == 0xE000 ||
		start >= 0x20000 && start < 0x2B000 || start >= 0x2C000 && start < 0x2F000 || start > 0xE0000
}

// checkCodepoints compares the ids over a block of code points ("U+03000"). The blocks that are alike
// throughout are shared out among the families, four families a block; thin runs take some blocks.
func checkCodepoints(t *testing.T, tok *Tokenizer, code, want string, nth int) {
	t.Helper()
	start, err := strconv.ParseUint(strings.TrimPrefix(code, "U+"), 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	if thin() && start/4096%16 != 1 && start != 0 || alike(start) && int(start/4096)%4 != nth%4 {
		return
	}
	if got := digest(tok.Encode(codepointText(rune(start)), false))[:8]; got != want {
		t.Errorf("code points from %s: ids hash to %s, want %s", code, got, want)
	}
}
