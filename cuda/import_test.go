package cuda

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestDefaultBuildIsFree: without the tag neither gorgonia.org/cu nor cgo of
// ours is in the binary; with it they are, so that this test can fail.
func TestDefaultBuildIsFree(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	deps := func(tags string) []string {
		cmd := exec.Command("go", "list", "-deps", "-tags", tags, "../cmd/softbench")
		cmd.Env = append(cmd.Environ(), "CGO_ENABLED=1", "GOOS=linux", "GOARCH=amd64")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		return strings.Fields(string(out))
	}
	const cu, driver = "gorgonia.org/cu", "github.com/softbench/softbench/cuda/driver"
	if list := deps(""); slices.Contains(list, cu) || slices.Contains(list, driver) {
		t.Error("the default build imports CUDA")
	}
	if list := deps("cuda"); !slices.Contains(list, cu) || !slices.Contains(list, driver) {
		t.Error("the build with the tag cuda does not import CUDA")
	}
}
