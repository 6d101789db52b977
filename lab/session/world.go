package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/lab/world"
)

const (
	tokenizerFile = "tokenizer.json"
	settingsFile  = "tokenizer_config.json"
	// tokenizerText is how much of the text, from its beginning, a tokenizer is
	// trained on: what is frequent is frequent in any part of it.
	tokenizerText = 8 << 20
	// pageWords is the least number of words of a page of held-out text: a page
	// gives a sample of 512 tokens for the diagnostics.
	pageWords = 520
)

// tokenizerConfig says which token is BOS.
var tokenizerConfig = []byte(`{"bos_token": "` + world.BOS + `", "tokenizer_class": "PreTrainedTokenizerFast"}` + "\n")

// WorldOptions are the numbers of a world.
type WorldOptions struct {
	Seed      uint64     `json:"seed"`
	Words     int        `json:"words"`          // of training text
	Questions int        `json:"questions"`      // of each form
	Vocab     int        `json:"vocab"`          // of the tokenizer, without the own words
	OwnWords  int        `json:"own_words"`      // invented words for exercises
	Text      world.Kind `json:"text,omitempty"` // the kind of its text
}

// World makes dir a world: what world.Write writes, a tokenizer trained on the
// text, the held-out text as pages where the task text finds them
// (text/valid.jsonl), and for invented words suites of retrieval
// (retrieval/FORM.yaml). dir appears whole or not at all; one that holds anything
// is refused.
func World(dir string, o WorldOptions) error {
	if o.OwnWords < 0 || o.OwnWords > world.MaxOwnWords || o.OwnWords > 0 && o.OwnWords < world.LeastWords {
		return fmt.Errorf("%d words of the exercises' own: want 0, or %d to %d", o.OwnWords, world.LeastWords, world.MaxOwnWords)
	}
	if err := o.Text.Check(); err != nil {
		return err
	}
	return atomicfile.Directory(dir, func(made string) (err error) {
		if o.Words == 0 && o.OwnWords > 0 {
			err = writeExercises(made, o)
		} else {
			err = o.Text.Write(made, o.Seed, o.Words, o.Questions)
		}
		if err != nil {
			return errors.New(strings.ReplaceAll(err.Error(), made, dir))
		}
		return finishWorld(made, o)
	})
}

// shownMix are the exercises of a world without text: what it shows of them, as
// text, and what diagnostics measure.
var shownMix = world.Mix{{Source: string(world.Chain), Part: 0.42}, {Source: string(world.Span), Part: 0.18}, {Source: string(world.Repeat), Part: 0.4}}

// writeExercises makes a world without text: some exercises as text files. The
// trainer draws its own (--mix).
func writeExercises(dir string, o WorldOptions) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	const length = 128
	for name, documents := range map[string]int{"train.txt": 1000, "valid.txt": 200} {
		err := atomicfile.Write(filepath.Join(dir, name), func(w io.Writer) error {
			return world.WriteExercises(w, o.Seed+uint64(documents), shownMix, o.OwnWords, documents, length)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func finishWorld(dir string, o WorldOptions) error {
	train, valid, _, err := WorldFiles(dir)
	if err != nil {
		return err
	}
	head, err := readHead(train[0], tokenizerText)
	if err != nil {
		return err
	}
	tokenizer, err := o.tokenizer(head)
	if err != nil {
		return err
	}
	if err := writeTokenizer(dir, tokenizer); err != nil {
		return err
	}
	if o.OwnWords > 0 {
		if err := os.Mkdir(filepath.Join(dir, retrievalDir), 0o777); err != nil {
			return err
		}
		if err := writeRetrieval(dir, o); err != nil {
			return err
		}
	}
	held, err := readTexts(context.Background(), []string{valid})
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "text"), 0o777); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, "text", "valid.jsonl"), func(w io.Writer) error {
		for _, p := range pages(held) {
			line, err := json.Marshal(map[string]string{"text": p})
			if err != nil {
				return err
			}
			if _, err := w.Write(append(line, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
}

// pages joins documents into pages of at least pageWords words; what is left
// over at the end joins the last page.
func pages(text string) []string {
	var out, page []string
	words := 0
	for _, d := range strings.Split(strings.TrimSpace(text), world.Separator) {
		page = append(page, d)
		if words += len(strings.Fields(d)); words >= pageWords {
			out = append(out, strings.Join(page, world.Separator))
			page, words = nil, 0
		}
	}
	if rest := strings.Join(page, world.Separator); len(out) == 0 {
		out = []string{rest}
	} else if rest != "" {
		out[len(out)-1] += world.Separator + rest
	}
	return out
}

func readHead(path string, most int64) ([]byte, error) {
	f, err := regularfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, regularfile.PathError(path, err)
	}
	if i := bytes.LastIndexByte(b, '\n'); int64(len(b)) == most && i > 0 {
		b = b[:i+1] // whole lines
	}
	return b, nil
}

// trainTokenizer writes a byte-level BPE tokenizer of a text into dir.
func trainTokenizer(dir string, text []byte, vocab int) error {
	data, err := world.TrainBPE(text, vocab)
	if err != nil {
		return err
	}
	return writeTokenizer(dir, data)
}

// tokenizer makes a world's tokenizer.json.
func (o *WorldOptions) tokenizer(text []byte) (data []byte, err error) {
	if o.Words == 0 && o.OwnWords > 0 {
		data, err = world.LettersOnly()
	} else {
		data, err = world.TrainBPE(text, o.Vocab)
	}
	if err == nil && o.OwnWords != 0 {
		data, err = world.AddOwnWords(data, o.OwnWords)
	}
	return data, err
}

func writeTokenizer(dir string, data []byte) error {
	if err := writeFile(filepath.Join(dir, settingsFile), tokenizerConfig); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, tokenizerFile), data)
}

func writeFile(path string, data []byte) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
