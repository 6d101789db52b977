package regularfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// PathError is err with path in front, where err is of the operating system without what it
// was doing: "x.json: permission denied". nil stays nil.
func PathError(path string, err error) error {
	if err == nil {
		return nil
	}
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		err = pe.Err
	case errors.As(err, &le):
		err = le.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}
