package checkpoint_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/golden"
)

// copyGGUF writes a golden's GGUF file, changed, to a directory of the test's.
func copyGGUF(t testing.TB, name string, change func(data []byte) []byte) string {
	t.Helper()
	data, err := os.ReadFile(golden.Dir(t, "formats", "gguf", name+".gguf"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.gguf")
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func hashOf(t *testing.T, path string) string {
	t.Helper()
	k, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if k.Format != "GGUF" || k.Computed == "" || k.DType == "BF16" {
		t.Errorf("format %q, computed %q, dtype %q", k.Format, k.Computed, k.DType)
	}
	sum, err := k.SHA256(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// The hash is of what is stored: one bit of the quantised weights changes it, and
// where the file lies does not.
func TestGGUFHash(t *testing.T) {
	same := hashOf(t, copyGGUF(t, "llama", func(data []byte) []byte { return data }))
	if again := hashOf(t, golden.Dir(t, "formats", "gguf", "llama.gguf")); again != same {
		t.Error("the same file at two places has two hashes")
	}
	changed := hashOf(t, copyGGUF(t, "llama", func(data []byte) []byte {
		data[len(data)-200] ^= 1
		return data
	}))
	if changed == same {
		t.Error("a changed bit does not change the hash")
	}
}

// What is not the model of its metadata is refused with one line that names what.
func TestRefusedGGUF(t *testing.T) {
	replace := func(from, to string) func([]byte) []byte {
		return func(data []byte) []byte {
			if len(from) != len(to) || !bytes.Contains(data, []byte(from)) {
				t.Fatalf("%q cannot become %q", from, to)
			}
			return bytes.ReplaceAll(data, []byte(from), []byte(to))
		}
	}
	for name, c := range map[string]struct {
		change func([]byte) []byte
		part   string
	}{
		"architecture":  {replace("llama", "mamba"), `architecture "mamba" is not read from GGUF: want gemma`},
		"no heads":      {replace("llama.attention.head_count\x04", "llama.attention.head_kount\x04"), "llama.attention.head_count that is one whole number"},
		"no embedding":  {replace("token_embd", "tokem_embd"), `"token_embd.weight" is missing`},
		"missing":       {replace("blk.1.attn_k", "blk.1.attm_k"), `"model.layers.1.self_attn.k_proj.weight" (shape [16 32]) is missing`},
		"one too many":  {replace("blk.1.attn_norm", "blk.7.attn_xorm"), "is missing"},
		"cut off":       {func(b []byte) []byte { return b[:len(b)-40] }, "cut off"},
		"shapes":        {replace("output_norm.weight\x01\x00\x00\x00\x20", "output_norm.weight\x01\x00\x00\x00\x10"), "has shape [16], the file's metadata calls for [32]"},
		"scale of NaN":  {nanScale, "NaN"},
		"another magic": {func(b []byte) []byte { return append([]byte("GGML"), b[4:]...) }, "not a GGUF file"},
	} {
		t.Run(name, func(t *testing.T) {
			path := copyGGUF(t, "llama", c.change)
			k, err := Open(path, Options{})
			if err == nil {
				k.Close()
				t.Fatalf("opened, want an error with %q", c.part)
			}
			if text := err.Error(); !strings.HasPrefix(text, path+": ") || !strings.Contains(text, c.part) || strings.Contains(text, "\n") {
				t.Errorf("error %q: want one line that begins with the path and has %q", text, c.part)
			}
		})
	}
}

// nanScale makes the first block's scale of every quantised tensor a NaN, as far as
// one pattern of bytes finds them: the last tensor's, at the end of the file.
func nanScale(data []byte) []byte {
	for i := len(data) - 16000; i < len(data); i++ {
		data[i] = 0x7f
	}
	return data
}
