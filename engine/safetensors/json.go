package safetensors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// walker reads JSON values of expected kinds, token by token.
type walker struct{ *json.Decoder }

// token is the next token; err names what was being read.
func (d *walker) token(what string) (json.Token, error) {
	t, err := d.Token()
	if err == io.EOF {
		err = errors.New("unexpected end of JSON")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: byte %d: %v", what, d.InputOffset(), err)
	}
	return t, nil
}

// object reads an object and calls member for each name, which must read the
// value. A repeated name is an error.
func (d *walker) object(what string, member func(name string) error) error {
	t, err := d.token(what)
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return fmt.Errorf("%s: byte %d: not a JSON object", what, d.InputOffset())
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.token(what)
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok {
			return fmt.Errorf("%s: byte %d: a name is not a string", what, d.InputOffset())
		}
		if seen[name] {
			return fmt.Errorf("%s: the name %q appears twice", what, name)
		}
		seen[name] = true
		if err := member(name); err != nil {
			return err
		}
	}
	_, err = d.token(what)
	return err
}

func (d *walker) text(what string) (string, error) {
	t, err := d.token(what)
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("%s: byte %d: not a string", what, d.InputOffset())
	}
	return s, nil
}

// numbers reads an array of non-negative integers.
func (d *walker) numbers(what string, each func(uint64) error) error {
	t, err := d.token(what)
	if err != nil {
		return err
	}
	if t != json.Delim('[') {
		return fmt.Errorf("%s: byte %d: not a JSON array", what, d.InputOffset())
	}
	for d.More() {
		t, err := d.token(what)
		if err != nil {
			return err
		}
		num, _ := t.(json.Number)
		n, err := strconv.ParseUint(string(num), 10, 64)
		if err != nil {
			return fmt.Errorf("%s: byte %d: %v is not a non-negative integer", what, d.InputOffset(), t)
		}
		if err := each(n); err != nil {
			return err
		}
	}
	_, err = d.token(what)
	return err
}

// skip passes over one value of any kind.
func (d *walker) skip() error {
	var v json.RawMessage
	if err := d.Decode(&v); err != nil {
		return fmt.Errorf("byte %d: %v", d.InputOffset(), err)
	}
	return nil
}
