package gate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/reports/compare"
)

// Format is the version of a baseline file.
const Format = 1

// baselineFile is a baseline as its JSON has it. Results stand many on a line: a
// changed one is a changed line, and ten thousand are not ten thousand lines.
type baselineFile struct {
	Format   *int              `json:"softbench_baseline"`
	Checksum string            `json:"checksum"`
	Settings map[string]string `json:"settings"`
	Model    map[string]string `json:"model"`
	Tasks    []taskFile        `json:"tasks"`
	Groups   []groupFile       `json:"groups,omitempty"` // baselines made before have none
}

type taskFile struct {
	Name      string            `json:"name"`
	Settings  map[string]string `json:"settings"`
	N         int               `json:"documents"`
	Documents string            `json:"documents_sha256"`
	Prompts   string            `json:"prompts_sha256"`
	Answers   string            `json:"answers_sha256,omitempty"` // baselines made before have none
	Metrics   []metricFile      `json:"metrics"`
}

type metricFile struct {
	Name           string          `json:"name"`
	Value          *float64        `json:"value"`
	N              int             `json:"n"`
	HigherIsBetter bool            `json:"higher_is_better"`
	Formula        compare.Formula `json:"formula"`
	AllowedDrop    *float64        `json:"allowed_drop"`
	Right          []string        `json:"right,omitempty"`   // 0, 1 or - for not scored, 64 a line
	Numbers        []string        `json:"numbers,omitempty"` // 8 a line, - for not scored
	Weights        []string        `json:"weights,omitempty"` // where they are not 1
}

const (
	rightPerLine   = 64
	numbersPerLine = 8
)

// Write writes the baseline to path, whole or not at all; what is there keeps its mode,
// owner and links.
func (b *Baseline) Write(ctx context.Context, path string) error {
	text, err := b.encode()
	if err != nil {
		return err
	}
	return atomicfile.Output(ctx, path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

func (b *Baseline) encode() ([]byte, error) {
	f := b.file()
	f.Checksum = f.checksum()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(f)
	return out.Bytes(), err
}

func (b *Baseline) file() *baselineFile {
	version := Format
	f := &baselineFile{Format: &version, Settings: b.Settings, Model: b.Model}
	for _, t := range b.Tasks {
		tf := taskFile{Name: t.Name, Settings: t.Settings, N: t.N, Documents: t.Documents, Prompts: t.Prompts, Answers: t.Answers}
		for _, m := range t.Metrics {
			tf.Metrics = append(tf.Metrics, m.file())
		}
		f.Tasks = append(f.Tasks, tf)
	}
	for i := range b.Groups {
		f.Groups = append(f.Groups, b.Groups[i].file())
	}
	return f
}

func (m *BaselineMetric) file() metricFile {
	value, drop := m.Value, m.AllowedDrop
	f := metricFile{Name: m.Name, Value: &value, HigherIsBetter: m.HigherIsBetter, Formula: m.Formula, AllowedDrop: &drop}
	share, weighted := m.Formula == compare.Mean, false
	for _, v := range m.Values {
		if v.Scored {
			f.N++
			share = share && (v.Value == 0 || v.Value == 1)
			weighted = weighted || v.Weight != 1
		}
	}
	if share && !weighted {
		var line strings.Builder
		for _, v := range m.Values {
			switch {
			case !v.Scored:
				line.WriteByte('-')
			case v.Value == 1:
				line.WriteByte('1')
			default:
				line.WriteByte('0')
			}
		}
		for text := line.String(); text != ""; {
			n := min(rightPerLine, len(text))
			f.Right = append(f.Right, text[:n])
			text = text[n:]
		}
		return f
	}
	number := func(v compare.Value, x float64) string {
		if !v.Scored {
			return "-"
		}
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	lines := func(of func(v compare.Value) string) (out []string) {
		for chunk := range slices.Chunk(m.Values, numbersPerLine) {
			var words []string
			for _, v := range chunk {
				words = append(words, of(v))
			}
			out = append(out, strings.Join(words, " "))
		}
		return out
	}
	f.Numbers = lines(func(v compare.Value) string { return number(v, v.Value) })
	if weighted {
		f.Weights = lines(func(v compare.Value) string { return number(v, v.Weight) })
	}
	return f
}

// checksum covers everything but itself and the allowed drops, which are the
// user's to edit.
func (f *baselineFile) checksum() string {
	c := *f
	c.Checksum = ""
	c.Tasks = slices.Clone(f.Tasks)
	for i := range c.Tasks {
		c.Tasks[i].Metrics = slices.Clone(f.Tasks[i].Metrics)
		for k := range c.Tasks[i].Metrics {
			c.Tasks[i].Metrics[k].AllowedDrop = nil
		}
	}
	c.Groups = slices.Clone(f.Groups)
	for i := range c.Groups {
		c.Groups[i].Metrics = slices.Clone(f.Groups[i].Metrics)
		for k := range c.Groups[i].Metrics {
			c.Groups[i].Metrics[k].AllowedDrop = nil
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
