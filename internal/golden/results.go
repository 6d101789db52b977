package golden

import "testing"

// Results is what lm-evaluation-harness made of tasks from end to end.
type Results struct {
	Format int         `json:"format"`
	Runs   []ResultRun `json:"runs"`
}

// ResultRun is a run of one task or group.
type ResultRun struct {
	Name    string `json:"name"`
	FewShot *int   `json:"fewshot"` // nil: as the tasks say
	Real    bool   `json:"real"`    // of the harness's own task files, else of results/
	Data    []struct {
		Path   string   `json:"path"`
		Config string   `json:"config"`
		Shape  string   `json:"shape"`
		Splits []string `json:"splits"`
	} `json:"data"` // data sets of made-up values
	Tasks []struct {
		Task      string              `json:"task"`
		Metrics   map[string]*float64 `json:"metrics"` // nil: not a number
		Documents []ResultDocument    `json:"documents"`
	} `json:"tasks"`
	Groups []struct {
		Group   string              `json:"group"`
		Metrics map[string]*float64 `json:"metrics"`
	} `json:"groups"`
}

// ResultDocument is one document's answers and scores.
type ResultDocument struct {
	Prompt         string             `json:"prompt"` // hash; "" where requests have several
	LogLikelihoods []float64          `json:"lls"`
	Greedy         string             `json:"greedy"` // 0 or 1 of each request
	Text           *string            `json:"text"`   // generated
	Taken          map[string]string  `json:"taken"`  // by filter
	Scores         map[string]float64 `json:"scores"` // by metric, with the filter behind it where that is not "none"
}

// ReadResults reads results/golden.json.
func ReadResults(t testing.TB) (r Results) {
	t.Helper()
	path := Dir(t, "results", "golden.json")
	read(t, path, &r)
	checkFormat(t, path, r.Format)
	return r
}
