package golden

import "testing"

// Generate is what lm-evaluation-harness made of generated answers.
type Generate struct {
	Format    int            `json:"format"`
	MaxLength int            `json:"max_length"`
	Tasks     []GenerateTask `json:"tasks"`
}

// GenerateTask is one task's documents and metrics; its definition is generate/<task>.yaml.
type GenerateTask struct {
	Task      string             `json:"task"`
	FewShot   int                `json:"fewshot"`
	Metrics   map[string]float64 `json:"metrics"` // "exact_match", "exact_match_stderr,strict-match", ...
	Documents []struct {
		Prompt string             `json:"prompt"`
		Text   string             `json:"text"`
		Taken  map[string]string  `json:"taken"`  // by filter
		Scores map[string]float64 `json:"scores"` // by metric, with the filter behind it where that is not "none"
	} `json:"documents"`
}

// ReadGenerate reads generate/golden.json.
func ReadGenerate(t testing.TB) (g Generate) {
	t.Helper()
	path := Dir(t, "generate", "golden.json")
	read(t, path, &g)
	checkFormat(t, path, g.Format)
	return g
}
