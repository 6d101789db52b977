package abi

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/device"
)

// compiled is what a cubin says of a kernel.
type compiled struct {
	params  []int // bytes of each, in order
	threads int   // most of a block; 0: not said
}

// kernelsOf reads a cubin: an ELF file with a section of attributes for each kernel.
// An attribute is its format, its number, and 2 bytes of value or of the length of
// what follows.
func kernelsOf(cubin []byte) (map[string]compiled, error) {
	cubin = bytes.Clone(cubin)
	binary.LittleEndian.PutUint32(cubin[20:], 1) // CUDA's version, where ELF has 1
	f, err := elf.NewFile(bytes.NewReader(cubin))
	if err != nil {
		return nil, err
	}
	const sized, parameter, maxThreads = 4, 0x17, 5
	out := map[string]compiled{}
	for _, s := range f.Sections {
		name, ok := strings.CutPrefix(s.Name, ".nv.info.")
		if !ok {
			continue
		}
		data, err := s.Data()
		if err != nil {
			return nil, err
		}
		var k compiled
		for len(data) >= 4 {
			format, number, n := data[0], data[1], int(binary.LittleEndian.Uint16(data[2:]))
			data = data[4:]
			if format != sized {
				continue
			}
			if n > len(data) {
				return nil, fmt.Errorf("%s ends within an attribute", s.Name)
			}
			value := data[:n]
			data = data[n:]
			switch {
			case number == parameter && n == 12:
				i, size := int(binary.LittleEndian.Uint16(value[4:])), int(binary.LittleEndian.Uint32(value[8:])>>18)
				for len(k.params) <= i {
					k.params = append(k.params, 0)
				}
				k.params[i] = size
			case number == maxThreads && n == 12:
				k.threads = int(binary.LittleEndian.Uint32(value))
			}
		}
		out[name] = k
	}
	return out, nil
}

// argumentBytes is what a launch's arguments take; the driver knows where they go.
func argumentBytes(l *device.Launch) (list []int) {
	for _, a := range l.Args {
		list = append(list, map[device.ArgKind]int{device.Pointer: 8, device.Int32: 4, device.Int64: 8, device.Float32: 4, device.Boxes: 128}[a.Kind])
	}
	return list
}

func cubinMismatches(have map[string]compiled, launches []*device.Launch) (out []string) {
	for _, l := range launches {
		k, ok := have[l.Kernel]
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("kernel %s is missing", l.Kernel))
		case !slices.Equal(k.params, argumentBytes(l)):
			out = append(out, fmt.Sprintf("kernel %s takes arguments of %v bytes, the host gives %v", l.Kernel, k.params, argumentBytes(l)))
		case k.threads != 0 && k.threads < l.Block.X:
			out = append(out, fmt.Sprintf("kernel %s is for blocks of %d threads, the host launches %d", l.Kernel, k.threads, l.Block.X))
		}
	}
	return out
}

// TestCubinKeepsTheAgreement: the kernels for sm_90a, which no PTX text shows.
func TestCubinKeepsTheAgreement(t *testing.T) {
	have, err := kernelsOf(image(t, "sm_90a.cubin"))
	if err != nil {
		t.Fatal(err)
	}
	all := append(everyLaunch(), hopperLaunches()...)
	for _, m := range cubinMismatches(have, all) {
		t.Error(m)
	}
	if len(have) != len(all) {
		t.Errorf("%d kernels, the host launches %d", len(have), len(all))
	}
	older, err := kernelsOf(image(t, "sm_80.cubin"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range cubinMismatches(older, everyLaunch()) {
		t.Errorf("sm_80: %s", m)
	}
	if m := cubinMismatches(nil, all); len(m) != len(all) {
		t.Errorf("of no kernels %d are missing, want all %d", len(m), len(all))
	}
	for _, change := range []func(l *device.Launch){
		func(l *device.Launch) { l.Args = l.Args[1:] },
		func(l *device.Launch) { l.Args[0] = device.P(1) },
		func(l *device.Launch) { l.Block.X += 32 },
	} {
		l := Gemm(BF16Hopper, Add, 1, 1, 1, 1, 1, 8, 8)
		change(l)
		if m := cubinMismatches(have, []*device.Launch{l}); len(m) != 1 {
			t.Errorf("a launch that does not suit the kernel: %v", m)
		}
	}
}

// TestHopperLaunch: a stage of the pipeline and its barriers fit twice into a
// multiprocessor, and the matrices are the operands.
func TestHopperLaunch(t *testing.T) {
	l := Gemm(BF16Hopper, Store, 1<<20, 2<<20, 0, 3<<20, 300, 520, 72)
	if l.Grid != (device.Dim{X: 5, Y: 3}) || l.Block.X != 288 {
		t.Errorf("grid %v of %v", l.Grid, l.Block)
	}
	// A multiprocessor has 228 KiB, of which each block takes 1 KiB more than it asks for.
	if least := HopperStages * (2*128*64*2 + 16); l.Shared < least+1008 || 2*(l.Shared+1024) > 228<<10 {
		t.Errorf("%d bytes of shared memory", l.Shared)
	}
	want := []device.Matrix{{Base: 1 << 20, Rows: 300, Columns: 72, BoxRows: 128, BoxColumns: 64}, {Base: 2 << 20, Rows: 520, Columns: 72, BoxRows: 128, BoxColumns: 64}}
	for i, w := range want {
		if m := l.Args[i].Matrix; m != w || m.Check() != nil {
			t.Errorf("matrix %d is %+v, want %+v", i, m, w)
		}
	}
}

// TestProfiledKernelsExist: the profiler of first-run is given whole names.
func TestProfiledKernelsExist(t *testing.T) {
	script, err := os.ReadFile("../first-run")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, l := range append(everyLaunch(), hopperLaunches()...) {
		known[l.Kernel] = true
	}
	named := regexp.MustCompile(`\bsb_\w+`).FindAllString(string(script), -1)
	for _, name := range named {
		if !known[name] {
			t.Errorf("first-run profiles %s, which is no kernel", name)
		}
	}
	if len(named) < 6 {
		t.Errorf("first-run profiles only %v", named)
	}
}
