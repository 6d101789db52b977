package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
)

// sources are the Python files that task files name functions of.
type sources struct{}

// function finds a function that is known here.
func (l *loader) function(v *value) (function, error) {
	return nil, v.errorf("!function %s is not understood", v.call)
}

// digest is of a function's file.
func (s *sources) digest(v *value) (string, error) {
	module := v.call[:max(0, strings.LastIndexByte(v.call, '.'))]
	b, err := os.ReadFile(filepath.Join(filepath.Dir(v.file), strings.ReplaceAll(module, ".", "/")+".py"))
	if err != nil {
		return "", v.errorf("%v", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// process applies process_docs to a split.
func (s *split) process(f function) error { return nil }
