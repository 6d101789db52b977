package passkey

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/softbench/softbench/engine/tokenizer"
)

var plan = flag.Bool("plan", false, "write testdata/golden.json's trials anew, without their ids; then run testdata/make_golden.py")

// goldenTrial is a trial whose ids the Hugging Face tokenizers library has computed from its text.
type goldenTrial struct {
	Tokenizer string  `json:"tokenizer"`
	Length    int     `json:"length"`
	Depth     float64 `json:"depth"`
	Trial     int     `json:"trial"`
	Key       int     `json:"key"`
	Before    int     `json:"before"`
	After     int     `json:"after"`
	Tokens    int     `json:"tokens"` // of the prompt, special tokens included
	First     int32   `json:"first"`  // its first id
	Prompt    string  `json:"prompt"` // SHA-256 of its ids as little-endian int32
	Answer    []int32 `json:"answer"`
}

// The three: BOS and SentencePiece pieces (▁ before the key its own token or not), a byte-level BPE
// without BOS whose lines end in merged tokens, and SentencePiece's own file.
var realTokenizers = []string{"mistral-v0.3", "gpt-neox", "llama2"}

var realGrid = Grid{Lengths: []int{160, 512, 2049}, Depths: []float64{0, 0.25, 0.5, 1}, Trials: 3, Seed: 42}

func loadShared(t *testing.T, name string) Tokenizer {
	t.Helper()
	dir := os.Getenv("SOFTBENCH_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	dir = filepath.Join(dir, "tokenizers", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no tokenizer at %s; set SOFTBENCH_SHARED to the directory that has tokenizers/", dir)
	}
	tok, err := tokenizer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func idsHash(ids []int32) string {
	h := sha256.New()
	for _, id := range ids {
		var b [4]byte
		binary.LittleEndian.PutUint32(b[:], uint32(id))
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// With real tokenizers too every prompt has the exact length, is the paper's text, and has the ids
// and the answer that Hugging Face's tokenizers gives for that text.
func TestRealTokenizers(t *testing.T) {
	var planned []goldenTrial
	var golden struct {
		Trials []goldenTrial `json:"trials"`
	}
	b, err := os.ReadFile("testdata/golden.json")
	if err == nil {
		err = json.Unmarshal(b, &golden)
	}
	if err != nil && !*plan {
		t.Fatal(err)
	}
	for _, name := range realTokenizers {
		t.Run(name, func(t *testing.T) {
			tok := loadShared(t, name)
			trials, err := realGrid.Build(tok)
			if err != nil {
				t.Fatal(err)
			}
			for _, tr := range trials {
				checkTrial(t, tok, tr)
				got := goldenTrial{name, tr.Length, tr.Depth, tr.Trial, tr.Key, tr.Before, tr.After, len(tr.Prompt), tr.Prompt[0], idsHash(tr.Prompt), tr.Answer}
				if *plan {
					planned = append(planned, got)
					continue
				}
				found := false
				for _, want := range golden.Trials {
					if want.Tokenizer == name && want.Length == tr.Length && want.Depth == tr.Depth && want.Trial == tr.Trial {
						found = true
						if got.Key != want.Key || got.Before != want.Before || got.After != want.After || got.Tokens != want.Tokens ||
							got.First != want.First || got.Prompt != want.Prompt || !slices.Equal(got.Answer, want.Answer) {
							t.Errorf("got  %+v\nwant %+v", got, want)
						}
					}
				}
				if !found {
					t.Errorf("the golden has no trial %d at length %d, depth %v", tr.Trial, tr.Length, tr.Depth)
				}
			}
			checkCells(t, realGrid, trials)
		})
	}
	if *plan {
		b, err := json.Marshal(map[string]any{"trials": planned})
		if err == nil {
			err = os.WriteFile("testdata/golden.json", b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Every length in a row is met, not only round ones: from the shortest that fits on.
func TestEveryLength(t *testing.T) {
	for _, name := range realTokenizers {
		t.Run(name, func(t *testing.T) {
			tok := loadShared(t, name)
			fits := 0
			for length := 60; length < 200; length++ {
				g := Grid{Lengths: []int{length}, Depths: []float64{0.5}, Trials: 1, Seed: uint64(length)}
				trials, err := g.Build(tok)
				if err != nil {
					if fits > 0 {
						t.Errorf("length %d fails, though shorter ones do not: %v", length, err)
					}
					continue
				}
				fits++
				if len(trials[0].Prompt) != length {
					t.Errorf("length %d: %d tokens", length, len(trials[0].Prompt))
				}
			}
			if fits < 90 {
				t.Errorf("only %d of 140 lengths fit", fits)
			}
		})
	}
}
