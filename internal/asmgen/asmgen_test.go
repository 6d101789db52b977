package asmgen

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const kernels = "../../engine/kernel"

// TestCheckedIn would break when a generated file was edited, or the generator
// changed and the files were not written again.
func TestCheckedIn(t *testing.T) {
	files := Files()
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(kernels, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from what the generator writes: run go generate in engine/kernel", name)
		}
	}
	checked, err := filepath.Glob(filepath.Join(kernels, "*.s"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range checked {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		if strings.HasPrefix(string(text), "// Code generated") && files[name] == nil {
			t.Errorf("%s says it is generated, but the generator does not write it", name)
		}
	}
}

// TestEncodings would break if an instruction written as bytes were not the
// one its comment names: it asks binutils.
func TestEncodings(t *testing.T) {
	objdump, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("no objdump (binutils) on this machine to disassemble with")
	}
	raw := regexp.MustCompile(`(?m)^\t(BYTE .*) // (.*)$`)
	var code []byte
	var want []string
	seen := map[string]bool{}
	for _, text := range Files() {
		for _, m := range raw.FindAllStringSubmatch(string(text), -1) {
			if seen[m[0]] {
				continue
			}
			seen[m[0]] = true
			b, err := hex.DecodeString(strings.NewReplacer("BYTE $0x", "", "; ", "").Replace(m[1]))
			if err != nil {
				t.Fatalf("%s: %v", m[0], err)
			}
			code = append(code, b...)
			want = append(want, m[2])
		}
	}
	if len(want) == 0 {
		t.Fatal("the generator writes no instruction as bytes: the pattern above no longer fits")
	}
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--no-show-raw-insn", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^\s*[0-9a-f]+:\s+(.*)$`).FindAllStringSubmatch(string(out), -1) {
		got = append(got, m[1])
	}
	if len(got) != len(want) {
		t.Fatalf("%d instructions were written, objdump reads %d", len(want), len(got))
	}
	for i := range want {
		if normal(got[i]) != normal(want[i]) {
			t.Errorf("bytes of %q are %q", want[i], got[i])
		}
	}
	t.Logf("%d distinct encodings agree", len(want))
}

func normal(s string) string {
	return strings.NewReplacer(" ", "", "\t", "").Replace(s)
}
