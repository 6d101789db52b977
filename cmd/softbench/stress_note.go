package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/stress"
)

// fittedNote says of what weights were fitted to, file as the user named it, and why that is not what
// is scored.
func fittedNote(settings []string, file string, models []stress.Runs) string {
	var fitted []string
	for _, s := range settings {
		if method, _, _ := strings.Cut(s, ":"); calibrated(s) && !slices.Contains(fitted, method) {
			fitted = append(fitted, method)
		}
	}
	if len(fitted) == 0 {
		return "no weight was fitted to text: nothing was calibrated, so that no calibration text could be among the documents scored"
	}
	return fmt.Sprintf("%s: calibrated on %s, of which no 13 words in a row are among the documents scored: else the test would have been refused; no other weight was fitted to text",
		strings.Join(fitted, ", "), shown(file, models))
}

// shown says which text calibrated methods were shown.
func shown(file string, models []stress.Runs) string {
	text := "the text " + oneLine(filepath.Base(file))
	for _, m := range models {
		for _, s := range m.Settings {
			if q := s.Side.Manifest.Model.Quantised; q != nil && q.Calibration != nil {
				c := q.Calibration
				return fmt.Sprintf("%s (the first %d sequences of %d tokens; SHA-256 %s)", text, c.Sequences, c.Length, c.SHA256)
			}
		}
	}
	return text
}
