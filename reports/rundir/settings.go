package rundir

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Settings are all that a run's numbers depend on. Two runs with equal settings
// have equal samples, bit for bit; a resumed run must have those of the journal.
type Settings struct {
	Engine          string               `json:"engine"` // changes when the engine's numbers do
	ModelSHA256     string               `json:"model_sha256"`
	TokenizerSHA256 string               `json:"tokenizer_sha256"`
	Attention       string               `json:"attention"`
	DType           string               `json:"dtype"`
	Device          string               `json:"device"`
	ISA             string               `json:"isa"`
	MaxLength       int                  `json:"max_length"`
	StrictLength    bool                 `json:"strict_length"`
	Tasks           []TaskSettings       `json:"tasks"`
	Passkey         *PasskeySettings     `json:"passkey,omitempty"`
	Diagnostics     *DiagnosticsSettings `json:"diagnostics,omitempty"`
	Prompts         *PromptSettings      `json:"prompts,omitempty"`    // nil: prompts are the tasks' own texts
	Generation      *GenerationSettings  `json:"generation,omitempty"` // nil: no task has text generated
}

// PromptSettings are what prompts are put into.
type PromptSettings struct {
	ChatTemplate string `json:"chat_template_sha256,omitempty"` // "": none
	System       string `json:"system_instruction,omitempty"`
	Multiturn    bool   `json:"fewshot_as_multiturn"` // examples are turns of their own
}

// GenerationSettings are what generated answers depend on beside their tasks.
type GenerationSettings struct {
	End      []int32 `json:"end_tokens"`               // the model's own
	Thinking string  `json:"strip_thinking,omitempty"` // what thinking ends with, which is cut off; "": nothing is
}

// TaskSettings say which documents of a task are scored, and how.
type TaskSettings struct {
	Name      string `json:"name"`
	Version   string `json:"version,omitempty"`
	Digest    string `json:"digest"` // of the task's definition
	Limit     int    `json:"limit"`
	FewShot   int    `json:"fewshot"`
	Documents int    `json:"documents"`
	// Data is the SHA-256 over the documents' hashes in order: the same
	// documents in another file format have the same.
	Data string `json:"data_sha256"`
}

// PasskeySettings are a passkey grid.
type PasskeySettings struct {
	Lengths []int     `json:"lengths"`
	Depths  []float64 `json:"depths"`
	Trials  int       `json:"trials"`
	Seed    uint64    `json:"seed"`
}

// DiagnosticsSettings are what diagnostics measure.
type DiagnosticsSettings struct {
	Task      string  `json:"task"`
	Samples   int     `json:"samples"`
	Length    int     `json:"length"`
	Threshold float64 `json:"threshold"`
	Data      string  `json:"data_sha256"`           // of the document of each sample
	Maps      string  `json:"maps_sha256,omitempty"` // of the attention maps' text, layers and heads
}

// Name tells a run's rows from those of others where several stand in one table: attention kind,
// number format and twelve digits of the settings' hash. Runs with equal settings, whose samples
// are equal, have one name.
func (s *Settings) Name() string {
	sum := sha256.Sum256([]byte(show(s)))
	return fmt.Sprintf("%s-%s-%x", s.Attention, s.DType, sum[:6])
}

// Difference is a setting that two runs do not share.
type Difference struct {
	Task  string // "" for a setting of the whole run
	Field string // as in run.json; "" where only one of the runs has the task
	A, B  string // the values as JSON; "" where that run does not have the task
}

// String says what differs, the first run's value first.
func (d Difference) String() string {
	switch {
	case d.Task == "":
		return fmt.Sprintf("%s: %s, now %s", d.Field, d.A, d.B)
	case d.Field != "":
		return fmt.Sprintf("task %s %s: %s, now %s", d.Task, d.Field, d.A, d.B)
	case d.B == "":
		return fmt.Sprintf("task %s: there, now not", d.Task)
	default:
		return fmt.Sprintf("task %s: not there, now there", d.Task)
	}
}

// Differences lists what differs between two runs' settings, one line each, the
// first run's value first.
func Differences(a, b Settings) []string {
	var out []string
	for _, d := range Diff(a, b) {
		out = append(out, d.String())
	}
	return out
}

// Diff lists the settings that two runs do not share: those of the whole run,
// then task by task in the order of a, then the tasks that only b has. The
// order of the tasks itself makes no difference.
func Diff(a, b Settings) []Difference {
	out := diffFields("", a, b)
	other := map[string]TaskSettings{}
	for _, t := range b.Tasks {
		other[t.Name] = t
	}
	for _, t := range a.Tasks {
		if o, ok := other[t.Name]; ok {
			out = append(out, diffFields(t.Name, t, o)...)
			delete(other, t.Name)
		} else {
			out = append(out, Difference{Task: t.Name, A: show(t)})
		}
	}
	for _, t := range b.Tasks {
		if _, ok := other[t.Name]; ok {
			out = append(out, Difference{Task: t.Name, B: show(t)})
		}
	}
	return out
}

// diffFields compares two structs of one type field by field, less Tasks.
func diffFields(task string, a, b any) []Difference {
	var out []Difference
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		field := va.Type().Field(i)
		x, y := show(va.Field(i).Interface()), show(vb.Field(i).Interface())
		if field.Name == "Tasks" || x == y {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		out = append(out, Difference{Task: task, Field: name, A: x, B: y})
	}
	return out
}

// MarshalJSON writes an empty list where there are no tasks.
func (s Settings) MarshalJSON() ([]byte, error) {
	type plain Settings
	s.Tasks = orEmpty(s.Tasks)
	return json.Marshal(plain(s))
}

// show is a value as JSON on one line.
func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(bytes.TrimSpace(text))
}
