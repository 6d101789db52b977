package html

import (
	"regexp"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/chart"
)

// Every chart of a page is a figure, once; the same head's maps of all runs are one, with
// the tokens on its axes.
func TestFiguresAreThePagesCharts(t *testing.T) {
	p := twoRuns(t)
	figures, err := Figures(p)
	if err != nil {
		t.Fatal(err)
	}
	page := write(t, p)
	seen := map[string]bool{}
	for _, f := range figures {
		if seen[f.ID] {
			t.Errorf("%s is there twice", f.ID)
		}
		seen[f.ID] = true
		if len(f.Chart.Table().Rows) == 0 || f.Caption == "" {
			t.Errorf("%s: no numbers, or no caption", f.ID)
		}
	}
	for _, m := range regexp.MustCompile(`<figure id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !seen[m[1]] && !strings.HasPrefix(m[1], "map-") {
			t.Errorf("%s is on the page and no figure", m[1])
		}
	}
	if !seen["attention-1-3"] {
		t.Fatal("no attention map is a figure")
	}
	for _, f := range figures {
		if f.ID != "attention-1-3" {
			continue
		}
		svg := f.Chart.Scene(chart.WideWidth).Alone(chart.Light, 1)
		for _, want := range []string{">A softmax<", ">B softpick<", ">pass<", ">&lt;s&gt;<", ">Remember<"} {
			if n := strings.Count(svg, want); n == 0 || want[1] == 'p' && n != 4 { // on both axes of both runs
				t.Errorf("%d of %s in the figure of attention maps", n, want)
			}
		}
	}
}

// A figure of several series has its legend and what it measures in it.
func TestFiguresStandAlone(t *testing.T) {
	figures, err := Figures(twoRuns(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		if l, ok := f.Chart.(chart.Lines); ok && len(l.Series) > 1 {
			svg := f.Chart.Scene(chart.NarrowWidth).Alone(chart.Light, 1)
			for _, want := range []string{">A softmax<", ">B softpick<"} {
				if !strings.Contains(svg, want) {
					t.Errorf("%s: no %s", f.ID, want)
				}
			}
			if l.Y.Name == "" {
				t.Errorf("%s does not say what it measures", f.ID)
			}
		}
	}
}

// A legend without letters has no empty place for one.
func TestLegendsHaveNoEmptyLetter(t *testing.T) {
	if strings.Contains(write(t, courseOfRuns("a/step-10", "a/step-100", "a/step-1000", "b/step-10", "b/step-100", "b/step-1000")), "<strong></strong>") {
		t.Error("an empty letter")
	}
}

// The palette of figures is the pages' print style.
func TestThePaletteIsThePrintStyle(t *testing.T) {
	_, print, ok := strings.Cut(pageStyle, "@media print")
	if !ok {
		t.Fatal("the style has no print style")
	}
	value := func(hex string) string { // #abc is #aabbcc
		if len(hex) == 4 {
			return "#" + strings.Repeat(hex[1:2], 2) + strings.Repeat(hex[2:3], 2) + strings.Repeat(hex[3:4], 2)
		}
		return hex
	}
	for name, want := range chart.Light {
		m := regexp.MustCompile(`--` + name + `: (#[0-9a-f]+);`).FindStringSubmatch(print)
		if m == nil || value(m[1]) != want {
			t.Errorf("--%s is %q in print and %s in figures", name, m, want)
		}
	}
}
