package export

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/text"
)

// hostile names would break out of a table, run as a formula or a script, move a
// cursor, or notify somebody.
var hostile = []string{
	"a|b", "a & b \\\\ \\hline", "**bold** _it_ `code` ~s~", "<script>alert(1)</script>", "@someone #12 ](http://evil.example) ![x](y)",
	"=HYPERLINK(\"http://evil.example\")", "+1", "-2+3", "@SUM(1)", "a,b;\"c\"", "line\nbreak\r\n| x |", "tab\there", "\x1b[31mred\x00", "100% $x$ {y} ^z ~w #1",
	"\\input{/etc/passwd}", "[2] * --- ``q'' \"d\"", "right\u202eleft", "| --- |", "\xff\xfe", "中文 ü 🎉",
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("SOFTBENCH_UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
	}
}

func made(t *testing.T, sides []*compare.Side) *Table {
	t.Helper()
	table, err := Make(sides, compare.Options{Draws: 500}, Choice{})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func written(t *testing.T, write func(b *strings.Builder) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func markdown(t *testing.T, table *Table) string {
	return written(t, func(b *strings.Builder) error { return table.WriteMarkdown(b) })
}

func latex(t *testing.T, table *Table) string {
	return written(t, func(b *strings.Builder) error { return table.WriteLaTeX(b) })
}

// The three tables in full. SOFTBENCH_UPDATE=1 writes them anew.
func TestTables(t *testing.T) {
	sides := threeSides(t, "base", "better_one", "worse & 50%")
	table := made(t, sides)
	golden(t, "table.md", markdown(t, table))
	golden(t, "table.tex", latex(t, table))
	golden(t, "table.csv", written(t, func(b *strings.Builder) error { return WriteCSV(b, sides) }))
}

// In each row the best value is bold where it is shown to be better than the first run's, or is the
// first run's and all others are shown to be worse, and no other; and a mark stands exactly where
// the comparison with the first run has a verdict.
func TestBoldAndMarks(t *testing.T) {
	sides := threeSides(t, "one", "two", "three")
	table := made(t, sides)
	md := strings.Split(markdown(t, table), "\n")
	tex := strings.Split(latex(t, table), "\n")
	marks, bold, plain := 0, 0, 0
	for i, row := range table.Rows {
		best := 0
		for k, c := range row.Cells {
			if b := row.Cells[best].Value; c.Value != b && (c.Value > b) == row.HigherIsBetter {
				best = k
			}
		}
		mdCells := strings.Split(strings.Trim(md[2+i], "| "), " | ")[2:]
		texCells := strings.Split(strings.TrimSuffix(tex[4+i], ` \\`), " & ")[2:]
		for k, c := range row.Cells {
			m, err := compare.Compare(sides[0], sides[k], compare.Options{Draws: 500})
			if err != nil {
				t.Fatal(err)
			}
			want := row.show(k)
			wantTex := want
			shown := row.Cells[best].Mark == compare.Better || best == 0 && row.Cells[1].Mark == compare.Worse && row.Cells[2].Mark == compare.Worse
			if shown {
				bold++
			} else {
				plain++
			}
			if k == best && shown {
				want, wantTex = "**"+want+"**", `\textbf{`+want+"}"
			}
			switch m.Metrics[i].Verdict {
			case compare.Better:
				want, wantTex = want+"†", wantTex+`$^{\dagger}$`
				marks++
			case compare.Worse:
				want, wantTex = want+"‡", wantTex+`$^{\ddagger}$`
				marks++
			}
			if mdCells[k] != want || texCells[k] != wantTex {
				t.Errorf("%s %s of %s is %q and %q, want %q and %q", row.Task, row.Metric, table.Runs[k], mdCells[k], texCells[k], want, wantTex)
			}
			if c.N != 150 {
				t.Errorf("%d documents", c.N)
			}
		}
	}
	if bold == 0 || plain == 0 {
		t.Errorf("%d cells of rows with a bold value, %d without", bold, plain)
	}
	if marks < 6 {
		t.Errorf("%d marks: the runs were made to differ", marks)
	}
	// Equal runs: none is shown to be the best, none has a mark, and the table says so.
	run, rows := madeRun(1, 50, 0.5)
	same := made(t, []*compare.Side{side(t, "a", run, rows), side(t, "b", run, rows)})
	if out := markdown(t, same); strings.Contains(out, "**") || strings.ContainsAny(out, "†‡") || !strings.Contains(out, "No difference from a is shown") {
		t.Error(out)
	}
	// One run has nothing to be better than.
	if out := markdown(t, made(t, sides[:1])); strings.Contains(out, "**") || strings.Contains(out, "ifference") {
		t.Error(out)
	}
}

// What is missing or infinite is a dash, and never the best.
func TestMissing(t *testing.T) {
	for _, higher := range []bool{true, false} {
		row := Row{HigherIsBetter: higher, Cells: []Cell{{Value: math.Inf(1)}, {Value: math.NaN()}, {Value: 3, Mark: compare.Better}, {Value: math.Inf(-1)}, {Value: 3.00001, Mark: compare.Better}}}
		row.best()
		for k, want := range []string{"–", "–", "3.0000", "–", "3.0000"} {
			if row.show(k) != want || row.Cells[k].Best != (want != "–") {
				t.Errorf("cell %d is %q, best %t", k, row.show(k), row.Cells[k].Best)
			}
		}
	}
	row := Row{Cells: []Cell{{Value: 9.87654}, {Value: 12.3, Mark: compare.Worse}, {Value: 9.876, Mark: compare.Better}}}
	if row.best(); row.show(0) != "9.88" || row.show(1) != "12.30" || !row.Cells[0].Best || row.Cells[1].Best || !row.Cells[2].Best {
		t.Errorf("%s and %s in one row: %+v", row.show(0), row.show(1), row.Cells)
	}
	row = Row{Cells: []Cell{{Value: math.NaN()}, {Value: math.Inf(1)}}}
	if row.best(); row.Cells[0].Best || row.Cells[1].Best {
		t.Error("nothing is the best")
	}
}

// Names come out as text in every format: no cell more, no line more, no markup.
func TestHostileNames(t *testing.T) {
	run, rows := madeRun(1, 12, 0.5)
	unescaped := regexp.MustCompile(`(^|[^\\])[&%$#_{}~^]`)
	command := regexp.MustCompile(`\\[a-zA-Z]+`)
	known := map[string]bool{`\begin`: true, `\end`: true, `\toprule`: true, `\midrule`: true, `\bottomrule`: true, `\textbf`: true,
		`\uparrow`: true, `\downarrow`: true, `\dagger`: true, `\ddagger`: true, `\textasciitilde`: true, `\textasciicircum`: true,
		`\textbackslash`: true, `\textless`: true, `\textgreater`: true, `\textbar`: true, `\textasciigrave`: true, `\char`: true}
	for _, name := range hostile {
		sides := []*compare.Side{side(t, "plain", run, rows), side(t, name, run, rows)}
		sides[1].Tasks[0].Name, sides[0].Tasks[0].Name = name, name
		table := made(t, sides)

		for i, line := range strings.Split(strings.TrimSuffix(markdown(t, table), "\n"), "\n") {
			bare := strings.ReplaceAll(line, `\\`, "")
			for _, c := range "|*_`[]<>@~#!$(){}" {
				bare = strings.ReplaceAll(bare, `\`+string(c), "")
			}
			if i < 2+len(table.Rows) && strings.Count(bare, "|") != 5 {
				t.Errorf("%q: a Markdown row of %d cells: %s", name, strings.Count(bare, "|")-1, line)
			}
			if i == 0 && strings.ContainsAny(bare, "*_`[]<>@~#!$") && !strings.Contains(bare, "&#") || strings.ContainsAny(bare, "<>`@") || strings.Contains(bare, "://") {
				t.Errorf("%q: Markdown has markup: %s", name, line)
			}
		}
		if n := strings.Count(markdown(t, table), "\n"); n != 2+len(table.Rows)+2 {
			t.Errorf("%q: %d lines of Markdown", name, n)
		}

		out := latex(t, table)
		for _, c := range command.FindAllString(strings.ReplaceAll(out, `\\`, ""), -1) {
			if !known[c] {
				t.Errorf("%q: LaTeX has a command %s", name, c)
			}
		}
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		if len(lines) != 6+len(table.Rows) {
			t.Errorf("%q: %d lines of LaTeX", name, len(lines))
		}
		for _, line := range lines[2 : len(lines)-2] {
			if line == `\midrule` {
				continue
			}
			bare := strings.ReplaceAll(line, `\&`, "")
			if strings.Count(bare, "&") != 3 || !strings.HasSuffix(line, ` \\`) || strings.Contains(strings.TrimSuffix(line, `\\`), `\\`) {
				t.Errorf("%q: a LaTeX row: %s", name, line)
			}
			if regexp.MustCompile(`^\s*[[*]`).MatchString(line) {
				t.Errorf("%q: a LaTeX row that begins with an argument: %s", name, line)
			}
		}
		escaped := LaTeX(name)
		for _, c := range []string{`\textasciitilde{}`, `\textasciicircum{}`, `\textbackslash{}`, `\textless{}`, `\textgreater{}`, `\textbar{}`, `\textasciigrave{}`, `\char34{}`, "{[}", "{]}", "{*}", "-{}"} {
			escaped = strings.ReplaceAll(escaped, c, "")
		}
		if m := unescaped.FindString(escaped); m != "" || regexp.MustCompile(`\\[^&%$#_{}]`).MatchString(escaped) {
			t.Errorf("%q: LaTeX has %q in %s", name, m, escaped)
		}

		records, err := csv.NewReader(strings.NewReader(written(t, func(b *strings.Builder) error { return WriteCSV(b, sides) }))).ReadAll()
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if len(records) != 1+2*len(table.Rows) {
			t.Errorf("%q: %d records", name, len(records))
		}
		found := false
		for _, r := range records[1:] {
			found = found || strings.TrimPrefix(r[0], "'") == text.Printable(name)
			for k, cell := range r[:3] {
				if cell == "" || strings.ContainsAny(cell[:1], "=+-@\t\r") || strings.ContainsAny(cell, "\n\r\x1b\x00") {
					t.Errorf("%q: cell %d is %q", name, k, cell)
				}
			}
		}
		if !found {
			t.Errorf("%q is not the name in the CSV: %q", name, records[len(records)-1][0])
		}
	}
}

// Numbers in the CSV are the runs' to the last bit, and those that are none are
// empty.
func TestCSVIsFullPrecision(t *testing.T) {
	run, rows := madeRun(3, 33, 0.55)
	s := side(t, "r", run, rows)
	records, err := csv.NewReader(strings.NewReader(written(t, func(b *strings.Builder) error { return WriteCSV(b, []*compare.Side{s}) }))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	next := 1
	for _, task := range run.Tasks {
		for _, m := range task.Metrics {
			r := records[next]
			next++
			if r[1] != task.Name || r[2] != m.Name || r[3] != "33" || r[8] != strconv.FormatBool(m.HigherIsBetter) {
				t.Errorf("%q, want %s %s", r, task.Name, m.Name)
			}
			for k, want := range []float64{float64(m.Value), float64(m.Stderr), float64(m.Low), float64(m.High)} {
				got, err := strconv.ParseFloat(r[4+k], 64)
				if math.IsNaN(want) && r[4+k] == "" {
					continue
				}
				if err != nil || got != want {
					t.Errorf("%s %s: %q, want %v", task.Name, m.Name, r[4+k], want)
				}
			}
		}
	}
	if next != len(records) {
		t.Errorf("%d records", len(records))
	}
}

// Runs that did not do the same make no table, and the error names them.
func TestIncomparableRunsMakeNoTable(t *testing.T) {
	sides := threeSides(t, "one", "two", "three")
	sides[2].MustMatch["max_length"] = "512"
	_, err := Make(sides, compare.Options{Draws: 100}, Choice{})
	if err == nil || !strings.Contains(err.Error(), "one and three") || !strings.Contains(err.Error(), "max_length is 256 in A and 512 in B") {
		t.Errorf("%v", err)
	}
}
