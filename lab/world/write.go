package world

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// questionFiles are where --data expects the questions of a form.
var questionFiles = map[string]string{
	"arc_easy":       "ai2_arc/ARC-Easy/test.jsonl",
	"hellaswag":      "hellaswag/validation.jsonl",
	"piqa":           "piqa/validation.jsonl",
	"lambada_openai": "lambada_openai/test.jsonl",
}

// shardWords is how many words one file of training text has (about 110 MB).
var shardWords = 20_000_000

// maxQuestions of every form are certainly different.
const maxQuestions = 20_000

// Write makes dir with words words of training text (train.txt, or train-00000-of-0000N.txt and so on
// where it is long), a tenth of that but at most 100,000 words from another stream of the seed
// (valid.txt), and questions questions of each form where --data finds them. The joined shards are what
// Text writes. dir appears whole or not at all; one that holds anything already is refused.
func (k Kind) Write(dir string, seed uint64, words, questions int) (err error) {
	if words < 1 || questions < 1 || questions > maxQuestions {
		return fmt.Errorf("world: %d words and %d questions; want at least 1 word and 1 to %d questions", words, questions, maxQuestions)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s: holds files already; name a new directory", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("world: %w", err)
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return fmt.Errorf("world: %w", err)
	}
	tmp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+"-")
	if err != nil {
		return fmt.Errorf("world: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := k.writeAll(tmp, seed, words, questions); err != nil {
		return fmt.Errorf("world: %w", err)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return fmt.Errorf("world: %w", err)
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("world: %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return fmt.Errorf("world: %w", err)
	}
	return nil
}

func (k Kind) writeAll(dir string, seed uint64, words, questions int) error {
	r := newRNG(seed, "text")
	shards := (words + shardWords - 1) / shardWords
	written := 0
	for i := range shards {
		name := "train.txt"
		if shards > 1 {
			name = fmt.Sprintf("train-%05d-of-%05d.txt", i, shards)
		}
		upTo := min(words, (i+1)*shardWords)
		err := writeFile(filepath.Join(dir, name), func(w io.Writer) error {
			n, err := k.writeDocuments(r, w, upTo-written)
			written += n
			return err
		})
		if err != nil {
			return err
		}
	}
	err := writeFile(filepath.Join(dir, "valid.txt"), func(w io.Writer) error {
		_, err := k.writeDocuments(newRNG(seed, "valid"), w, min(100_000, max(1, words/10)))
		return err
	})
	if err != nil {
		return err
	}
	for _, form := range Forms {
		docs := k.Questions(seed, form, questions)
		if len(docs) < questions {
			return fmt.Errorf("%s: the world holds %d different questions; ask for no more than that, not %d", form, len(docs), questions)
		}
		err := writeFile(filepath.Join(dir, filepath.FromSlash(questionFiles[form])), func(w io.Writer) error {
			for _, d := range docs {
				line, err := json.Marshal(d)
				if err != nil {
					return err
				}
				if _, err := w.Write(append(bytes.TrimSpace(line), '\n')); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeFile makes path with what each writes, and syncs it.
func writeFile(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, 1<<16)
	err = write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
