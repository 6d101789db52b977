package eval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/quantised"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
)

// QuantisedCheckpoint is what Quantise wrote; its JSON field names are stable.
type QuantisedCheckpoint struct {
	Dir     string `json:"dir"`
	Scheme  string `json:"scheme"`
	Format  string `json:"format"`
	Tensors int    `json:"tensors"`
	Bytes   int64  `json:"bytes"` // of the tensors
	Before  int64  `json:"bytes_before"`
}

// QuantiseOptions say what Quantise writes.
type QuantiseOptions struct {
	Model  string // a name or directory
	Out    string // a new directory, which appears whole or not at all
	Scheme quantise.Scheme
	Layout quantised.Layout // that CheckQuantise gave
	// Calibrate is the file of text that a calibrated scheme is shown.
	Calibrate string
	Threads   int
	// Progress is told parts that are done, of all; of a calibrated scheme blocks, else
	// parameters. It may be nil.
	Progress func(done, total int64)
	Note     func(string) // may be nil
}

// Quantise writes a checkpoint with the weights of another, quantised by a scheme that
// CheckQuantise has seen: config.json, model.safetensors and the tokenizer's files. The
// same input gives the same bytes, in one go or in several.
func Quantise(ctx context.Context, o QuantiseOptions) (*QuantisedCheckpoint, error) {
	if err := checkCalibration(&o.Scheme, o.Calibrate); err != nil {
		return nil, err
	}
	m, err := openQuantise(ctx, o)
	if err != nil {
		return nil, err
	}
	ck := m.Checkpoint
	defer ck.Close()
	made := &QuantisedCheckpoint{Dir: o.Out, Scheme: o.Scheme.String()}
	work := newPartial(o.Out)
	err = atomicfile.Directory(o.Out, func(temp string) error {
		config, entries, err := m.quantisedEntries(ctx, o, work)
		if err != nil {
			return err
		}
		made.Format, _ = config["quantization_config"].(map[string]any)["quant_method"].(string)
		made.Tensors = len(entries)
		for _, e := range entries {
			made.Bytes += int64(len(e.Data))
		}
		made.Before = ck.StoredBytes()
		if err := checkpoint.Write(temp, config, entries...); err != nil {
			return err
		}
		if err := writeGPTQConfig(temp, o.Layout, config); err != nil {
			return err
		}
		if err := copyTokenizer(ctx, m.Dir, temp); err != nil {
			return err
		}
		return ck.Settled()
	})
	if err != nil {
		return nil, err
	}
	return made, work.remove()
}

