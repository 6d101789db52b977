//go:build !unix

package machine

// cpuSeconds is not known here.
func cpuSeconds() float64 { return 0 }
