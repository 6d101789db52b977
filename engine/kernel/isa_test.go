package kernel

import (
	"slices"
	"strings"
	"testing"
)

// TestFromEnv: a forced path is that path or an error, never another one.
func TestFromEnv(t *testing.T) {
	t.Setenv(EnvISA, "")
	s, err := FromEnv()
	if err != nil || s.Name() != Best().Name() || s.Name() != Available()[0] {
		t.Fatalf("unset, %s gives %v, %v; the best is %s", EnvISA, s, err, Best().Name())
	}
	for _, p := range Detect().Paths {
		t.Setenv(EnvISA, p.Name)
		s, err := FromEnv()
		switch {
		case p.Reason == "" && (err != nil || s.Name() != p.Name):
			t.Errorf("%s=%s gives %v, %v", EnvISA, p.Name, s, err)
		case p.Reason != "" && (err == nil || !strings.Contains(err.Error(), p.Reason)):
			t.Errorf("%s=%s is not available (%s), but the answer is %v, %v", EnvISA, p.Name, p.Reason, s, err)
		}
	}
	for _, bad := range []string{"avx1024", "AVX2", " avx2", "best"} {
		t.Setenv(EnvISA, bad)
		s, err := FromEnv()
		if err == nil {
			t.Errorf("%s=%q gives %s, want an error", EnvISA, bad, s.Name())
			continue
		}
		for _, name := range append(Available(), EnvISA) {
			if !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error for %q does not name %s in one line: %v", bad, name, err)
			}
		}
	}
}

// TestDetect: each path is listed once, available or with a reason, and the
// portable one is always there, last.
func TestDetect(t *testing.T) {
	info := Detect()
	var names []string
	for _, p := range info.Paths {
		if slices.Contains(names, p.Name) {
			t.Errorf("%s is listed twice", p.Name)
		}
		names = append(names, p.Name)
		if (p.Reason == "") != slices.Contains(Available(), p.Name) {
			t.Errorf("%s: reason %q, but available are %v", p.Name, p.Reason, Available())
		}
	}
	if names[len(names)-1] != "generic" || info.Paths[len(names)-1].Reason != "" {
		t.Errorf("paths %v: the last must be generic, and available", info.Paths)
	}
	if info.CPU == "" {
		t.Error("the processor has no name")
	}
	t.Logf("%s: %v; %v", info.CPU, info.Features, info.Paths)
}
