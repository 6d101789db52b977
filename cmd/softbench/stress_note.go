package main

import (
	"slices"
	"strings"
)

// fittedNote says of what weights were fitted to, and why that is not what is scored.
func fittedNote(settings []string) string {
	if slices.ContainsFunc(settings, func(s string) bool { return strings.HasPrefix(s, "gptq") }) {
		return "gptq was calibrated on the text of --calibrate, of which no run of words is among the documents scored: else the test would have been refused; no other weight was fitted to text"
	}
	return "no weight was fitted to text: nothing was calibrated, so that no calibration text could be among the documents scored"
}
