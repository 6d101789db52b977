package study

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	figures "github.com/softbench/softbench/reports/text"
)

// tables are those of the documents that are made from the record: of a study, a
// table of its verdicts, where it has several seeds, and tables of what every
// seed ended with.
var tables = []struct {
	document, study string
	verdicts        bool
	measures        [][]string // of each table
}{
	{"twins.md", "sinks", true, [][]string{
		{"loss", "copying", "step_of_copying", "sink_half", "sink_rate", "sink_rate.chain", "first_weight"},
		{"sparsity", "mass", "dead_heads", "kurtosis.0", "kurtosis.1", "first_norm", "largest"},
	}},
	{"twins.md", "half", false, beside},
	{"twins.md", "half-gain", false, beside},
	{"twins.md", "half-repeat", false, append(beside, []string{"exam.kept.rtn:4", "exam.kept.hqq:4", "exam.kept.rtn:3", "exam.kept.hqq:3", "exam.kept.rtn:2", "exam.kept.hqq:2"})},
	{"twins.md", "again", false, [][]string{
		{"loss", "loss.text", "copying", "copying.again", "copying.repeat", "sink_rate", "sink_rate.text", "sink_rate.chain", "first_weight"},
		{"sparsity", "mass", "inner_kurtosis", "first_norm", "largest"},
	}},
	{"twins.md", "curriculum", false, [][]string{
		{"loss", "loss.text", "copying", "copying.again", "copying.repeat", "step_of_copying", "sink_rate", "sink_rate.text", "sink_rate.chain"},
		{"first_weight", "sparsity", "mass", "inner_kurtosis", "first_norm", "largest", "exam.span_32", "exam.span_64", "exam.span_128"},
		{"exam.kept.rtn:4", "exam.kept.hqq:4", "exam.kept.rtn:3", "exam.kept.hqq:3", "exam.kept.rtn:2", "exam.kept.hqq:2"},
	}},
	{"remedies.md", "remedies", true, [][]string{
		{"loss", "copying", "step_of_copying", "sink_rate", "sink_rate.chain", "first_weight"},
		{"sparsity", "mass", "dead_heads", "kurtosis.0", "kurtosis.1", "first_norm", "largest"},
		{"exam.span_32", "exam.span_64", "exam.span_128"},
		{"exam.kept.rtn:4", "exam.kept.hqq:4", "exam.kept.nf4", "exam.kept.rtn:3", "exam.kept.hqq:3", "exam.kept.rtn:2", "exam.kept.hqq:2"},
	}},
}

// beside are what docs/twins.md has of trainings on text beside exercises.
var beside = [][]string{
	{"loss", "loss.text", "copying", "step_of_copying", "sink_rate", "sink_rate.text", "sink_rate.chain", "first_weight"},
	{"sparsity", "mass", "inner_kurtosis", "first_norm", "largest", "exam.span_32", "exam.span_64", "exam.span_128"},
}

// TestTablesAreTheRecords: every number of the documents' tables is the record's.
// Where one is not, the test prints the table as it has to be.
func TestTablesAreTheRecords(t *testing.T) {
	for _, doc := range tables {
		page, err := os.ReadFile("../../docs/" + doc.document)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Read("../studies/"+doc.study+".yaml", presets)
		if err != nil {
			t.Fatal(err)
		}
		all, err := s.Progress(context.Background(), Options{Out: t.TempDir(), Record: "../studies/record.jsonl"})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		if doc.verdicts {
			want = append(want, verdictTable(t, s, all))
		}
		for _, names := range doc.measures {
			want = append(want, seedTable(t, s, all, names))
		}
		for _, table := range want {
			if !strings.Contains(string(page), table) {
				t.Errorf("docs/%s has not this table of the study %s:\n%s", doc.document, doc.study, table)
			}
		}
	}
}

// trained says of a cell's seeds which of them are trained to the end.
func trained(s *Study, all []Training, cell int) []bool {
	done := make([]bool, len(s.Seeds))
	for _, t := range all {
		if k := slices.Index(s.Seeds, t.Seed); t.Cell == cell {
			done[k] = t.Done
		}
	}
	return done
}

// seedTable has a row for each cell that is trained, with the seeds' last numbers.
func seedTable(t *testing.T, s *Study, all []Training, names []string) string {
	t.Helper()
	head, rule := "| kind |", "| --- |"
	var found []Measure
	for _, name := range names {
		m, err := s.findMeasure(name)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, m)
		head, rule = head+" "+strings.TrimPrefix(strings.TrimPrefix(name, "exam."), "kept.")+" |", rule+" --- |"
	}
	rows := head + "\n" + rule + "\n"
	for i, cell := range s.Cells {
		done := trained(s, all, i)
		if !slices.Contains(done, true) {
			continue
		}
		rows += "| " + strings.TrimPrefix(cell.Name, "attention=") + " |"
		for _, m := range found {
			var seeds []string
			for k, x := range s.finals(all, i, &m) {
				if done[k] {
					seeds = append(seeds, shownNumber(x, m.Share))
				}
			}
			if m.Share {
				seeds[len(seeds)-1] += " %"
			}
			rows += " " + strings.Join(seeds, ", ") + " |"
		}
		rows += "\n"
	}
	return rows
}

// verdictTable has a row for each claim about each cell.
func verdictTable(t *testing.T, s *Study, all []Training) string {
	t.Helper()
	r, err := s.Summarise(all)
	if err != nil {
		t.Fatal(err)
	}
	rows := "| claim | condition | mean and 95 % interval over seeds | verdict |\n| --- | --- | --- | --- |\n"
	for _, v := range r.Verdicts {
		unit := ""
		if v.Share {
			unit = " %"
		}
		rows += fmt.Sprintf("| %s | %s | %s [%s, %s]%s | %s |\n", v.Claim.Text, v.Claim.Condition(),
			shownNumber(float64(v.Mean), v.Share), shownNumber(float64(v.Low), v.Share), shownNumber(float64(v.High), v.Share), unit, v.Words())
	}
	return rows
}

func shownNumber(x float64, share bool) string {
	switch {
	case math.IsNaN(x):
		return "-"
	case share:
		return strings.Replace(fmt.Sprintf("%.1f", 100*x), "-0.0", "0.0", 1)
	case x == math.Trunc(x) && math.Abs(x) < 1e6:
		return fmt.Sprintf("%.0f", x)
	case math.Abs(x) < 10:
		return fmt.Sprintf("%.3f", x)
	}
	return figures.Figures(x)
}
