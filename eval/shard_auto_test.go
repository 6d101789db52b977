package eval

import (
	"strings"
	"testing"
)

func TestAutoShard(t *testing.T) {
	for _, c := range []struct{ text, env, want string }{
		{"auto", "SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=3 SLURM_ARRAY_TASK_STEP=1", "2/3"},
		{"auto", "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=2", "1/3"},
		{"auto", "SLURM_ARRAY_TASK_ID=14 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_MAX=14 SLURM_ARRAY_TASK_STEP=2", "3/3"},
		{"auto", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_STEP=1", "auto/N"},
		{"auto/7", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=1 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=3", "3/7"},
		{"auto/7", "SLURM_ARRAY_TASK_ID=0", "not one of 7 parts"},
		{"auto", "SLURM_ARRAY_TASK_ID=3", `SLURM_ARRAY_TASK_COUNT is ""`},
		{"auto", "SLURM_ARRAY_TASK_ID=x SLURM_ARRAY_TASK_COUNT=3", `SLURM_ARRAY_TASK_ID is "x"`},
		{"auto/4", "JOB_COMPLETION_INDEX=0", "1/4"},
		{"auto/4", "JOB_COMPLETION_INDEX=4", "not one of 4 parts"},
		{"auto", "JOB_COMPLETION_INDEX=0", "completions"},
		{"auto", "RANK=3 WORLD_SIZE=4", "4/4"},
		{"auto/4", "RANK=3 WORLD_SIZE=4", "4/4"},
		{"auto/5", "RANK=3 WORLD_SIZE=4", "WORLD_SIZE is 4"},
		{"auto", "RANK=4 WORLD_SIZE=4", "not one of 4 parts"},
		{"auto", "RANK=-1 WORLD_SIZE=4", "not one of 4 parts"},
		{"auto", "RANK=0", `WORLD_SIZE is ""`},
		{"auto", "RANK=0 WORLD_SIZE=4 SLURM_ARRAY_TASK_ID=1", "SLURM_ARRAY_TASK_ID and RANK"},
		{"auto", "", "no scheduler"},
		{"auto/0", "RANK=0 WORLD_SIZE=1", "auto/8"},
		{"auto/x", "RANK=0 WORLD_SIZE=1", "auto/8"},
	} {
		env := map[string]string{}
		for _, v := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(v, "=")
			env[name] = value
		}
		s, err := AutoShard(c.text, func(name string) string { return env[name] })
		switch {
		case err == nil && s.String() != c.want:
			t.Errorf("%s with %s: %s, want %s", c.text, c.env, s, c.want)
		case err != nil && !strings.Contains(err.Error(), c.want):
			t.Errorf("%s with %s: %v, want %s", c.text, c.env, err, c.want)
		}
	}
}
