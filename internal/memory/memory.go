// Package memory says how much memory this process may still take.
//
// It owns the reading of the machine's figure and of the limits that control
// groups set (containers, Slurm, systemd), and must not know what the memory is for.
package memory

import (
	"bufio"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Available is the memory in bytes that new work may use now: the least of what
// the machine has left and what each control group around this process has; 0
// where the system does not say.
func Available() int64 { return available("/") }

// available is Available with the files below root.
func available(root string) int64 {
	least := int64(math.MaxInt64)
	if n, ok := machine(root); ok {
		least = n
	}
	for _, g := range groups(root) {
		if n, ok := g.free(); ok {
			least = min(least, n)
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	// Nothing left is not the same as unknown.
	return max(least, 1)
}

// machine reads MemAvailable.
func machine(root string) (int64, bool) {
	return field(filepath.Join(root, "proc/meminfo"), "MemAvailable:", 1<<10)
}

// group is a control group's directory, in the first or the second version.
type group struct {
	dir string
	v2  bool
}

// free is what a group may still take: its limit less what it uses, where pages
// of files that nobody used lately do not count, since they are given up first.
func (g group) free() (int64, bool) {
	limits, usage, cached := []string{"memory.max", "memory.high"}, "memory.current", "inactive_file"
	if !g.v2 {
		limits, usage, cached = []string{"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_inactive_file"
	}
	limit := int64(math.MaxInt64)
	for _, name := range limits {
		if n, ok := number(filepath.Join(g.dir, name)); ok {
			limit = min(limit, n)
		}
	}
	// The first version says "no limit" as the largest multiple of a page.
	if limit >= 1<<60 {
		return 0, false
	}
	used, _ := number(filepath.Join(g.dir, usage))
	reclaimable, _ := field(filepath.Join(g.dir, "memory.stat"), cached, 1)
	return max(0, limit-max(0, used-reclaimable)), true
}

// groups lists the control groups that bound this process's memory, its own and
// those around it.
func groups(root string) []group {
	var out []group
	own := ownGroups(filepath.Join(root, "proc/self/cgroup"))
	for _, m := range mounts(filepath.Join(root, "proc/self/mountinfo")) {
		name, ok := own[m.v2]
		if !ok {
			continue
		}
		// A container may see a part of the hierarchy, mounted as if it were all.
		rest, inside := strings.CutPrefix(name, strings.TrimSuffix(m.root, "/"))
		if !inside || rest != "" && rest[0] != '/' {
			rest = "/"
		}
		top := filepath.Join(root, m.point)
		for rest = path.Clean("/" + rest); ; rest = path.Dir(rest) {
			out = append(out, group{filepath.Join(top, rest), m.v2})
			if rest == "/" {
				break
			}
		}
	}
	return out
}

// ownGroups reads /proc/self/cgroup: the group of this process in the second
// version's hierarchy (true), and in the first's that counts memory (false).
func ownGroups(file string) map[bool]string {
	own := map[bool]string{}
	for _, line := range lines(file) {
		part := strings.SplitN(line, ":", 3)
		switch {
		case len(part) != 3:
		case part[0] == "0" && part[1] == "":
			own[true] = part[2]
		case slices.Contains(strings.Split(part[1], ","), "memory"):
			own[false] = part[2]
		}
	}
	return own
}

// mount is where a hierarchy is mounted, and which of its groups is at the top.
type mount struct {
	root, point string
	v2          bool
}

// mounts reads /proc/self/mountinfo.
func mounts(file string) []mount {
	var out []mount
	for _, line := range lines(file) {
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 5 || len(right) < 3 {
			continue
		}
		m := mount{root: unescape(left[3]), point: unescape(left[4]), v2: right[0] == "cgroup2"}
		if m.v2 || right[0] == "cgroup" && slices.Contains(strings.Split(right[2], ","), "memory") {
			out = append(out, m)
		}
	}
	return out
}

// unescape undoes the kernel's \040 for a space and its like.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

func lines(file string) []string {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	var out []string
	for s := bufio.NewScanner(f); s.Scan(); {
		out = append(out, s.Text())
	}
	return out
}

// field returns the number after name at the start of one of the file's lines.
func field(file, name string, unit int64) (int64, bool) {
	for _, line := range lines(file) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == name {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n * unit, err == nil
		}
	}
	return 0, false
}

// number reads a file that holds one number; false for "max" and for none.
func number(file string) (int64, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}
