package world

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/tokenizer"
)

func loadTrained(t *testing.T, text string, vocab int) (*tokenizer.Tokenizer, []byte) {
	t.Helper()
	b, err := TrainBPE([]byte(text), vocab)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tokenizer.json"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tokenizer_config.json"), []byte(`{"bos_token": "`+BOS+`"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tok, b
}

var writeTokenizer = flag.String("write-tokenizer", "", "write the golden's tokenizer there, for testdata/bpe.py")

// goldenBPE is a tokenizer's hash and the ids that the Hugging Face tokenizers library gives with it
// (tokenizers 0.23.3, Tokenizer.from_file, encode): 1000 entries trained on 20,000 words of seed 1.
type goldenBPE struct {
	SHA256 string
	Items  []struct {
		Text string
		IDs  []int32
	}
}

func TestBPEEqualsHuggingFace(t *testing.T) {
	var golden goldenBPE
	if err := json.Unmarshal(read(t, "testdata", "bpe.json"), &golden); err != nil {
		t.Fatal(err)
	}
	tok, b := loadTrained(t, trainingText(t, 1, 20_000), 1000)
	if *writeTokenizer != "" {
		if err := os.WriteFile(*writeTokenizer, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if h := sha256.Sum256(b); hex.EncodeToString(h[:]) != golden.SHA256 {
		t.Errorf("tokenizer.json has SHA-256 %x, want %s", h, golden.SHA256)
	}
	if len(golden.Items) < 10 {
		t.Fatalf("%d items in the golden", len(golden.Items))
	}
	for _, item := range golden.Items {
		if got := tok.Encode(item.Text, true); !slices.Equal(got, item.IDs) {
			t.Errorf("%q: %v, want %v", item.Text, got, item.IDs)
		}
	}
}

func TestBPEOnTheWorld(t *testing.T) {
	text := trainingText(t, 1, 200_000)
	tok, b := loadTrained(t, text, 4000)
	if again, err := TrainBPE([]byte(text), 4000); err != nil || !bytes.Equal(b, again) {
		t.Errorf("the same text gives another tokenizer (%v)", err)
	}
	if id, ok := tok.BOS(); !ok || id != 0 {
		t.Errorf("BOS is %d, %v; want 0", id, ok)
	}
	sample := trainingText(t, 2, 20_000)
	ids := tok.Encode(sample, true)
	if ids[0] != 0 || slices.Contains(ids[1:], 0) {
		t.Error("<s> does not stand in front of the text, once")
	}
	if got := tok.Decode(ids, true); got != sample {
		t.Error("decoding does not give the text back")
	}
	perWord := float64(len(ids)) / float64(len(strings.Fields(sample)))
	t.Logf("%d entries, %.3f tokens a word", tok.VocabSize(), perWord)
	if perWord > 1.4 { // a word, or a mark with its word: 1.2
		t.Errorf("%.3f tokens a word; the world's words should be one each", perWord)
	}
}

// TestBPEMerges follows the merges on texts small enough to do by hand.
func TestBPEMerges(t *testing.T) {
	for _, c := range []struct {
		text  string
		vocab int
		want  []string
	}{
		{"ab ab ab", 259, []string{"a b", "Ġ ab"}},
		{"abcd", 300, []string{"a b", "c d", "ab cd"}}, // of equal counts the lower ids first
		{"aaaa", 300, []string{"a a", "aa aa"}},
		{"a", 300, nil},
		{"xyz xyz yz", 300, []string{"y z", "x yz", "Ġ yz", "Ġ xyz"}},
		{"ab", 257, nil},
	} {
		b, err := TrainBPE([]byte(c.text), c.vocab)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Model struct {
				Vocab  map[string]int
				Merges [][2]string
			}
		}
		if err := json.Unmarshal(b, &file); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range file.Model.Merges {
			got = append(got, m[0]+" "+m[1])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: merges %q, want %q", c.text, got, c.want)
		}
		if len(file.Model.Vocab) != 257+len(c.want) {
			t.Errorf("%q: %d entries, want %d", c.text, len(file.Model.Vocab), 257+len(c.want))
		}
	}
}

func TestPreToken(t *testing.T) {
	for text, want := range map[string]string{
		"It's 12 cats' end": "It|'s| 12| cats|'| end",
		"a  b\n\nc ":        "a| | b|\n|\n|c| ",
		" \t\nx":            " \t|\n|x",
		"été, naïve":        "été|,| naïve",
		"they'll I'd 'd":    "they|'ll| I|'d| '|d",
		"  ":                "  ",
		"x\u00a0\u00a0y":    "x|\u00a0|\u00a0|y",
		"x\xff\xfe y":       "x|\xff\xfe| y",
	} {
		var got []string
		for rest := []byte(text); len(rest) > 0; {
			n := preToken(rest)
			got = append(got, string(rest[:n]))
			rest = rest[n:]
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%q: %q, want %q", text, s, want)
		}
	}
}

func TestBPEErrors(t *testing.T) {
	if _, err := TrainBPE([]byte("text"), 256); err == nil {
		t.Error("a vocabulary below 257: no error")
	}
	if _, err := TrainBPE(nil, 300); err == nil {
		t.Error("no text: no error")
	}
}
