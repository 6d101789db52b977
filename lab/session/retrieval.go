package session

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/lab/world"
)

// What a world with invented words asks of them: a suite for each form, whose tasks
// are the lengths.
const (
	retrievalDir       = "retrieval"
	retrievalDocuments = 200 // of each length
)

// retrievalLengths are the tokens of a task's documents, BOS and answer included.
var retrievalLengths = []int{32, 64, 128, 256}

// writeRetrieval writes retrieval/FORM.yaml, a suite, and its tasks with their
// documents beside it.
func writeRetrieval(dir string, o WorldOptions) error {
	for _, form := range world.Retrieval {
		suite := fmt.Sprintf("name: %s\ndescription: Invented words that stand further back, %s\ntasks:\n", form, retrievalForms[form])
		for _, length := range retrievalLengths {
			name := fmt.Sprintf("%s_%d", form, length)
			suite += fmt.Sprintf("  - ./%s.yaml\n", name)
			err := atomicfile.Write(filepath.Join(dir, retrievalDir, name+".jsonl"), func(w io.Writer) error {
				return world.WriteRetrieval(w, o.Seed, form, o.OwnWords, retrievalDocuments, length)
			})
			if err != nil {
				return err
			}
			if err := writeFile(filepath.Join(dir, retrievalDir, name+".yaml"), []byte(retrievalTask(form, name, length))); err != nil {
				return err
			}
		}
		if err := writeFile(filepath.Join(dir, retrievalDir, string(form)+".yaml"), []byte(suite)); err != nil {
			return err
		}
	}
	return nil
}

var retrievalForms = map[world.Exercise]string{
	world.Span:  "eight of them in a chain, which come again at the end",
	world.Pairs: "four keys with their values in a chain, of which the end asks for one",
}

func retrievalTask(form world.Exercise, name string, length int) string {
	return strings.Join([]string{
		"name: " + name,
		fmt.Sprintf("description: %d tokens, %s; the last word is asked for", length, retrievalForms[form]),
		"kind: last_word",
		"dataset: {files: {test: " + name + ".jsonl}}",
		`context: '{{.text | beforeLast " "}}'`,
		`continuation: ' {{.text | afterLast " "}}'`,
	}, "\n") + "\n"
}
