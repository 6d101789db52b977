package regularfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// PathError is err with path in front, where err is of the operating system without what it
// was doing: "x.json: permission denied". nil stays nil, and so does what begins with the path.
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
	if strings.HasPrefix(err.Error(), path+": ") {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}
