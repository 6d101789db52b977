package abi

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine/attention"
)

// hopperLaunches is one launch of every kernel that only sm_90a has.
func hopperLaunches() []*device.Launch {
	list := []*device.Launch{Head(BF16Hopper, 1, 1, 1, 1, 1, 1, 1, 1, 8), QKV(BF16Hopper, 1, 1, 1, 8, RopeArgs{Rows: 1, Heads: 1, KVHeads: 1, Size: 32})}
	for e := Store; e <= SwiGLU; e++ {
		list = append(list, Gemm(BF16Hopper, e, 1, 1, 1, 1, 1, 8, 8))
	}
	for _, size := range []int{64, 128} {
		for _, k := range Kinds {
			list = append(list, Attention(BF16Hopper, AttentionArgs{N: 1, Kind: k, Size: size}))
		}
	}
	return list
}

// everyLaunch is one launch of every other kernel.
func everyLaunch() (list []*device.Launch) {
	for _, m := range []Mode{F32, BF16} {
		list = append(list, Embed(m, 1, 1, 1, 1, 8), RMSNorm(m, 1, 1, 1, 1, 8, 1), Rope(m, RopeArgs{Rows: 1, Size: 32}), QKV(m, 1, 1, 1, 8, RopeArgs{Rows: 1, Heads: 1, KVHeads: 1, Size: 32}),
			Observe(m, AttentionArgs{}, 0, 1, 0, 1, 1), Head(m, 1, 1, 1, 1, 1, 1, 1, 1, 8))
		for _, size := range HeadSizes {
			list = append(list, Attention(m, AttentionArgs{N: 1, Kind: attention.Softpick, Size: size}))
		}
		for e := Store; e <= SwiGLU; e++ {
			list = append(list, Gemm(m, e, 1, 1, 1, 1, 1, 8, 8))
		}
	}
	return append(list, Gather(1, 1, 1, 1, 4), HeadMerge(1, 1, 1, 1, 1))
}

var (
	entry = regexp.MustCompile(`(?s)\.entry\s+(\w+)\s*\((.*?)\)`)
	param = regexp.MustCompile(`\.param\s+(?:\.align\s+\d+\s+)?\.(\w+)`)
)

// entries lists the kernels of a PTX text and the widths of their parameters:
// "u64 u64 u32" and so on. PTX has no signs or pointers.
func entries(ptx string) map[string]string {
	out := map[string]string{}
	for _, e := range entry.FindAllStringSubmatch(ptx, -1) {
		var types []string
		for _, p := range param.FindAllStringSubmatch(e[2], -1) {
			types = append(types, strings.NewReplacer("s", "u", "b", "u").Replace(p[1]))
		}
		out[e[1]] = strings.Join(types, " ")
	}
	return out
}

// wanted is the parameters of a launch as PTX has them.
func wanted(l *device.Launch) string {
	var types []string
	for _, a := range l.Args {
		types = append(types, map[device.ArgKind]string{device.Pointer: "u64", device.Int32: "u32", device.Int64: "u64", device.Float32: "f32"}[a.Kind])
	}
	return strings.Join(types, " ")
}

// mismatches says what of the agreement a PTX text does not keep.
func mismatches(ptx string) (out []string) {
	have := entries(ptx)
	for _, l := range everyLaunch() {
		got, ok := have[l.Kernel]
		if want := wanted(l); !ok {
			out = append(out, fmt.Sprintf("kernel %s is missing", l.Kernel))
		} else if got != want {
			out = append(out, fmt.Sprintf("kernel %s takes (%s), the host gives (%s)", l.Kernel, got, want))
		}
	}
	return out
}

// TestCompiledKernelsKeepTheAgreement: an argument more or less on one side
// would shift all after it, and no driver would notice.
func TestCompiledKernelsKeepTheAgreement(t *testing.T) {
	for _, m := range mismatches(string(image(t, "sm_80.ptx"))) {
		t.Error(m)
	}
}

// image reads what the build script wrote.
func image(t *testing.T, name string) []byte {
	t.Helper()
	file, err := os.Open("../kernels/image/" + name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestMismatchesAreFound: the comparison sees a parameter that is missing.
func TestMismatchesAreFound(t *testing.T) {
	text := func(drop string) string {
		var b strings.Builder
		for _, l := range everyLaunch() {
			fmt.Fprintf(&b, ".visible .entry %s(\n", l.Kernel)
			types := strings.Fields(wanted(l))
			if l.Kernel == drop {
				types = types[1:]
			}
			for i, p := range types {
				fmt.Fprintf(&b, "\t.param .%s %s_param_%d,\n", p, l.Kernel, i)
			}
			b.WriteString(")\n{\n\tret;\n}\n")
		}
		return b.String()
	}
	if m := mismatches(text("")); len(m) != 0 {
		t.Fatalf("equal texts differ: %v", m)
	}
	if m := mismatches(""); len(m) != len(everyLaunch()) {
		t.Fatalf("of an empty text %d kernels are missing, want all %d", len(m), len(everyLaunch()))
	}
	if m := mismatches(text("sb_rope_bf16")); len(m) != 1 || !strings.Contains(m[0], "sb_rope_bf16 takes") {
		t.Fatalf("a missing parameter: %v", m)
	}
}
