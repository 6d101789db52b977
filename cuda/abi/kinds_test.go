package abi

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The kernels' source numbers its kinds as Kinds does, and Kinds as attention: a
// kind that one of them lacks would compute another's weights.
func TestKindsAreTheSource(t *testing.T) {
	source, err := os.ReadFile("../kernels/attention.cuh")
	if err != nil {
		t.Fatal(err)
	}
	enum := regexp.MustCompile(`enum \{ (Softmax[^}]*) \};`).FindSubmatch(source)
	if enum == nil {
		t.Fatal("no enum of kinds in attention.cuh")
	}
	names := strings.Split(string(enum[1]), ", ")
	if len(names) != len(Kinds) {
		t.Fatalf("the source has %d kinds, Kinds %d", len(names), len(Kinds))
	}
	for i, k := range Kinds {
		if int(k) != i {
			t.Errorf("%s is %d, but number %d in the source", k, k, i)
		}
		if want := strings.ReplaceAll(k.String(), "-", ""); strings.ToLower(names[i]) != want {
			t.Errorf("kind %d is %s in the source, want %s", i, names[i], want)
		}
	}
}
