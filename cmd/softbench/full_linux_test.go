package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/softbench/softbench/internal/golden"
)

// TestNoRoom runs the binary on small and on read-only file systems, mounted in
// a namespace of its own: exit code 2 and one line, nothing half-written, and
// where there is room again --resume completes the run.
func TestNoRoom(t *testing.T) {
	dir := golden.Dir(t)
	// sh runs a script in a directory that is mounted with the options; $AWAY is
	// a directory elsewhere.
	sh := func(options, script string) (out string, code int) {
		disk, away := t.TempDir(), t.TempDir()
		cmd := exec.Command("sh", "-c", `mount -t tmpfs -o "$OPTIONS" none "$DISK" || exit 99
cd "$DISK"
run() { softbench run arc_easy hellaswag lambada_openai --model "$GOLDEN/tiny" --data "$GOLDEN/docs" --out "$@"; }
`+script)
		cmd.Env = append(os.Environ(), "GOLDEN="+dir, "OPTIONS="+options, "DISK="+disk, "AWAY="+away,
			"HF_HOME="+filepath.Join(away, "no-hub"), "XDG_CACHE_HOME="+filepath.Join(away, "cache"))
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		text, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		switch {
		case err != nil && !errors.As(err, &exit), exit != nil && exit.ExitCode() == 99:
			t.Skip("this system mounts no file system for a test:", err, string(text))
		case exit != nil:
			code = exit.ExitCode()
		}
		return string(text), code
	}
	refused := func(t *testing.T, out string, code int, want ...string) {
		t.Helper()
		if code != 2 || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "softbench: ") {
			t.Fatalf("exit code %d and %q, want 2 and one line", code, out)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%q does not say %q", out, w)
			}
		}
	}

	out, code := sh("size=1m,ro", "run r")
	refused(t, out, code, "cannot write the run", "read-only file system")

	failed := map[string]bool{}
	for _, room := range []int{0, 4, 8, 12, 16, 24, 32} { // KiB, after a file that is in the way
		t.Run(fmt.Sprint(room), func(t *testing.T) {
			out, code := sh("size=64k", fmt.Sprintf(`head -c $((65536 - %d * 1024)) /dev/zero > full || exit 99
run r 2> "$AWAY/err" > "$AWAY/table"; code=$?
[ $code = 0 ] && { ls -A r; exit 0; }
cat "$AWAY/err"
[ $code = 2 ] || exit $code
files=$(ls -A r 2>/dev/null | tr '\n' ' ')
case "$files" in ""|"journal "|"journal samples.parquet ") ;; *) echo "left behind: $files" ;; esac
rm full
run r --resume > "$AWAY/table" 2> "$AWAY/again" || { cat "$AWAY/again"; exit 3; }
[ "$(ls -A r | tr '\n' ' ')" = "run.json samples.parquet " ] || { ls -A r; exit 4; }
exit 2`, room))
			if code == 0 && out == "run.json\nsamples.parquet\n" {
				return // there was room for all of it
			}
			refused(t, out, code, "cannot write the run", "no space left on device")
			failed[out] = true
		})
	}
	if len(failed) < 2 {
		t.Errorf("the disk was full in %d places of a run, want several: %v", len(failed), failed)
	}

	t.Run("calibration", func(t *testing.T) {
		said := false
		for _, room := range []int{8, 24, 40, 56, 72, 88, 104} {
			out, code := sh("size=512k", fmt.Sprintf(`for i in $(seq 400); do echo "line $i of a text that says little, and says it again"; done > "$AWAY/text"
head -c $((524288 - %d * 1024)) /dev/zero > full || exit 99
few() { softbench quantize "$GOLDEN/tiny" --method gptq --bits 4 --group 32 --calibrate "$AWAY/text" --threads 1 -o "$1" 2> "$AWAY/err" > "$AWAY/out"; }
few four; code=$?
[ $code = 0 ] && exit 0
cat "$AWAY/err"
[ $code = 2 ] || exit $code
[ -e four ] && echo "left behind: four"
rm full
few four || { cat "$AWAY/err"; exit 3; }
few "$AWAY/whole" || exit 5
cmp four/model.safetensors "$AWAY/whole/model.safetensors" || exit 6 # made in one go
[ "$(ls -A | tr '\n' ' ')" = "four " ] || { ls -A; exit 4; }
exit 2`, room))
			if code != 0 {
				refused(t, out, code, "no space left on device")
				said = said || strings.Contains(out, "the blocks before it are kept in four.partial")
			}
		}
		if !said {
			t.Error("no error of a full disk says that finished blocks are kept")
		}
	})
}
