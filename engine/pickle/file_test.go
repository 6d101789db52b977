package pickle_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/pickle"
	"github.com/softbench/softbench/internal/golden"
)

// No file, however made, ends in anything but tensors or an error of one line.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"whole", "hostile"} {
		data, err := os.ReadFile(golden.Dir(f, "formats", "torch", name+".bin"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x.bin")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		m, tensors, err := Open(path)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("more than one line: %q", err)
			}
			return
		}
		defer m.Close()
		for _, x := range tensors {
			if x.Readable() && x.Elements() < 1<<16 {
				x.F32()
			}
		}
	})
}
