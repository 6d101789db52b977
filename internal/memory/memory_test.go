package memory

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Trees as kernels, Docker, Slurm and systemd make them: the least bound counts.
func TestAvailable(t *testing.T) {
	const (
		gib  = 1 << 30
		info = "MemTotal: 67108864 kB\nMemAvailable: 33554432 kB\n" // 32 GiB
		v2   = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
		v1   = "35 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n36 30 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
	)
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"nothing known": {nil, 0},
		"the machine":   {map[string]string{"proc/meminfo": info}, 32 * gib},
		"no limit": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": v2,
			"sys/fs/cgroup/a/memory.max": "max\n", "sys/fs/cgroup/a/memory.current": "5\n"}, 32 * gib},
		"a container": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2,
			"sys/fs/cgroup/memory.max": "4294967296\n", "sys/fs/cgroup/memory.current": "1073741824\n"}, 3 * gib},
		"file pages are given up": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2,
			"sys/fs/cgroup/memory.max": "4294967296\n", "sys/fs/cgroup/memory.current": "3221225472\n",
			"sys/fs/cgroup/memory.stat": "anon 1073741824\ninactive_file 2147483648\n"}, 3 * gib},
		"memory.high": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2,
			"sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.high": "2147483648\n", "sys/fs/cgroup/memory.current": "0\n"}, 2 * gib},
		"a bound further out": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "0::/slurm/job/step\n", "proc/self/mountinfo": v2,
			"sys/fs/cgroup/slurm/job/step/memory.max": "max\n",
			"sys/fs/cgroup/slurm/job/memory.max":      "6442450944\n", "sys/fs/cgroup/slurm/job/memory.current": "1073741824\n",
			"sys/fs/cgroup/slurm/memory.max": "8589934592\n", "sys/fs/cgroup/slurm/memory.current": "0\n"}, 5 * gib},
		"part of a hierarchy": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "0::/docker/abc\n",
			"proc/self/mountinfo":      "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
			"sys/fs/cgroup/memory.max": "1073741824\n", "sys/fs/cgroup/memory.current": "0\n"}, gib},
		"the first version": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "9:cpu:/x\n4:memory:/job/1\n", "proc/self/mountinfo": v1,
			"sys/fs/cgroup/memory/job/1/memory.limit_in_bytes": "9223372036854771712\n",
			"sys/fs/cgroup/memory/job/memory.limit_in_bytes":   "4294967296\n", "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "2147483648\n",
			"sys/fs/cgroup/memory/job/memory.stat": "total_inactive_file 1073741824\n"}, 3 * gib},
		"both versions": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "4:memory:/j\n0::/j\n", "proc/self/mountinfo": v1 + "40 23 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/memory/j/memory.limit_in_bytes": "2147483648\n", "sys/fs/cgroup/unified/j/cgroup.procs": "1\n"}, 2 * gib},
		"nothing left": {map[string]string{"proc/meminfo": info, "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2,
			"sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "2000\n"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range c.files {
				file = filepath.Join(root, file)
				if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if got := available(root); got != c.want {
				t.Errorf("%d, want %d", got, c.want)
			}
		})
	}
	if runtime.GOOS == "linux" && Available() == 0 {
		t.Error("this machine's memory is not known")
	}
}
