package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/golden"
)

// otherBinary names another softbench: tests that run the whole program run that one, and say what it does.
const otherBinary = "SOFTBENCH_TEST_BINARY"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"softbench": func() {
		if other := os.Getenv(otherBinary); other != "" {
			panic(syscall.Exec(other, append([]string{"softbench"}, os.Args[1:]...), os.Environ()))
		}
		main()
	}})
}

// TestScripts runs the whole binary as users do: testdata/script/*.txtar.
// Scripts find the golden data in $GOLDEN and have these commands besides
// testscript's own: see scriptCommands.
func TestScripts(t *testing.T) {
	goldenDir := golden.Dir(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GOLDEN", goldenDir)
			env.Setenv("HF_HOME", filepath.Join(env.WorkDir, "no-hub"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			for _, name := range []string{"SOFTBENCH_ISA", otherBinary} {
				env.Setenv(name, os.Getenv(name))
			}
			return nil
		},
		Cmds:                scriptCommands,
		RequireExplicitExec: true,
	})
}

var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	// exits CODE ARGS...: runs softbench and wants this exit code.
	"exits": func(ts *testscript.TestScript, _ bool, args []string) {
		want, err := strconv.Atoi(args[0])
		ts.Check(err)
		err = ts.Exec("softbench", args[1:]...)
		code := 0
		if err != nil {
			if _, err := fmt.Sscanf(err.Error(), "exit status %d", &code); err != nil {
				ts.Fatalf("softbench: %v", err)
			}
		}
		if code != want {
			ts.Fatalf("exit code %d, want %d\n%s", code, want, ts.ReadFile("stderr"))
		}
	},
	// refused PATTERNS... : the last command failed with one line, and it holds every text.
	"refused": func(ts *testscript.TestScript, _ bool, args []string) {
		text := ts.ReadFile("stderr")
		if strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "softbench: ") {
			ts.Fatalf("an error is one line that begins with the program's name, not:\n%s", text)
		}
		for _, a := range args {
			if !strings.Contains(text, a) {
				ts.Fatalf("the error does not say %q: %s", a, text)
			}
		}
		if out := ts.ReadFile("stdout"); out != "" {
			ts.Fatalf("a refused command printed: %s", out)
		}
	},
	// json FILE: the file is one JSON value.
	"json": func(ts *testscript.TestScript, _ bool, args []string) {
		if text := ts.ReadFile(args[0]); !json.Valid([]byte(text)) {
			ts.Fatalf("%s is not JSON:\n%s", args[0], text)
		}
	},
	// jsonl FILE: every line of the file is a JSON value.
	"jsonl": func(ts *testscript.TestScript, _ bool, args []string) {
		for i, line := range strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n") {
			if !json.Valid([]byte(line)) {
				ts.Fatalf("%s line %d is not JSON: %s", args[0], i+1, line)
			}
		}
	},
	// model DIR: copies the golden tiny checkpoint.
	"model": func(ts *testscript.TestScript, _ bool, args []string) {
		from := filepath.Join(ts.Getenv("GOLDEN"), "tiny")
		to := ts.MkAbs(args[0])
		ts.Check(os.MkdirAll(to, 0o777))
		entries, err := os.ReadDir(from)
		ts.Check(err)
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(from, e.Name()))
			ts.Check(err)
			ts.Check(os.WriteFile(filepath.Join(to, e.Name()), data, 0o666))
		}
	},
	// cut FILE N: shortens a file by N bytes.
	"cut": func(ts *testscript.TestScript, _ bool, args []string) {
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		data := ts.ReadFile(args[0])
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(data[:len(data)-n]), 0o666))
	},
	// sub FILE OLD NEW: replaces the first OLD, which must be there, with NEW.
	"sub": func(ts *testscript.TestScript, _ bool, args []string) {
		data := ts.ReadFile(args[0])
		if !strings.Contains(data, args[1]) {
			ts.Fatalf("%s does not hold %q", args[0], args[1])
		}
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(data, args[1], args[2], 1)), 0o666))
	},
	// entries DIR N: the directory has N entries.
	"entries": func(ts *testscript.TestScript, _ bool, args []string) {
		entries, err := os.ReadDir(ts.MkAbs(args[0]))
		ts.Check(err)
		if fmt.Sprint(len(entries)) != args[1] {
			ts.Fatalf("%s has %d entries, want %s: %v", args[0], len(entries), args[1], entries)
		}
	},
	// klruns DIR A B: gives what 'compare A B --kl --runs DIR' left names without hashes: a, b and .kl-a-b.
	"klruns": func(ts *testscript.TestScript, _ bool, args []string) {
		for i, to := range []string{"b", "a", ".kl-a-b"} {
			from := []string{args[2] + "-*", args[1] + "-*", ".kl-*"}[i]
			found, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), from))
			ts.Check(err)
			if len(found) == 0 && i == 1 && args[1] == args[2] {
				continue
			}
			if len(found) != 1 {
				ts.Fatalf("%d of %s in %s", len(found), from, args[0])
			}
			ts.Check(os.Rename(found[0], filepath.Join(ts.MkAbs(args[0]), to)))
		}
	},
	// weights DIR WHAT: rewrites model.safetensors with one fault: drop, extra, shape, dtype, nan,
	// a header with two tensors in one place (overlap) or of a length no header has (header),
	// or with one bit of a weight changed: bit.
	"weights": func(ts *testscript.TestScript, _ bool, args []string) {
		path := filepath.Join(ts.MkAbs(args[0]), "model.safetensors")
		switch args[1] {
		case "overlap", "header":
			ts.Check(spoilHeader(path, args[1]))
		default:
			ts.Check(spoilWeights(path, args[1]))
		}
	},
	// samples RUN WHAT: rewrites a run's samples.parquet with one fault; see spoilSamples.
	"samples": func(ts *testscript.TestScript, _ bool, args []string) {
		ts.Check(spoilSamples(ts.MkAbs(args[0]), args[1]))
	},
}

