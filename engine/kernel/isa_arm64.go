//go:build !noasm

package kernel

// archCandidates lists the assembly paths, the fastest first. Every arm64 has NEON.
func archCandidates() []candidate {
	bf16 := candidate{name: neonBF16.name, set: neonBF16}
	if !hasBF16() {
		bf16 = candidate{name: neonBF16.name, reason: "the processor lacks bf16"}
	}
	return append([]candidate{bf16, {name: neon.name, set: neon}}, foreign("amd64")...)
}

func cpuName() string { return "arm64" }

func cpuFeatures() []string {
	if hasBF16() {
		return []string{"asimd", "bf16"}
	}
	return []string{"asimd"}
}
