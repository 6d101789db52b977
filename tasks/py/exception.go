package py

import "fmt"

// Exception is an error that Python's code can catch by its kind, such as ValueError.
type Exception struct{ Kind, Text string }

func (e *Exception) Error() string {
	if e.Text == "" {
		return e.Kind
	}
	return e.Kind + ": " + e.Text
}

func raised(kind, format string, args ...any) error {
	return &Exception{kind, fmt.Sprintf(format, args...)}
}
