package golden

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

// TaskSet is one run of lm-evaluation-harness over several tasks.
type TaskSet struct {
	Format int    `json:"format"`
	Set    string `json:"set"` // "zero", "nobos", "fewshot" or "real"
	// Tokenizer names the directory of the tokenizer: "tiny" or "tiny-nobos"
	// (see TinyCheckpoint), or one of the shared tokenizers.
	Tokenizer string `json:"tokenizer"`
	// Data is "docs" (testdata/golden/docs) or "shared" (the shared data).
	Data    string `json:"data"`
	FewShot int    `json:"fewshot"`
	// MaxLength is the harness's max_length, PrefixToken its prefix_token_id.
	MaxLength   int   `json:"max_length"`
	PrefixToken int32 `json:"prefix_token"`
	// RandomModel, where not nil, says how the model was made.
	RandomModel *RandomModel `json:"random_model"`
	Tasks       []Task       `json:"tasks"`
}

// RandomModel is a model of internal/randmodel, by the flags of its command mk,
// with the set's tokenizer. Flags not named here have their defaults.
type RandomModel struct {
	Preset       string  `json:"preset"`
	Type         string  `json:"type"`
	Seed         uint64  `json:"seed"`
	DType        string  `json:"dtype"`
	Vocab        int     `json:"vocab"`
	MaxPositions int     `json:"max-positions"`
	Gain         float64 `json:"gain"`
	ScoreGain    float64 `json:"score-gain"`
	SHA256       string  `json:"sha256"` // of model.safetensors: other bytes need new goldens
}

// Task is one task's documents and metrics.
type Task struct {
	Task      string             `json:"task"`
	File      string             `json:"file"`    // below the data directory
	Limit     int                `json:"limit"`   // 0: all documents of the file
	N         int                `json:"n"`       // documents scored
	Metrics   map[string]float64 `json:"metrics"` // "acc", "acc_stderr", "word_perplexity", ...
	Documents []Document         `json:"documents"`
}

// Document is one document's results.
type Document struct {
	Doc      string    `json:"doc"` // DocumentHash of its source line
	Requests []Request `json:"requests"`
	Rolling  *Rolling  `json:"rolling"`
	// Acc and AccNorm are 0 or 1, nil where the task has no such metric.
	Acc     *float64 `json:"acc"`
	AccNorm *float64 `json:"acc_norm"`
	// Near says that the two best choices are so near that float32 rounding
	// could exchange them.
	Near bool `json:"near"`
}

// Request is one context and continuation.
type Request struct {
	Context      string `json:"context"`      // Hash of the text
	Continuation string `json:"continuation"` // Hash of the text
	IDs          string `json:"ids"`          // HashIDs of context's then continuation's ids, before truncation
	// Tokens are the numbers of the context's and of the continuation's ids,
	// before truncation.
	Tokens        [2]int  `json:"tokens"`
	LogLikelihood float64 `json:"loglikelihood"`
	IsGreedy      bool    `json:"is_greedy"`
	// Exact is the loglikelihood of the same weights in float64, nil where it was not
	// computed.
	Exact *float64 `json:"exact"`
}

// Rolling is one text scored in windows.
type Rolling struct {
	Text          string  `json:"text"` // Hash of the text that is scored
	Words         int     `json:"words"`
	Bytes         int     `json:"bytes"`
	LogLikelihood float64 `json:"loglikelihood"` // the harness's: each window summed in float32
	// WideSum is the same float32 terms summed in float64: the one to compare
	// with where the text is long.
	WideSum float64  `json:"wide_sum"`
	Windows []Window `json:"windows"`
}

// Window is one window of a rolling request; in the file [context, scored, ids].
type Window struct {
	Context int    // ids that are only context
	Scored  int    // ids that are scored
	IDs     string // HashIDs of both
}

// TaskSets reads every task golden.
func TaskSets(t testing.TB) []TaskSet {
	t.Helper()
	paths, err := filepath.Glob(Dir(t, "tasks", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no task goldens: %v", err)
	}
	var sets []TaskSet
	for _, path := range paths {
		var s TaskSet
		read(t, path, &s)
		checkFormat(t, path, s.Format)
		sets = append(sets, s)
	}
	return sets
}

// ReadTaskSet reads one task golden.
func ReadTaskSet(t testing.TB, set string) TaskSet {
	t.Helper()
	for _, s := range TaskSets(t) {
		if s.Set == set {
			return s
		}
	}
	t.Fatalf("no task golden %q", set)
	return TaskSet{}
}

// RealSet is a TaskSet of a real model, whose file the repository does not hold.
type RealSet struct {
	TaskSet
	GGUF struct {
		Package string `json:"package"` // of PyPI, with its version
		File    string `json:"file"`
		SHA256  string `json:"sha256"`
	} `json:"gguf"`
}

// RealModel reads smollm2.json.
func RealModel(t testing.TB) (s RealSet) {
	t.Helper()
	path := Dir(t, "smollm2.json")
	read(t, path, &s)
	checkFormat(t, path, s.Format)
	return s
}

// DataDir returns the directory that the set's files lie in. It skips the test
// where the set needs shared data that is absent.
func (s TaskSet) DataDir(t testing.TB) string {
	t.Helper()
	if s.Data == "shared" {
		return Shared(t, "data")
	}
	return Dir(t, "docs")
}

// TinyCheckpoint returns a checkpoint directory with the trained tiny model and
// the named tokenizer: "tiny" (BOS first) or "tiny-nobos" (no BOS token).
func TinyCheckpoint(t testing.TB, tokenizer string) string {
	t.Helper()
	if tokenizer == "tiny" {
		return Dir(t, "tiny")
	}
	dir := t.TempDir()
	for from, names := range map[string][]string{
		"tiny":    {"config.json", "model.safetensors"},
		tokenizer: {"tokenizer.json", "tokenizer_config.json"},
	} {
		for _, name := range names {
			data, err := os.ReadFile(Dir(t, from, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// Hash is the first 16 hex digits of the SHA-256 of a text's UTF-8 bytes.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// HashIDs is the first 16 hex digits of the SHA-256 of ids as little-endian
// int32.
func HashIDs(ids []int32) string {
	var raw []byte
	for _, id := range ids {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(id))
	}
	return Hash(string(raw))
}
