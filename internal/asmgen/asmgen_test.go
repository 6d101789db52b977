package asmgen

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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

// TestNEONEncodings is TestEncodings for arm64, whose vector instructions are all written as
// words.
func TestNEONEncodings(t *testing.T) {
	objdump, err := exec.LookPath("aarch64-linux-gnu-objdump")
	if err != nil {
		t.Skip("no objdump for arm64 (binutils-aarch64-linux-gnu) on this machine to disassemble with")
	}
	word := regexp.MustCompile(`(?m)^\tWORD \$0x([0-9a-f]{8}) // (.*)$`)
	var code []byte
	var want []string
	seen := map[string]bool{}
	for _, text := range Files() {
		for _, m := range word.FindAllStringSubmatch(string(text), -1) {
			if seen[m[0]] {
				continue
			}
			seen[m[0]] = true
			b, err := hex.DecodeString(m[1])
			if err != nil {
				t.Fatalf("%s: %v", m[0], err)
			}
			slices.Reverse(b)
			code, want = append(code, b...), append(want, m[2])
		}
	}
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-b", "binary", "-m", "aarch64", "--no-show-raw-insn", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`(?m)^\s*[0-9a-f]+:\s+(.*)$`).FindAllStringSubmatch(string(out), -1)
	if len(want) < 100 || len(got) != len(want) {
		t.Fatalf("%d instructions were written, objdump reads %d", len(want), len(got))
	}
	for i := range want {
		if normal(got[i][1]) != normal(want[i]) {
			t.Errorf("the word of %q is %q", want[i], got[i][1])
		}
	}
	t.Logf("%d distinct encodings agree", len(want))
}

// TestNEONPeak counts the instructions of the inner loops of the largest tiles: at least .7 of
// them multiply, which is the share of the peak that a processor reaches that does as many
// instructions of any kind a cycle as it does FMLA.
func TestNEONPeak(t *testing.T) {
	text := string(Files()["tile_neon_arm64.s"])
	for _, name := range []string{"tileF32NEON", "tileWideNEON", "tileDotNEON"} {
		_, body, _ := strings.Cut(text, "TEXT ·"+name+"(SB)")
		_, body, _ = strings.Cut(body, "\nloop5x4:\n")
		body, _, found := strings.Cut(body, "\n\nrest5x4:")
		if !found {
			t.Fatalf("%s has no loop of 5 rows and 4 vectors", name)
		}
		all := len(strings.Split(body, "\n"))
		multiply := strings.Count(body, "// fmla ") + strings.Count(body, "// bfdot ")
		t.Logf("%s: %d of %d instructions multiply, %.2f", name, multiply, all, float64(multiply)/float64(all))
		if multiply != 80 || float64(multiply) < 0.7*float64(all) {
			t.Errorf("%s: %d of %d instructions multiply", name, multiply, all)
		}
	}
}
