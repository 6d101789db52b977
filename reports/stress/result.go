package stress

import (
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// Schema is the version of a Result's JSON.
const Schema = 1

// Result is what a stress test says; a number that cannot be given is null.
type Result struct {
	Schema     int      `json:"schema"`
	Suites     []string `json:"suites"`
	Level      float64  `json:"level"`
	Confidence float64  `json:"confidence"` // of intervals, in percent
	Headline   string   `json:"headline"`
	Tasks      []Task   `json:"tasks"`
	Models     []Model  `json:"models"`
	Claims     []Claim  `json:"claims"`
	Files      []File   `json:"files"` // whose documents were scored
	Notes      []string `json:"notes,omitempty"`
}

// Task is one of which the score is made, or a text on which divergences alone are measured.
type Task struct {
	Name      string        `json:"name"`
	Documents int           `json:"documents"`
	Chance    rundir.Number `json:"chance"` // the share that guessing gets right; null for a text
	Scored    bool          `json:"scored"` // counts in the score
}

// File is one that documents are of.
type File struct {
	Task   string `json:"task"`
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Rows   int    `json:"rows"`
}

// Model is one at all settings: first as it is stored.
type Model struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Attention  string `json:"attention"`
	Stored     string `json:"stored_dtype"`
	DType      string `json:"dtype"`
	SHA256     string `json:"model_sha256"`
	Parameters int64  `json:"parameters"`
	Cells      []Cell `json:"cells"`
}

// Cell is a model at one setting.
type Cell struct {
	Setting string `json:"setting"` // method:bits:group, or Stored
	Method  string `json:"method,omitempty"`
	Bits    int    `json:"bits"`  // of a weight that is quantised, or as it is stored
	Bytes   int64  `json:"bytes"` // of those weights with their scales

	Score   compare.Average `json:"score"` // mean accuracy over tasks
	Kept    compare.Average `json:"kept"`  // share of the stored weights' score above chance
	KL      compare.Average `json:"kl"`    // from the stored weights, nats a token
	Median  rundir.Number   `json:"kl_median"`
	P99     rundir.Number   `json:"kl_p99"`
	SameTop compare.Average `json:"same_top"`
	Tokens  int             `json:"kl_tokens"`

	Kurtosis rundir.Number `json:"kurtosis"` // of the residual stream
	Largest  rundir.Number `json:"largest"`  // activation, by magnitude

	Tasks    []Score  `json:"tasks"`
	Warnings []string `json:"warnings,omitempty"`
}

// Stored is the setting of weights as they are stored.
const Stored = "stored"

// Score is one task's at one setting: its accuracy, or of a text its bits per byte.
type Score struct {
	Task   string        `json:"task"`
	Metric string        `json:"metric"`
	Value  rundir.Number `json:"value"`
	Low    rundir.Number `json:"low"`
	High   rundir.Number `json:"high"`
}

// Claim is the paper's sentence for one setting: the second model keeps more than half of its
// score above chance where the first does not, and the difference is not chance. Intervals allow
// for all claims at the same number of bits (Bonferroni).
type Claim struct {
	Setting    string          `json:"setting"`
	Method     string          `json:"method"`
	Bits       int             `json:"bits"`
	First      string          `json:"first"`
	Second     string          `json:"second"`
	FirstKept  compare.Average `json:"first_kept"`
	SecondKept compare.Average `json:"second_kept"`
	FirstHalf  Half            `json:"first_half"`
	SecondHalf Half            `json:"second_half"`
	Difference compare.Average `json:"difference"` // second minus first
	Real       bool            `json:"real"`       // its interval leaves out 0
	Verdict    Verdict         `json:"verdict"`
}

// Half is whether a model keeps more than half, by the interval.
type Half string

const (
	More      Half = "more than half"
	Less      Half = "less than half"
	CannotSay Half = "cannot tell"
)

// Verdict is what becomes of a claim.
type Verdict string

const (
	Holds      Verdict = "holds"
	DoesNot    Verdict = "does not hold"
	CannotTell Verdict = "cannot tell"
)
