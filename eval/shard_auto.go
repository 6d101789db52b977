package eval

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// AutoShard is the part of a run that the scheduler around this process has given it.
// text is "auto", or "auto/5" where a user says how many parts there are. It reads
//
//   - SLURM_ARRAY_TASK_ID, _MIN, _MAX, _STEP and _COUNT of a Slurm array. Where the array
//     has gaps (--array=1,3,7) or the user says the number of parts, the parts are the
//     task's own numbers from 1 on, so that --array=4 does the fourth anew;
//   - JOB_COMPLETION_INDEX of an indexed Kubernetes job, from 0 on, which does not say
//     how many there are: only "auto/N" will do;
//   - RANK and WORLD_SIZE, from 0 on, as torchrun and others set them.
//
// Two of them at once would give two answers and are refused.
func AutoShard(text string, getenv func(string) string) (Shard, error) {
	of, err := autoParts(text)
	if err != nil {
		return Shard{}, err
	}
	var set []string
	for _, name := range []string{"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "RANK"} {
		if getenv(name) != "" {
			set = append(set, name)
		}
	}
	switch {
	case len(set) == 0:
		return Shard{}, errors.New("auto: no scheduler says which part this is: none of SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX and RANK is set; give number/of, such as 2/3")
	case len(set) > 1:
		return Shard{}, fmt.Errorf("auto: %s are all set and each says which part this is: unset all but one", strings.Join(set, " and "))
	}
	e := environment{getenv: getenv}
	s := Shard{Number: e.number(set[0])}
	switch set[0] {
	case "SLURM_ARRAY_TASK_ID":
		if s.Of = of; of == 0 {
			s, err = e.array(s.Number)
		}
	case "JOB_COMPLETION_INDEX":
		s = Shard{s.Number + 1, of}
		if of == 0 {
			err = errors.New("auto: JOB_COMPLETION_INDEX says which part this is, and nothing how many there are: give auto/N with the job's completions")
		}
	case "RANK":
		size := e.number("WORLD_SIZE")
		if s = (Shard{s.Number + 1, size}); of != 0 && of != size {
			err = fmt.Errorf("%s, but WORLD_SIZE is %d", text, size)
		}
	}
	if err := errors.Join(e.err, err); err != nil {
		return Shard{}, err
	}
	if s.Number < 1 || s.Number > s.Of {
		return Shard{}, fmt.Errorf("%s: %s is %s, which is not one of %d parts", text, set[0], getenv(set[0]), s.Of)
	}
	return s, nil
}

// autoParts is N of "auto/N", 0 for "auto".
func autoParts(text string) (int, error) {
	_, n, given := strings.Cut(text, "/")
	if !given {
		return 0, nil
	}
	of, err := strconv.Atoi(n)
	if err != nil || of < 1 {
		return 0, fmt.Errorf("%q: want auto, or auto/N with the number of parts, such as auto/8", text)
	}
	return of, nil
}

// environment reads numbers of the environment and keeps the first error.
type environment struct {
	getenv func(string) string
	err    error
}

func (e *environment) number(name string) int {
	n, err := strconv.Atoi(e.getenv(name))
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("auto: the environment's %s is %q: want a number", name, e.getenv(name))
	}
	return n
}

// array is the part of a task of an array that has every number between its first and
// its last.
func (e *environment) array(id int) (Shard, error) {
	count, first, last, step := e.number("SLURM_ARRAY_TASK_COUNT"), e.number("SLURM_ARRAY_TASK_MIN"), e.number("SLURM_ARRAY_TASK_MAX"), 1
	if e.getenv("SLURM_ARRAY_TASK_STEP") != "" {
		step = e.number("SLURM_ARRAY_TASK_STEP")
	}
	if e.err != nil {
		return Shard{}, e.err
	}
	if step < 1 || (last-first)/step+1 != count || (id-first)%step != 0 {
		return Shard{}, fmt.Errorf("auto: the array's %d tasks from %d to %d are not all there are between: give auto/N, and each task does the part of its own number", count, first, last)
	}
	return Shard{(id-first)/step + 1, count}, nil
}
