//go:build !noasm

package kernel

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/softbench/softbench/engine/kernel/internal/amxemu"
)

const underEmulator = "SOFTBENCH_TEST_UNDER_AMX_EMULATOR"

// AMX is the set for tests outside this package.
var AMX Set = amx

// TestAMXEmulated runs TestAMXUnderEmulator where there is no such processor.
func TestAMXEmulated(t *testing.T) {
	if missing("amx_tile", "amx_bf16") == "" {
		t.Skip("this processor has AMX: TestConformance/amx runs on it")
	}
	n := EmulateAMX(t, "TestAMXUnderEmulator")
	if n[amxemu.TDPBF16PS] < 10000 || cpu.X86.HasAVX512VNNI && n[amxemu.TDPBUSD] < 1000 {
		t.Fatalf("only %d and %d products were emulated: the suite did not use the tiles", n[amxemu.TDPBF16PS], n[amxemu.TDPBUSD])
	}
	t.Log(n)
}

// EmulateAMX runs one test in a process whose AMX instructions are emulated, and
// returns how many there were. The test must pass, and is told by UnderEmulator
// that its time has come.
func EmulateAMX(t *testing.T, name string) map[string]int {
	t.Helper()
	if r := missing("avx512f", "avx512bw", "avx512dq", "avx512vl"); r != "" {
		t.Skipf("the emulator knows AMX only, and beside it %s", r)
	}
	if testing.Short() {
		t.Skip("-short: the emulator takes some ten seconds")
	}
	output, err := os.CreateTemp(t.TempDir(), "output")
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	argv := []string{os.Args[0], "-test.run=^" + name + "$", "-test.v"}
	result, err := amxemu.Run(argv, append(os.Environ(), underEmulator+"=1"), output)
	if errors.Is(err, amxemu.ErrNoPtrace) {
		t.Skip(err)
	}
	text := readAll(t, output)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if result.ExitCode != 0 || !strings.Contains(text, "--- PASS: "+name) {
		t.Fatalf("exit code %d\n%s", result.ExitCode, text)
	}
	// Each call must leave the thread without tiles: the next goroutine on it
	// knows nothing of them.
	n := result.Executed
	if n[amxemu.LDTILECFG] != n[amxemu.TILERELEASE] {
		t.Fatalf("tiles were configured %d times and released %d times", n[amxemu.LDTILECFG], n[amxemu.TILERELEASE])
	}
	return n
}

// UnderEmulator skips a test that EmulateAMX has not started.
func UnderEmulator(t *testing.T) {
	t.Helper()
	if os.Getenv(underEmulator) == "" {
		t.Skip("run by the test beside it, under an emulator")
	}
}

// TestAMXUnderEmulator is the part of TestAMXEmulated that is emulated.
func TestAMXUnderEmulator(t *testing.T) {
	UnderEmulator(t)
	if !amx.selfTest() {
		t.Fatal("the self-test fails")
	}
	peakAMX(3) // faults if the tiles do not fit
	conformMatMul(t, amx)
	conformInt8(t, amx)
	conformAttentionBF16(t, amx, []int{32, 96, 128})
}

func readAll(t *testing.T, f *os.File) string {
	t.Helper()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
