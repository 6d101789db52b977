package rundir

import (
	"io"
	"path/filepath"

	"github.com/softbench/softbench/internal/atomicfile"
)

// finish writes the samples first: a manifest never stands beside samples that
// are not its own.
func finish(dir string, r *Run, samples []Sample, heads []HeadRow) error {
	if err := writeSamples(filepath.Join(dir, samplesName), samples); err != nil {
		return err
	}
	if heads != nil {
		if err := writeHeads(filepath.Join(dir, diagnosticsName), heads); err != nil {
			return err
		}
	}
	text, err := r.encode()
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, manifestName), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
