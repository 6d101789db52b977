package session

import (
	"os"
	"path/filepath"
	"regexp"
)

// diagnosticsPrefix begins the name of the directory of a model whose diagnostics run.
const diagnosticsPrefix = ".diagnostics-"

// unfinished are the names that a process killed in a save or in diagnostics leaves (earlier ones wrote probe-).
var unfinished = regexp.MustCompile(`^\.((state|history\.jsonl|settings\.json|config\.json|model\.safetensors|report\.html|tokenizer.*)\.[0-9a-f]{16}\.tmp|(diagnostics|probe)-[0-9]+)$`)

// sweep removes what such a process left: a state's temporary file is as large
// as the state. What cannot be removed stays; it does no harm but its size.
func (r *run) sweep() {
	for _, dir := range []string{r.Out, r.path("")} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if unfinished.MatchString(e.Name()) {
				_ = os.RemoveAll(filepath.Join(dir, e.Name()))
			}
		}
	}
}
