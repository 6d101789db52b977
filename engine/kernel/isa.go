package kernel

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
)

// EnvISA is the environment variable that forces a Set by its name.
const EnvISA = "SOFTBENCH_ISA"

// Path is one implementation of the inner loops, and whether this process can
// use it.
type Path struct {
	Name string
	// Reason says why the path is not available; empty where it is.
	Reason string
	// Note is what one should know who uses the path.
	Note string
}

// Info is what this machine offers the kernels.
type Info struct {
	CPU      string   // the processor's own name, or the architecture's
	Features []string // instruction-set extensions that some path uses
	Paths    []Path   // every path there is, the fastest first
}

// candidate is a path before it is known to be of use: set is nil where reason
// says why.
type candidate struct {
	name, reason, note string
	set                Set
}

// foreign are the assembly paths of an architecture in a build that leaves them out.
func foreign(arch string) (list []candidate) {
	reason := "it is for " + arch + ", and this build is for " + runtime.GOARCH
	if runtime.GOARCH == arch {
		reason = "this build leaves out assembly (noasm)"
	}
	for _, name := range map[string][]string{"amd64": {"amx", "avx512bf16", "avx512", "avx2"}, "arm64": {"neonbf16", "neon"}}[arch] {
		list = append(list, candidate{name: name, reason: reason})
	}
	return list
}

var candidates = sync.OnceValue(func() []candidate {
	return append(archCandidates(), candidate{name: Generic{}.Name(), set: Generic{}})
})

// Best returns the fastest Set this machine has.
func Best() Set {
	for _, c := range candidates() {
		if c.set != nil {
			return c.set
		}
	}
	return Generic{}
}

// Available returns the names of this machine's Sets, the fastest first.
func Available() []string {
	var names []string
	for _, c := range candidates() {
		if c.set != nil {
			names = append(names, c.name)
		}
	}
	return names
}

// ByName returns the Set of that name. The error says why there is none, and
// which this machine has.
func ByName(name string) (Set, error) {
	for _, c := range candidates() {
		switch {
		case c.name != name:
		case c.set == nil:
			return nil, fmt.Errorf("instruction set %q is not available here: %s; choose one of %s", name, c.reason, strings.Join(Available(), ", "))
		default:
			return c.set, nil
		}
	}
	return nil, fmt.Errorf("unknown instruction set %q; choose one of %s", name, strings.Join(Available(), ", "))
}

// FromEnv returns the Set that SOFTBENCH_ISA names, and Best where it is unset
// or empty. A name that is unknown or not available is an error.
func FromEnv() (Set, error) {
	name := os.Getenv(EnvISA)
	if name == "" {
		return Best(), nil
	}
	s, err := ByName(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", EnvISA, err)
	}
	return s, nil
}

// Detect reports this machine's processor, and every path with the reason why
// it is not available where it is not.
func Detect() Info {
	info := Info{CPU: cpuName(), Features: cpuFeatures()}
	for _, c := range candidates() {
		info.Paths = append(info.Paths, Path{c.name, c.reason, c.note})
	}
	return info
}
