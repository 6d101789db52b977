package data

import "fmt"

// maxHeld is about how many bytes documents may take before they are known to be sound.
const maxHeld = 96 << 20

// Keep collects what read hands out. size is about how many bytes of memory one takes. Where they take much, they are
// read twice: first only to be checked, so that a large file that is refused at its end is refused in little memory.
// read must hand out the same each time.
func Keep[T any](read func(each func(T) error) ([]File, error), size func(*T) int) ([]T, []File, error) {
	var all []T
	held, n := 0, 0
	files, err := read(func(v T) error {
		n++
		if held += size(&v); held > maxHeld {
			all = nil
		} else {
			all = append(all, v)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if len(all) == n {
		return all, files, nil
	}
	all = make([]T, 0, n)
	again, err := read(func(v T) error {
		all = append(all, v)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for i, f := range again {
		if i >= len(files) || f != files[i] {
			return nil, nil, fmt.Errorf("%s: %w", f.Path, errChanged)
		}
	}
	return all, again, nil
}
