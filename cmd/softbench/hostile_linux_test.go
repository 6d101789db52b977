package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randmodel"
)

// TestHostileCheckpoints: whatever stands in a checkpoint's place for a file is
// refused in one line, with little memory, and nothing is waited for.
func TestHostileCheckpoints(t *testing.T) {
	t.Parallel()
	// repeat writes head, n times the piece, and tail.
	repeat := func(head string, n int, piece func(i int) string, tail string) func(string) error {
		return func(path string) error {
			var b bytes.Buffer
			b.WriteString(head)
			for i := range n {
				b.WriteString(piece(i))
			}
			b.WriteString(tail)
			return os.WriteFile(path, b.Bytes(), 0o666)
		}
	}
	same := func(s string) func(int) string { return func(int) string { return s } }
	header := func(make func(string) error) func(string) error {
		return func(path string) error {
			if err := make(path); err != nil {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), 0o666)
		}
	}
	fifo := func(path string) error { return syscall.Mkfifo(path, 0o666) }
	zero := func(path string) error { return os.Symlink("/dev/zero", path) }
	const (
		weights, index, config = "model.safetensors", "model.safetensors.index.json", "config.json"
		tok, tokModel, tokConf = "tokenizer.json", "tokenizer.model", "tokenizer_config.json"
		bpe                    = `"model":{"type":"BPE","vocab":{"a":0},"merges":[]}`
	)
	const million = 1_000_000
	for _, c := range []struct {
		file, name string
		make       func(path string) error
		want       string
	}{
		{tok, "pipe", fifo, "a pipe"},
		{tok, "device", zero, "a device"},
		{tokModel, "pipe", fifo, "a pipe"},
		{tokConf, "pipe", fifo, "a pipe"},
		{tokConf, "device", zero, "a device"},
		{config, "pipe", fifo, "a pipe"},
		{config, "device", zero, "a device"},
		{weights, "pipe", fifo, "a pipe"},
		{weights, "device", zero, "a device"},
		{index, "pipe", fifo, "a pipe"},
		{index, "device", zero, "a device"},

		{tok, "brackets", repeat("", 120<<10, same("["), ""), "exceeded max depth"},
		{tok, "large", func(p string) error { return sparse(p, 3<<30) }, "at most"},
		{tok, "added tokens", repeat(`{"added_tokens":[{}`, 20*million, same(",{}"), "],"+bpe+"}"), "more than 262144 added_tokens"},
		{tok, "vocabulary", repeat(`{"model":{"merges":[],"vocab":{"":0`, 5*million, func(i int) string { return fmt.Sprintf(`,"%x":1`, i) }, "}}}"), "more than 4194304 tokens"},
		{tok, "merges", repeat(`{"model":{"vocab":{"a":0},"merges":["a a"`, 6*million, same(`,"a a"`), "]}}"), "more than 4194304 merges"},
		{tok, "nesting", repeat(`{`+bpe+`,"normalizer":`, 4000, same(`{"type":"Sequence","normalizers":[`), strings.Repeat("]}", 4000)+"}"), "nested more than 64 deep"},
		{tok, "steps", repeat(`{`+bpe+`,"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"}`, 100_000, same(`,{"type":"NFC"}`), "]}}"), "more than 256"},
		{tok, "long added token", repeat(`{`+bpe+`,"added_tokens":[{"id":1,"normalized":false,"content":"`, million, same("aaaa"), `"}]}`), "more than 1024 bytes"},
		{tok, "long token", repeat(`{"model":{"merges":[],"vocab":{"`, 10*million, same("aaaa"), `":-1}}}`), "outside 0"},
		{tok, "pattern", repeat(`{`+bpe+`,"pre_tokenizer":{"type":"Split","behavior":"Isolated","invert":false,"pattern":{"Regex":"`, million, same("a?"), `"}}}`), "a pattern may have"},
		{tokModel, "pieces", repeat("", 5*million, same("\x0a\x03\x0a\x01a"), ""), "more than 4194304 pieces"},
		{tokModel, "long piece", repeat("\x0a\x85\x80\x80\x01\x0a\x80\x80\x80\x01", 2<<20, same("a"), ""), "a piece of 2097152 bytes"},
		{tokConf, "brackets", repeat("", 120<<10, same("["), ""), "exceeded max depth"},
		{tokConf, "large", func(p string) error { return sparse(p, 3<<30) }, "at most"},
		{config, "brackets", repeat("", 120<<10, same("["), ""), "exceeded max depth"},
		{config, "large", func(p string) error { return sparse(p, 3<<30) }, "at most"},
		{weights, "tensors", header(repeat("{", million, func(i int) string {
			return fmt.Sprintf(`%s"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`, ","[min(i, 1)^1:], i)
		}, "}")), "more than 524288 entries"},
		{weights, "brackets", header(repeat(`{"a":`, 90*million, same("["), "")), "exceeded max depth"},
		{weights, "long name", header(repeat(`{"`, 90*million, same("a"), `":{}}`)), "a name of 90000000 bytes"},
		{weights, "dimensions", header(repeat(`{"a":{"dtype":"F32","shape":[1`, 40*million, same(",1"), `],"data_offsets":[0,4]}}`)), "more than 64 dimensions"},
		{weights, "metadata", header(repeat(`{"__metadata__":{"":""`, 5*million, func(i int) string { return fmt.Sprintf(`,"%d":""`, i) }, `}}`)), "more than 65536 entries"},
		{weights, "claims", func(p string) error { return os.WriteFile(p, []byte("\xff\xff\xff\xff\xff\xff\xff\x7f{}"), 0o666) }, "more than the limit"},
		{index, "shards", repeat(`{"weight_map":{"":"a.safetensors"`, 2*million, func(i int) string { return fmt.Sprintf(`,"%d":"%d.safetensors"`, i, i) }, `}}`), "more than 524288 entries"},
	} {
		t.Run(c.file+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := randmodel.Write(dir, randmodel.Options{Seed: 1, Vocab: 512, Tokenizer: filepath.Join(golden.Dir(t), "tiny")}); err != nil {
				t.Fatal(err)
			}
			if c.file == tokModel {
				os.Remove(filepath.Join(dir, tok))
			}
			if c.file == index {
				os.Remove(filepath.Join(dir, weights))
			}
			path := filepath.Join(dir, c.file)
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			if err := c.make(path); err != nil {
				t.Fatal(err)
			}
			line, most := refusal(t, "inspect", dir)
			if !strings.Contains(line, c.want) || !strings.Contains(line, path) || len(line) > 1000 {
				t.Errorf("%d bytes: %.500s, want %q and the path", len(line), line, c.want)
			}
			if most > 1<<30 {
				t.Errorf("took %d MB of memory, want at most 1024", most>>20)
			}
		})
	}
}

