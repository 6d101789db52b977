package eval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/tasks"
)

// What a calibrated method is shown of a text: the first sequences, as GPTQ's own
// implementations take 128.
const (
	calibrationSequences = 128
	calibrationLength    = 512     // tokens of one; less where the context is shorter
	calibrationRead      = 8 << 20 // bytes of it
	calibrationFirst     = 1 << 20 // in which the sequences mostly are
	calibrationFile      = 1 << 30
)

// calibration is the text that a calibrated method is shown.
type calibration struct {
	file      string
	about     checkpoint.Calibration
	sequences [][]int32
	words     map[uint64]bool // hashes of each sharedWords words that follow each other
}

// sharedWords is the number of words in a row that two texts have by chance alone hardly
// ever: what GPT-3's and lm-evaluation-harness' decontamination take.
const sharedWords = 13

// checkCalibration refuses a calibrated scheme without text, and text without one.
func checkCalibration(s *quantise.Scheme, file string) error {
	switch {
	case s != nil && s.Calibrated() && file == "":
		return fmt.Errorf("%s needs text that it is calibrated on: --calibrate FILE", s)
	case file != "" && (s == nil || !s.Calibrated()):
		return errors.New("--calibrate is about the methods gptq, gptq-asym, awq and awq-asym, which no flag asks for")
	}
	return nil
}

// readCalibration reads the text and makes its first tokens sequences of at most length.
func readCalibration(ctx context.Context, file string, tok *tokenizer.Tokenizer, length int) (*calibration, error) {
	data, err := regularfile.ReadAll(ctx, file, calibrationFile)
	if err != nil {
		return nil, regularfile.PathError(file, err)
	}
	sum := sha256.Sum256(data)
	text := beginning(data, calibrationRead)
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%s: the text is not UTF-8", file)
	}
	c := &calibration{file: file, words: map[uint64]bool{}}
	length = min(length, calibrationLength)
	ids, err := firstTokens(ctx, text, tok, calibrationSequences*length)
	if err != nil {
		return nil, err
	}
	for len(ids) >= length && len(c.sequences) < calibrationSequences {
		c.sequences = append(c.sequences, ids[:length])
		ids = ids[length:]
	}
	if len(c.sequences) == 0 {
		return nil, fmt.Errorf("%s: %d tokens are not one sequence of %d: calibrate on more text", file, len(ids), length)
	}
	c.about = checkpoint.Calibration{SHA256: hex.EncodeToString(sum[:]), Sequences: len(c.sequences), Length: length}
	windows(string(text), func(h uint64, _ []string) bool { c.words[h] = true; return true })
	return c, nil
}

// beginning is at most the first n bytes of a text, of whole characters.
func beginning(text []byte, n int) []byte {
	for n < len(text) && n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:min(n, len(text))]
}

// firstTokens are a text's first tokens, so many and more where it has them: of its beginning, where
// that has more than enough, so that a last token that was cut does not count.
func firstTokens(ctx context.Context, text []byte, tok *tokenizer.Tokenizer, n int) (ids []int32, err error) {
	const margin = 1024 // tokens
	for _, part := range [][]byte{beginning(text, calibrationFirst), text} {
		ids, err = await(ctx, func() ([]int32, error) { return tok.Encode(string(part), true), nil })
		if err != nil {
			return nil, err
		}
		if err := tok.Err(); err != nil {
			return nil, err
		}
		if len(ids) >= n+margin || len(part) == len(text) {
			break
		}
	}
	return ids, nil
}

// windows calls one for each sharedWords words that follow each other, until it returns
// false.
func windows(text string, one func(hash uint64, words []string) bool) {
	words := strings.Fields(strings.ToLower(text))
	for i := 0; i+sharedWords <= len(words); i++ {
		h := fnv.New64a()
		for _, w := range words[i : i+sharedWords] {
			io.WriteString(h, w)
			h.Write([]byte{' '})
		}
		if !one(h.Sum64(), words[i:i+sharedWords]) {
			return
		}
	}
}

// apart refuses documents that a model was calibrated on.
func (m *Model) apart(w *Work) error {
	if m == nil || m.calibration == nil {
		return nil
	}
	for _, t := range w.Tasks {
		if err := m.calibration.apart(t.Task.Name, t.Docs); err != nil {
			return err
		}
	}
	return m.calibration.apart("diagnostics", w.texts)
}

func (c *calibration) apart(name string, docs []tasks.Doc) (err error) {
	for _, d := range docs {
		for _, r := range d.Requests {
			windows(r.Context+r.Continuation+r.Text, func(h uint64, words []string) bool {
				if c.words[h] {
					err = fmt.Errorf("--calibrate %s: it shares %q with document %d of %s: a model must not be calibrated on what it is tested with; give another text", c.file, strings.Join(words, " "), d.ID, name)
				}
				return err == nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// calibrate quantises the model's weights by a calibrated method.
func (m *Model) calibrate(ctx context.Context, o engine.CalibrateOptions) error {
	o.Sequences = m.calibration.sequences
	return engine.Calibrate(ctx, m.Checkpoint, m.quantising, o)
}

// planCalibration reads the calibration's text, and decides what is quantised.
func (m *Model) planCalibration(ctx context.Context, file string, q *checkpoint.Quantisation) (err error) {
	if m.calibration, err = readCalibration(ctx, file, m.Tokenizer, maxLength(&m.Checkpoint.Config, m.Tokenizer)); err != nil {
		return err
	}
	q.Calibration = &m.calibration.about
	m.quantising, err = m.Checkpoint.NewQuantising(q)
	return err
}
