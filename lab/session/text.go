package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/internal/rescue"
	"github.com/softbench/softbench/lab/world"
)

// corpus is text as token ids. Documents are parted by blank lines.
type corpus struct {
	tokens []int32
	starts []int32 // where documents begin, behind the blank line before them
}

// Bounds of what is read whole, in bytes.
const (
	maxText     = 8 << 30  // of one text file
	maxHistory  = 1 << 30  // millions of lines
	maxSettings = 16 << 20 // settings.json
)

// readTexts reads text files one after the other. A file of white space alone
// is an error: it is a wrong name more often than a text.
func readTexts(ctx context.Context, paths []string) (string, error) {
	if len(paths) == 0 {
		return "", errors.New("no text to train on: name files")
	}
	var b strings.Builder
	for _, path := range paths {
		data, err := regularfile.ReadAll(ctx, path, maxText)
		if err != nil {
			return "", err
		}
		if strings.TrimSpace(string(data)) == "" {
			return "", fmt.Errorf("%s: no text in it", path)
		}
		b.Write(data)
	}
	return b.String(), nil
}

// tokenize encodes a text, its documents on all processors. Its error is ctx's.
func tokenize(ctx context.Context, tok *tokenizer.Tokenizer, text string) (corpus, error) {
	var docs []string
	for _, d := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), world.Separator) {
		if strings.TrimSpace(d) != "" {
			docs = append(docs, d)
		}
	}
	parts := make([][]int32, len(docs))
	skips := make([]int, len(docs))
	var wait rescue.Group
	const share = 512 // documents
	gate := make(chan struct{}, runtime.GOMAXPROCS(0))
	for from := 0; from < len(docs); from += share {
		gate <- struct{}{}
		wait.Go(func() {
			defer func() { <-gate }()
			for i := from; i < min(len(docs), from+share) && ctx.Err() == nil; i++ {
				if i == 0 {
					parts[i] = tok.Encode(docs[i], false)
					continue
				}
				alone := tok.Encode(docs[i], false)
				parts[i] = tok.Encode(world.Separator+docs[i], false)
				// Where the blank line melts into the document, so does the start.
				if n := len(parts[i]) - len(alone); n >= 0 && slices.Equal(parts[i][n:], alone) {
					skips[i] = n
				}
			}
		})
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return corpus{}, err
	}
	var c corpus
	for i, p := range parts {
		c.starts = append(c.starts, int32(len(c.tokens)+skips[i]))
		c.tokens = append(c.tokens, p...)
	}
	return c, nil
}

// windowStarts are the documents' beginnings, if the text has at least as many
// documents as windows; else nil: long documents are read from anywhere.
func (c *corpus) windowStarts(context int) []int32 {
	if len(c.starts) > 1 && len(c.starts) >= len(c.tokens)/context {
		return c.starts
	}
	return nil
}

// WorldFiles are the texts and the tokenizer of a directory made by World.
func WorldFiles(dir string) (train []string, valid, tok string, err error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, "", "", regularfile.PathError(dir, err)
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries { // not by a pattern, which the directory's own name may break
		if ok, _ := filepath.Match("train*.txt", e.Name()); ok {
			train = append(train, filepath.Join(dir, e.Name()))
		}
	}
	if err == nil && len(train) == 0 {
		err = errors.New("no train.txt in it: make one with 'softbench lab world'")
	}
	if err != nil {
		return nil, "", "", fmt.Errorf("%s: %w", dir, err)
	}
	slices.Sort(train)
	valid = filepath.Join(dir, "valid.txt")
	if _, err := os.Stat(valid); err != nil {
		return nil, "", "", regularfile.PathError(valid, err)
	}
	if _, err := os.Stat(filepath.Join(dir, tokenizerFile)); err == nil {
		tok = dir
	}
	return train, valid, tok, nil
}
