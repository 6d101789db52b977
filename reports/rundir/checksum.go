package rundir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// The manifest's last field, of process, is the SHA-256 of all before it, as JSON without
// blanks: an edit of a number, a hash or a setting is found, another indentation makes no
// difference. It is not a signature: who edits a manifest on purpose can make a new one.

const checksumKey = `,"checksum":"`

// encode is the manifest's text, stable for the same content, with its checksum.
func (r *Run) encode() ([]byte, error) {
	r.Process.Checksum = ""
	body, err := encodeJSON(r.withoutNulls())
	if err != nil {
		return nil, err
	}
	if r.Process.Checksum, err = checksum(body); err != nil {
		return nil, err
	}
	return encodeJSON(r.withoutNulls())
}

func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// checksum is that of a manifest's text, less the checksum in it.
func checksum(text []byte) (string, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return "", err
	}
	compact := b.Bytes()
	if n := len(checksumKey) + 2*sha256.Size + len(`"}}`); len(compact) > n && bytes.HasPrefix(compact[len(compact)-n:], []byte(checksumKey)) {
		compact = append(compact[:len(compact)-n], '}', '}')
	}
	sum := sha256.Sum256(compact)
	return hex.EncodeToString(sum[:]), nil
}

// verify refuses a manifest that was changed since it was written. One of an earlier
// version has no checksum.
func (r *Run) verify(text []byte) error {
	if r.Process.Checksum == "" {
		return nil
	}
	sum, err := checksum(text)
	if err != nil {
		return err
	}
	if sum != r.Process.Checksum {
		return errors.New("it was changed since the run was written: its checksum is of other contents; restore it, or run again")
	}
	return nil
}

// Sign returns a manifest's text with the checksum of what it says now, for tests and
// tools that change one on purpose.
func Sign(text []byte) ([]byte, error) {
	var r Run
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("not a run's manifest: %w", err)
	}
	sum, err := checksum(text)
	if err != nil || r.Process.Checksum == "" {
		return text, err
	}
	return bytes.Replace(text, []byte(r.Process.Checksum), []byte(sum), 1), nil
}