func spoilWeights(path, fault string) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	const victim = "model.layers.0.self_attn.q_proj.weight"
	var entries []safetensors.Entry
	for _, t := range f.Tensors() {
		e := safetensors.Entry{Name: t.Name, DType: t.DType, Shape: t.Shape, Data: bytes.Clone(t.Data)}
		if t.Name == victim {
			switch fault {
			case "drop":
				continue
			case "shape":
				e.Shape = []int{t.Shape[0] / 2, t.Shape[1] * 2}
			case "dtype":
				e.DType, e.Shape = "I16", t.Shape
			case "nan":
				e.Data[2*77], e.Data[2*77+1] = 0xc0, 0x7f
			case "bit":
				e.Data[2*77] ^= 1
			}
		}
		entries = append(entries, e)
	}
	if fault == "extra" {
		entries = append(entries, safetensors.Float32("model.layers.0.surprise", "F32", []int{1}, []float32{1}))
	}
	return safetensors.Write(path, entries, nil)
}

// spoilHeader damages what no library would write: the header itself.
func spoilHeader(path, fault string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	size := binary.LittleEndian.Uint64(b)
	if fault == "header" {
		binary.LittleEndian.PutUint64(b, 1<<40)
		return os.WriteFile(path, b, 0o666)
	}
	var header map[string]map[string]any
	if err := json.Unmarshal(b[8:8+size], &header); err != nil {
		return err
	}
	const one, two = "model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.o_proj.weight"
	header[one]["data_offsets"] = header[two]["data_offsets"] // of the same shape
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	spoilt := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	return os.WriteFile(path, append(append(spoilt, text...), b[8+size:]...), 0o666)
}

// TestHelp: every command has help with a worked example, and every example
// parses: its flags exist.
func TestHelp(t *testing.T) {
	root := newRoot(streams{strings.NewReader(""), io.Discard, io.Discard})
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			if c.Name() == "help" || c.Name() == "completion" || cmd.Name() == "completion" {
				continue
			}
			walk(c)
			var out bytes.Buffer
			path := strings.Fields(c.CommandPath())[1:]
			if code := execute(context.Background(), append(path, "--help"), streams{strings.NewReader(""), &out, &out}); code != 0 {
				t.Errorf("%s --help: exit code %d", c.CommandPath(), code)
			}
			if c.Example == "" || !strings.Contains(out.String(), c.Example) {
				t.Errorf("%s --help shows no example", c.CommandPath())
			}
			for _, word := range strings.Fields(c.Example) {
				if name, ok := strings.CutPrefix(word, "--"); ok && c.Flags().Lookup(strings.Split(name, "=")[0]) == nil {
					t.Errorf("%s: the example uses --%s, which is not a flag of it", c.CommandPath(), name)
				}
			}
		}
	}
	walk(root)
}
