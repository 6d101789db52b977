package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/internal/rescue"
	"github.com/softbench/softbench/lab/train"
)

// prepare reads text and tokenizer, makes the trainer and the directory, and
// goes on with a saved state where there is one.
func (r *run) prepare(ctx context.Context) error {
	options, stored, err := r.Settings.options(r.Threads)
	if err != nil {
		return err
	}
	r.stored = stored
	if r.LogEvery < 1 || r.SaveEvery < 1 || r.DiagnosticsEvery < 0 || r.DiagnosticsSamples < 1 || r.DiagnosticsLength < 0 {
		return errors.New("the steps between logs and saves, and the samples of diagnostics, must be at least 1")
	}
	// What the numbers alone say is wrong is said before the text is read.
	if err := options.Check(); err != nil {
		return err
	}
	if _, err := r.Settings.curriculum(); err != nil {
		return err
	}
	resumed, err := r.directory()
	if err != nil {
		return err
	}
	text, err := readTexts(ctx, r.Files)
	if err != nil {
		return err
	}
	tok, err := r.tokenizer(ctx, text, resumed)
	if err != nil {
		return err
	}
	c, err := tokenize(ctx, tok, text)
	if err != nil {
		return err
	}
	text = ""
	options.Config.Vocab = tok.VocabSize()
	options.Starts = c.windowStarts(r.Settings.Context)
	if id, ok := tok.BOS(); ok {
		options.First, r.bos, r.eos = &id, id, id
	}
	if id, ok := tok.EOS(); ok {
		r.eos = id
	}
	mix, err := newMixture(&r.Settings, tok, c)
	if err != nil {
		return err
	}
	if mix != nil {
		options.Exercises = mix
	}
	if r.trainer, err = train.NewTrainer(c.tokens, options); err != nil {
		return err
	}
	if err := r.newDiagnostics(ctx, tok, c, mix, options.First); err != nil {
		return err
	}
	if err := r.claim(resumed); err != nil {
		return err
	}
	if resumed {
		err = r.resume()
	} else {
		err = r.begin()
	}
	if err != nil {
		return err
	}
	r.sweep()
	if r.history, err = openHistory(r.path(historyFile), r.trainer.Done); err != nil {
		return err
	}
	if r.Begin != nil {
		r.Begin(Start{
			len(r.trainer.Model.Params.All), len(c.tokens), len(c.starts), options.Config.Vocab, r.trainer.Done, options.Starts != nil,
		})
	}
	return nil
}

func (r *run) newDiagnostics(ctx context.Context, tok *tokenizer.Tokenizer, c corpus, mix *mixture, bos *int32) (err error) {
	length := r.DiagnosticsLength
	length = cmp.Or(length, r.Settings.Context)
	held := len(r.Valid) > 0
	if held {
		var text string
		if text, err = readTexts(ctx, r.Valid); err != nil {
			return err
		}
		if c, err = tokenize(ctx, tok, text); err != nil {
			return err
		}
	}
	if mix != nil {
		if r.diagnostics, err = mix.newDiagnostics(c, *bos, r.DiagnosticsSamples, length); err != nil {
			return err
		}
		r.diagnostics.threads = r.Threads
		return nil
	}
	r.diagnostics = newDiagnostics(c, bos, r.DiagnosticsSamples, length)
	r.diagnostics.heldOut, r.diagnostics.threads = held, r.Threads
	if len(r.diagnostics.samples) == 0 {
		return fmt.Errorf("the text for the measures has %d tokens, fewer than one sample of %d: give more text, or shorter samples", len(c.tokens), length)
	}
	return nil
}

// directory says whether there is a training to go on with, and refuses what is
// none or must not be overwritten.
func (r *run) directory() (resumed bool, err error) {
	if r.Out == "" {
		return false, errors.New("no directory to train into: name one with --out")
	}
	if _, err := os.Stat(r.path(stateFile)); err == nil {
		if !r.Resume {
			return false, r.taken()
		}
		return true, nil
	}
	if info, err := os.Stat(r.path("")); err == nil && info.IsDir() {
		return false, nil // stopped before its first step
	}
	entries, err := os.ReadDir(r.Out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, regularfile.PathError(r.Out, err)
	}
	if len(entries) > 0 {
		return false, fmt.Errorf("%s: holds files, but no training: name a new directory", r.Out)
	}
	return false, nil
}

func (r *run) taken() error {
	return fmt.Errorf("%s: holds a training already: go on with it by --resume, or name a new directory", r.Out)
}

// claim makes this process the directory's only one. What directory found may
// have changed meanwhile: reading the text takes its time.
func (r *run) claim(resumed bool) (err error) {
	if err := atomicfile.MkdirAll(r.path(""), 0o777); err != nil {
		return regularfile.PathError(r.Out, err)
	}
	if r.unlock, err = lock(r.path(lockFile)); err != nil {
		return err
	}
	if _, err := os.Stat(r.path(stateFile)); err == nil && !resumed {
		return r.taken()
	}
	return nil
}

// tokenizer loads the tokenizer: a resumed training's own, the named one, or
// one trained on the text.
func (r *run) tokenizer(ctx context.Context, text string, resumed bool) (*tokenizer.Tokenizer, error) {
	if resumed {
		return tokenizer.LoadContext(ctx, r.Out)
	}
	r.source = r.Tokenizer
	if r.source != "" {
		if info, err := os.Stat(r.source); err == nil && !info.IsDir() { // the file in it
			if err := regularfile.Check(r.source, maxTokenizer); err != nil {
				return nil, err
			}
			r.source = filepath.Dir(r.source)
		}
		return tokenizer.LoadContext(ctx, r.source)
	}
	dir, err := os.MkdirTemp("", "softbench-tokenizer-")
	if err != nil {
		return nil, err
	}
	r.source, r.made = dir, dir
	// Which hears no context.
	done := make(chan error, 1)
	go func() {
		done <- rescue.Try(func() error {
			return trainTokenizer(dir, []byte(text[:min(len(text), tokenizerText)]), r.Settings.Vocab)
		})
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return tokenizer.LoadContext(ctx, dir)
}

// maxTokenizer bounds each of a tokenizer's files that are copied, as their reader does.
const maxTokenizer = 64 << 20

// begin saves the state before the first step.
func (r *run) begin() error {
	for _, name := range []string{tokenizerFile, "tokenizer.model", settingsFile, "special_tokens_map.json"} {
		data, err := regularfile.ReadAll(context.Background(), filepath.Join(r.source, name), maxTokenizer)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(r.Out, name), data); err != nil {
			return err
		}
	}
	asked, err := json.MarshalIndent(r.asked(), "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(r.path(askedFile), append(asked, '\n')); err != nil {
		return err
	}
	note, err := json.Marshal(sums{})
	if err != nil {
		return err
	}
	return r.trainer.Save(r.path(stateFile), string(note))
}

func (r *run) resume() error {
	note, err := r.trainer.Restore(r.path(stateFile))
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(note), &r.sum); err != nil {
		return fmt.Errorf("%s: its note is damaged: %w", r.path(stateFile), err)
	}
	r.kept = r.trainer.Done
	return nil
}
