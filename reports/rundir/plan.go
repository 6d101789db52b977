package rundir

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/softbench/softbench/reports/text"
)

// Plan is what a journal's first line says of a run beside its settings, for those who look at it
// before it is finished. No number of a run depends on it.
type Plan struct {
	Suites    []string  `json:"suites,omitempty"` // as named on the command line
	Model     Model     `json:"model"`
	Directory string    `json:"model_directory"`
	Softbench string    `json:"softbench"`
	Start     time.Time `json:"start"` // of the first process
	// Command goes on with the run, less the program's name; none: not known. Where is the
	// directory that its paths are of.
	Command []string      `json:"command,omitempty"`
	Where   string        `json:"working_directory,omitempty"`
	Parts   []PlannedPart `json:"parts"`
}

// PlannedPart is what a task, the passkey grid or the diagnostics has to compute; of a shard, what
// that has.
type PlannedPart struct {
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	Documents int    `json:"documents"`
	Requests  int    `json:"requests"`
}

// Whole are the results of a task, or of the passkey grid, all of whose requests are done.
type Whole struct {
	Task    *TaskResult `json:"task,omitempty"`
	Passkey []Cell      `json:"passkey,omitempty"`
}

// check says what keeps results from being those of one task.
func (w *Whole) check() error {
	r := Run{Passkey: w.Passkey}
	if w.Task != nil {
		r.Tasks = []TaskResult{*w.Task}
	}
	if (w.Task == nil) == (len(w.Passkey) == 0) {
		return errors.New("results of one task are those of a task or of the passkey grid")
	}
	return r.check()
}

// goOn says how to go on with an unfinished run; plan may be nil.
func (p *Plan) goOn() string {
	if p == nil || len(p.Command) == 0 {
		return "go on with it with --resume"
	}
	how := "go on with it: " + p.Resume()
	if here, err := os.Getwd(); p.Where != "" && (err != nil || here != p.Where) {
		how += " (in " + text.Printable(p.Where) + ")"
	}
	return how
}

// Resume is the command that goes on with the run, as a shell takes it; "" where it is not known.
func (p *Plan) Resume() string {
	if p == nil || len(p.Command) == 0 {
		return ""
	}
	return ShellCommand(p.Command)
}

// ShellCommand is softbench's command of these words, the program's name left out of them, as a
// shell takes it: to be copied.
func ShellCommand(words []string) string {
	line := []string{"softbench"}
	for _, word := range words {
		line = append(line, quoted(text.Printable(word)))
	}
	return strings.Join(line, " ")
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	plain := word != ""
	for _, c := range word {
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-", c) {
			plain = false
		}
	}
	if plain {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// check says what keeps a plan from being one.
func (p *Plan) check() error {
	if p == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, t := range p.Parts {
		if t.Name == "" || seen[t.Name] || min(t.Documents, t.Requests) < 0 {
			return fmt.Errorf("the plan's part %q is there twice, has no name or a negative count", t.Name)
		}
		seen[t.Name] = true
	}
	return nil
}