// TestBacktrackingPatterns: a tokenizer's pattern that does not come to an end on
// a text is an error that shows the pattern, not a hang or other ids.
func TestBacktrackingPatterns(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for each pattern's bound")
	}
	t.Parallel()
	for pattern, text := range map[string]string{
		`(a|aa)+b`: strings.Repeat("a", 200) + "cb",
		`.*.*Q`:    strings.Repeat("x", 36<<10),
	} {
		dir := t.TempDir()
		file := fmt.Sprintf(`{"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"x":3},"merges":[]},
"pre_tokenizer":{"type":"Split","behavior":"Isolated","invert":false,"pattern":{"Regex":%q}}}`, pattern)
		if err := os.WriteFile(filepath.Join(dir, "tokenizer.json"), []byte(file), 0o666); err != nil {
			t.Fatal(err)
		}
		line, _ := refusal(t, "tokenize", dir, "--text", text)
		if !strings.Contains(line, pattern) || !strings.Contains(line, "does not come to an end") || !strings.Contains(line, "tokenizer.json") {
			t.Errorf("%s: %.500s", pattern, line)
		}
	}
}

// refusal runs the program, which must end with exit code 2 and one line, and
// returns the line and the most memory it had.
func refusal(t *testing.T, args ...string) (line string, most int64) {
	t.Helper()
	cmd := exec.Command("softbench", args...)
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Discard, &errs
	most, err := mostMemory(cmd)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || strings.Count(errs.String(), "\n") != 1 {
		t.Fatalf("%v, want exit code 2 and one line: %.1000s", err, errs.String())
	}
	return errs.String(), most
}

// sparse makes a file that claims n bytes and holds none.
func sparse(path string, n int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Truncate(n)
}
