//go:build !amd64 || noasm

package kernel

import "runtime"

// archCandidates lists the paths that exist for other builds, so that asking
// for one is answered with the reason.
func archCandidates() []candidate {
	reason := "it is for amd64, and this build is for " + runtime.GOARCH
	if runtime.GOARCH == "amd64" {
		reason = "this build leaves out assembly (noasm)"
	}
	var list []candidate
	for _, name := range []string{"amx", "avx512bf16", "avx512", "avx2"} {
		list = append(list, candidate{name: name, reason: reason})
	}
	return list
}

func cpuName() string { return runtime.GOARCH }

func cpuFeatures() []string { return nil }

// widenBlocks widens no element: WidenBF16 does them all.
func widenBlocks([]float32, []byte) int { return 0 }
