package rundir

import (
	"bytes"
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

// DiagnosticsSettings are what diagnostics look at.
type DiagnosticsSettings struct {
	Task      string  `json:"task"`
	Samples   int     `json:"samples"`
	Length    int     `json:"length"`
	Threshold float64 `json:"threshold"`
	Data      string  `json:"data_sha256"` // of the documents that the samples are cut from
}

// Differences lists what differs between two runs' settings, one line each, the
// first run's value first.
func Differences(a, b Settings) []string {
	var out []string
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		field := va.Type().Field(i)
		if field.Name == "Tasks" || reflect.DeepEqual(va.Field(i).Interface(), vb.Field(i).Interface()) {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		out = append(out, fmt.Sprintf("%s: %s, now %s", name, show(va.Field(i).Interface()), show(vb.Field(i).Interface())))
	}
	byName := map[string]TaskSettings{}
	for _, t := range b.Tasks {
		byName[t.Name] = t
	}
	for _, t := range a.Tasks {
		other, ok := byName[t.Name]
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("task %s: there, now not", t.Name))
		case t != other:
			out = append(out, fmt.Sprintf("task %s: %s, now %s", t.Name, show(t), show(other)))
		}
		delete(byName, t.Name)
	}
	for _, t := range b.Tasks {
		if _, ok := byName[t.Name]; ok {
			out = append(out, fmt.Sprintf("task %s: not there, now there", t.Name))
		}
	}
	return out
}

func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(bytes.TrimSpace(text))
}
