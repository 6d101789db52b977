package golden

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Documents that moved, or a canonical form that is not Python's, would leave
// every comparison of documents empty.
func TestDocumentsAreTheHashedOnes(t *testing.T) {
	for _, s := range TaskSets(t) {
		t.Run(s.Set, func(t *testing.T) {
			dir := s.DataDir(t)
			for _, task := range s.Tasks {
				if task.N == 0 || task.N != len(task.Documents) {
					t.Errorf("%s: n is %d, %d documents", task.Task, task.N, len(task.Documents))
				}
				lines := readLines(t, filepath.Join(dir, task.File))
				if task.Limit == 0 && len(lines) != task.N || len(lines) < task.N {
					t.Fatalf("%s has %d lines, the golden %d documents", task.File, len(lines), task.N)
				}
				for i, d := range task.Documents {
					if got, err := DocumentHash(lines[i]); err != nil || got != d.Doc {
						t.Errorf("%s line %d: hash %s, %v; want %s", task.File, i+1, got, err, d.Doc)
					}
				}
			}
		})
	}
}

// The goldens must hold what they are there for: greedy answers and others,
// truncated requests, ties, right and wrong documents, several windows a page.
func TestTaskGoldensCoverTheHardCases(t *testing.T) {
	for _, s := range TaskSets(t) {
		var greedy, requests, truncated, right, choices, ties, windows int
		for _, task := range s.Tasks {
			for _, d := range task.Documents {
				for i, r := range d.Requests {
					requests++
					if r.IsGreedy {
						greedy++
					}
					if r.Tokens[0]+r.Tokens[1] > s.MaxLength+1 {
						truncated++
					}
					if r.LogLikelihood > 0 {
						t.Errorf("%s %s: loglikelihood %v above 0", s.Set, task.Task, r.LogLikelihood)
					}
					if i > 0 && r.IDs == d.Requests[i-1].IDs {
						ties++
					}
				}
				if d.Rolling != nil {
					windows += len(d.Rolling.Windows)
				}
				if d.Acc != nil {
					choices++
					right += int(*d.Acc)
				}
			}
		}
		t.Logf("%s: %d requests, %d greedy, %d truncated, %d ties, %d of %d right, %d windows",
			s.Set, requests, greedy, truncated, ties, right, choices, windows)
		if right == 0 || right == choices {
			t.Errorf("%s: %d of %d right: no wrong answer would show", s.Set, right, choices)
		}
		if s.Data == "docs" && (greedy == 0 || greedy == requests || truncated == 0) {
			t.Errorf("%s: %d of %d greedy, %d truncated: a case is missing", s.Set, greedy, requests, truncated)
		}
	}
}

func TestContinuationsAreDecided(t *testing.T) {
	for _, c := range Continuations(t) {
		if c.Lead < 1e-3 || len(c.Generated) == 0 || len(c.IDs) == 0 {
			t.Errorf("%q: lead %v, %d ids, %d generated", c.Text, c.Lead, len(c.IDs), len(c.Generated))
		}
	}
}

func TestTinyCheckpointHasTheTokenizerAsked(t *testing.T) {
	for _, name := range []string{"tiny", "tiny-nobos"} {
		got, err := os.ReadFile(filepath.Join(TinyCheckpoint(t, name), "tokenizer.json"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(got, []byte(`"TemplateProcessing"`)) != (name == "tiny") {
			t.Errorf("%s: wrong tokenizer.json", name)
		}
	}
}

func TestDocumentHashIsPythons(t *testing.T) {
	// In Python, json.dumps of the same value with the arguments that DocumentHash names
	// gives this text.
	want := Hash("{\"a\":{},\"b\":[\"\x7f\u2028/<\\\"\\\\\\u0001\\n\",null,true,1.5]}")
	got, err := DocumentHash([]byte(`{ "b" : ["\u007f\u2028\/<\"\\\u0001\n", null, true, 1.5], "a": {} }`))
	if err != nil || got != want {
		t.Errorf("hash %s, %v; want %s", got, err, want)
	}
	if _, err := DocumentHash([]byte(`{"a":`)); err == nil {
		t.Error("half a document has a hash")
	}
}

func readLines(t *testing.T, path string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
}
