//go:build !noasm

package kernel

import (
	"strings"

	"golang.org/x/sys/cpu"
)

type feature struct {
	name string
	has  bool
}

func features() []feature {
	x := &cpu.X86
	return []feature{
		{"avx2", x.HasAVX2}, {"fma", x.HasFMA}, {"avx512f", x.HasAVX512F}, {"avx512bw", x.HasAVX512BW},
		{"avx512dq", x.HasAVX512DQ}, {"avx512vl", x.HasAVX512VL}, {"avx512_bf16", x.HasAVX512BF16},
		{"avx512_vnni", x.HasAVX512VNNI}, {"avx_vnni", x.HasAVXVNNI},
		{"amx_tile", x.HasAMXTile}, {"amx_bf16", x.HasAMXBF16}, {"amx_int8", x.HasAMXInt8},
	}
}

// missing names the features a path needs and the processor, or the operating
// system, does not offer; empty where there are none.
func missing(need ...string) string {
	var lack []string
	for _, f := range features() {
		for _, n := range need {
			if n == f.name && !f.has {
				lack = append(lack, n)
			}
		}
	}
	if lack == nil {
		return ""
	}
	return "the processor lacks " + strings.Join(lack, ", ")
}

// archCandidates lists the assembly paths, the fastest first.
func archCandidates() []candidate {
	var list []candidate
	offer := func(s *simd, need ...string) {
		c := candidate{name: s.name, reason: missing(need...)}
		if c.reason == "" {
			c.set = s
		}
		list = append(list, c)
	}
	list = append(list, amxCandidate())
	offer(avx512bf16, "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_bf16")
	offer(avx512, "avx512f", "avx512bw", "avx512dq", "avx512vl")
	offer(avx2, "avx2", "fma")
	return append(list, foreign("arm64")...)
}

// amxCandidate asks for the tiles, which the operating system grants to a whole
// process, and lets them prove themselves.
func amxCandidate() candidate {
	c := candidate{name: amx.Name(), note: "checks itself at start"}
	if c.reason = missing("amx_tile", "amx_bf16", "avx512f", "avx512bw", "avx512dq", "avx512vl"); c.reason != "" {
		return c
	}
	if err := requestTiles(); err != nil {
		c.reason = err.Error()
		return c
	}
	if !amx.selfTest() {
		c.reason = "its products differ from those of AVX-512 on this processor"
		return c
	}
	c.set = amx
	return c
}

func cpuFeatures() []string {
	var names []string
	for _, f := range features() {
		if f.has {
			names = append(names, f.name)
		}
	}
	return names
}

// cpuName is the brand string of CPUID leaves 0x80000002 to 0x80000004.
func cpuName() string {
	if eax, _, _, _ := cpuid(0x80000000, 0); eax < 0x80000004 {
		return "amd64"
	}
	var b []byte
	for leaf := uint32(0x80000002); leaf <= 0x80000004; leaf++ {
		eax, ebx, ecx, edx := cpuid(leaf, 0)
		for _, r := range []uint32{eax, ebx, ecx, edx} {
			b = append(b, byte(r), byte(r>>8), byte(r>>16), byte(r>>24))
		}
	}
	return strings.TrimSpace(strings.TrimRight(string(b), "\x00"))
}

// cpuid executes CPUID with the given leaf and subleaf.
//
//go:noescape
func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)
