//go:build !(amd64 || arm64) || noasm

package kernel

import "runtime"

// archCandidates lists the paths that exist for other builds, so that asking
// for one is answered with the reason.
func archCandidates() []candidate {
	return append(foreign("amd64"), foreign("arm64")...)
}

func cpuName() string { return runtime.GOARCH }

func cpuFeatures() []string { return nil }

// widenBlocks widens no element: WidenBF16 does them all.
func widenBlocks([]float32, []byte) int { return 0 }
