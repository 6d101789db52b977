package lmeval

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
)

// TestGroups: a run's groups stand among the harness's results, under groups and in group_subtasks,
// and are groups where they are read again.
func TestGroups(t *testing.T) {
	metric := rundir.Metric{Name: "acc", Value: 0.5, Stderr: 0.1, N: 4, HigherIsBetter: true}
	run := &rundir.Run{
		Tasks: []rundir.TaskResult{{Name: "one", Kind: "multiple_choice", Documents: 4, Metrics: []rundir.Metric{metric}}},
		Groups: []rundir.GroupResult{
			{Name: "outer", Members: []string{"inner"}, Tasks: []string{"one"}},
			{Name: "inner", Alias: "In", Members: []string{"one"}, Tasks: []string{"one"}, Metrics: []rundir.GroupMetric{{Metric: metric, Weighted: true, Tasks: 1}}},
		},
	}
	run.Groups[1].Metrics[0].Stderr = rundir.Number(math.NaN())
	run.Settings.Tasks = []rundir.TaskSettings{{Name: "one", FewShot: 5, Version: "1.0"}}
	text, err := encode(resultsOf("m", run, map[string]string{"one": "h"}), " ")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Results, Groups map[string]map[string]any
		Subtasks        map[string][]string `json:"group_subtasks"`
		Shots           map[string]int      `json:"n-shot"`
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	in := got.Groups["inner"]
	if in["acc,none"] != 0.5 || in["acc_stderr,none"] != "N/A" || in["alias"] != "In" || got.Results["inner"]["acc,none"] != 0.5 || got.Shots["inner"] != 5 {
		t.Errorf("%s", text)
	}
	if _, ok := got.Groups["outer"]; ok || len(got.Subtasks["outer"]) != 1 || got.Subtasks["inner"][0] != "one" {
		t.Errorf("%v, %v", got.Groups, got.Subtasks)
	}
	back, _, err := parseResults(text)
	if err != nil || len(back.Tasks) != 1 || back.Tasks[0].Name != "one" {
		t.Fatalf("read again: %+v, %v", back, err)
	}
	if g := back.Groups; len(g) != 1 || g[0].Name != "inner" || !slices.Equal(g[0].Tasks, []string{"one"}) || len(g[0].Metrics) != 1 || g[0].Metrics[0].Value != 0.5 {
		t.Errorf("groups read again: %+v", g)
	}
}