// writeGPTQConfig writes the file that GPTQ's layout has beside config.json.
func writeGPTQConfig(dir string, layout quantised.Layout, config map[string]any) error {
	if layout != quantised.GPTQ {
		return nil
	}
	path := filepath.Join(dir, quantised.GPTQConfigFile)
	text, err := json.MarshalIndent(config["quantization_config"], "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// openQuantise opens what Quantise needs of a model.
func openQuantise(ctx context.Context, o QuantiseOptions) (*Model, error) {
	dir, err := FindModel(o.Model)
	if err != nil {
		return nil, err
	}
	ck, err := checkpoint.OpenContext(ctx, dir, checkpoint.Options{Threads: o.Threads})
	if err != nil {
		return nil, err
	}
	m := &Model{Dir: dir, Checkpoint: ck}
	if o.Calibrate == "" {
		return m, nil
	}
	if err = ck.Packable(o.Scheme, o.Layout); err == nil {
		m.Tokenizer, err = tokenizer.LoadContext(ctx, dir)
	}
	if err == nil {
		err = m.planCalibration(ctx, o.Calibrate, &checkpoint.Quantisation{Scheme: o.Scheme})
	}
	if err != nil {
		ck.Close()
		return nil, err
	}
	return m, nil
}

// quantisedEntries are the tensors of the checkpoint to write. Blocks of a calibration are
// kept in work as they are done.
func (m *Model) quantisedEntries(ctx context.Context, o QuantiseOptions, work partial) (map[string]any, []safetensors.Entry, error) {
	if m.calibration == nil {
		return m.Checkpoint.QuantisedEntries(ctx, o.Scheme, o.Layout, o.Progress)
	}
	set, err := kernel.FromEnv()
	if err != nil {
		return nil, nil, err
	}
	dtype, err := parseDType("auto", m.Checkpoint.DType)
	if err != nil {
		return nil, nil, err
	}
	sum, err := m.Checkpoint.SHA256(ctx) // names the scheme and the text
	if err != nil {
		return nil, nil, err
	}
	resumed, err := work.begin(fmt.Sprintf("softbench quantize, engine %s, %s kernels, %v arithmetic, checkpoint %s\n", engine.Revision, set.Name(), dtype, sum))
	if err != nil {
		return nil, nil, err
	}
	if resumed && o.Note != nil {
		o.Note("going on with the blocks that are kept in " + work.dir)
	}
	err = m.calibrate(ctx, engine.CalibrateOptions{
		CPUOptions: engine.CPUOptions{Set: set, Threads: o.Threads, Formats: kernel.FormatsOf(dtype)},
		Restore:    func(l int) (bool, error) { return m.quantising.ReadLayer(ctx, l, work.block(l)) },
		Save:       func(l int) error { return work.kept(m.quantising.WriteLayer(l, work.block(l))) },
		Progress: func(done, total int) {
			if o.Progress != nil {
				o.Progress(int64(done), int64(total))
			}
		},
	})
	if err != nil {
		return nil, nil, err
	}
	return m.quantising.Entries(o.Layout)
}

// partial is the directory in which a calibration that is not done keeps its blocks, beside
// the one that it is for.
type partial struct{ dir string }

func newPartial(out string) partial { return partial{strings.TrimRight(out, "/\\") + ".partial"} }

func (p partial) block(l int) string {
	return filepath.Join(p.dir, fmt.Sprintf("block-%05d.safetensors", l))
}

// kept says beside the error of a block that could not be written that those before it are there.
func (p partial) kept(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; the blocks before it are kept in %s: make room if the disk is full, then go on with the same command", err, p.dir)
}

// begin makes the directory for blocks of these settings, and reports whether it was there.
func (p partial) begin(settings string) (resumed bool, err error) {
	path := filepath.Join(p.dir, "settings.txt")
	was, err := os.ReadFile(path)
	switch {
	case err == nil && string(was) == settings:
		return true, nil
	case err == nil:
		return false, fmt.Errorf("%s holds blocks of another calibration (another model, method, text, kernels or version): remove it, or choose another -o", p.dir)
	case !errors.Is(err, fs.ErrNotExist):
		return false, regularfile.PathError(path, err)
	}
	if err := os.MkdirAll(p.dir, 0o777); err != nil {
		return false, regularfile.PathError(p.dir, err)
	}
	return false, atomicfile.Write(path, func(w io.Writer) error {
		_, err := io.WriteString(w, settings)
		return err
	})
}

// remove takes away what begin and the blocks left: nothing else.
func (p partial) remove() error {
	names, err := filepath.Glob(filepath.Join(p.dir, "block-*.safetensors"))
	if err != nil {
		return nil // a name that is a pattern: the blocks stay
	}
	for _, name := range append(names, filepath.Join(p.dir, "settings.txt"), p.dir) {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return regularfile.PathError(name, err)
		}
	}
	return nil
}

// CheckQuantise reads a scheme, and the name of a layout or nothing, and refuses what no stored
// format has.
func CheckQuantise(text, layout string) (quantise.Scheme, quantised.Layout, error) {
	s, err := quantise.Parse(text)
	if err != nil {
		return s, "", err
	}
	l, err := quantised.LayoutOf(s, layout)
	s.Format = l.Format()
	return s, l, err
}

// copyTokenizer copies a checkpoint's small files, but for its config and index.
func copyTokenizer(ctx context.Context, from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	small, err := checkpoint.Wanted(names)
	if err != nil {
		return err
	}
	for _, name := range small {
		if name == "config.json" || name == "params.json" || strings.HasSuffix(name, ".index.json") {
			continue
		}
		text, err := regularfile.ReadAll(ctx, filepath.Join(from, name), 1<<30)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), text, 0o666); err != nil {
			return err
		}
	}
	return nil
}
