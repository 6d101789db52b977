package html

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softbench/softbench/reports/rundir"

	"github.com/softbench/softbench/reports/compare"
)

func write(t testing.TB, p Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func twoRuns(t testing.TB) Page {
	a, b := madeRun("softmax", 1, 200, 0), madeRun("softpick", 2, 200, 0.06)
	addDiagnostics(&a, 6, false)
	addDiagnostics(&b, 6, true)
	two.once.Do(func() { two.comparison = *compared(t, a, b) })
	c := two.comparison
	c.Metrics, c.Warnings, c.Notes = slices.Clone(c.Metrics), slices.Clone(c.Warnings), slices.Clone(c.Notes)
	return Page{Runs: []Run{a, b}, Comparison: &c, Softbench: "test"}
}

// two has the comparison of twoRuns, which is made once.
var two struct {
	once       sync.Once
	comparison compare.Comparison
}

func manyRuns(t testing.TB, n, docs int) Page {
	p := Page{Softbench: "test"}
	for k := range n {
		p.Runs = append(p.Runs, madeRun("step "+string(rune('a'+k)), uint64(k+5), docs, 0.02*float64(k)))
	}
	p.Comparison = compared(t, p.Runs...)
	return p
}

// largePage is a page about ten runs of ten thousand documents, with diagnostics. It takes seconds
// to make, and is not to be changed.
func largePage(t testing.TB) Page {
	large.once.Do(func() {
		p := &large.page
		ends := [2]Run{madeRun("step a", 5, 10_000/3, 0), madeRun("step j", 14, 10_000/3, 0.18)}
		for k := range 10 {
			r := ends[k/5] // the runs between have the samples of another, and all else of their own
			m := *r.Manifest
			r.Name, r.Manifest = "step "+string(rune('a'+k)), &m
			addDiagnostics(&r, 24, k > 4)
			r.Maps, _ = MapsOf(manyMaps(40), 10)
			p.Runs = append(p.Runs, r)
		}
		p.Comparison = comparedWith(t, compare.Options{Draws: 100}, p.Runs...)
	})
	return large.page
}

var large struct {
	once sync.Once
	page Page
}

// TestEveryNumberIsInTheJSON reads each page as a reader would: a number in its
// text must be marked with where the page's JSON has it, and be that number,
// rounded. A number in a chart must be one of the JSON's.
func TestEveryNumberIsInTheJSON(t *testing.T) {
	asked := twoRuns(t)
	asked.Comparison = comparedWith(t, compare.Options{Draws: 500, Effect: 0.02}, asked.Runs...)
	pages := map[string]Page{"one": {Runs: twoRuns(t).Runs[:1]}, "two": twoRuns(t), "six": manyRuns(t, 6, 60), "asked": asked}
	for name, p := range pages {
		t.Run(name, func(t *testing.T) {
			page := write(t, p)
			shown, faults := checkNumbers(page)
			for _, f := range faults {
				t.Error(f)
			}
			if shown < 100 {
				t.Errorf("only %d numbers on the page: the test looks at the wrong thing", shown)
			}
			t.Logf("%d numbers shown", shown)
		})
	}
}

// The check must see a number that was changed, one that points nowhere, one in
// prose, and one in a chart.
func TestTheNumberCheckSeesForgeries(t *testing.T) {
	page := write(t, twoRuns(t))
	if _, faults := checkNumbers(page); len(faults) > 0 {
		t.Fatal(faults[0])
	}
	data := regexp.MustCompile(`data-from="/runs/0/manifest/tasks/0/metrics/0/value">([0-9.]+)%`)
	if !data.MatchString(page) {
		t.Fatal("the page does not show the first metric")
	}
	option := regexp.MustCompile(`"id":"forest".*?"value":\[([-0-9.e]+),`)
	for name, forged := range map[string]string{
		"text":    data.ReplaceAllString(page, `data-from="/runs/0/manifest/tasks/0/metrics/0/value">99.9%`),
		"pointer": data.ReplaceAllString(page, `data-from="/runs/0/manifest/nothing">$1%`),
		"prose":   strings.Replace(page, "Paired by document", "41.5 of these, paired by document", 1),
		"chart":   page[:option.FindStringSubmatchIndex(page)[2]] + "0.123456" + page[option.FindStringSubmatchIndex(page)[3]:],
	} {
		if _, faults := checkNumbers(forged); len(faults) == 0 {
			t.Errorf("%s: a forged number went unseen", name)
		}
	}
}

// constants are the page's own numbers: of its method, not of any run.
var constants = strings.NewReplacer("95%", "", "from 0 to 100", "", "Gaussian has 3", "", "SHA-256", "", "log10", "")

var digits = regexp.MustCompile(`[0-9]`)

// checkNumbers returns how many numbers the page shows, and what is wrong with
// them or its charts'.
func checkNumbers(page string) (shown int, faults []string) {
	shown, faults = checkText(page)
	var tree any
	if err := decode(block(page, "report"), &tree); err != nil {
		return 0, []string{err.Error()}
	}
	return shown, append(faults, checkCharts(page, tree)...)
}

// checkText is checkNumbers of the page's text.
func checkText(page string) (shown int, faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	var tree any
	if err := decode(block(page, "report"), &tree); err != nil {
		return 0, []string{err.Error()}
	}
	d := xml.NewDecoder(strings.NewReader(scripts.ReplaceAllString(page, "")))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var stack []xml.StartElement
	quiet := 0 // elements around whose text is not a number of the page's
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return shown, append(faults, err.Error())
		}
		switch e := token.(type) {
		case xml.StartElement:
			stack = append(stack, e.Copy())
			if isQuiet(e) {
				quiet++
			}
		case xml.EndElement:
			if isQuiet(stack[len(stack)-1]) {
				quiet--
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			text := strings.TrimSpace(string(e))
			if len(stack) > 0 && stack[len(stack)-1].Name.Local == "data" {
				shown++
				if err := checkDatum(tree, stack[len(stack)-1], text); err != nil {
					fault("%q: %v", text, err)
				}
				continue
			}
			if quiet == 0 && digits.MatchString(constants.Replace(text)) {
				fault("a number in prose: %q", text)
			}
		}
	}
	return shown, faults
}

// isQuiet: drawings, of which only axes have text; names and texts of runs.
func isQuiet(e xml.StartElement) bool {
	class := attr(e, "class")
	for _, c := range strings.Fields(class) {
		if c == "code" || c == "name" {
			return true
		}
	}
	return e.Name.Local == "svg" || e.Name.Local == "title"
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func checkDatum(tree any, e xml.StartElement, text string) error {
	node, err := resolve(tree, attr(e, "data-from"))
	if err != nil {
		return err
	}
	n, ok := node.(json.Number)
	if !ok {
		return fmt.Errorf("%s is %v, no number", attr(e, "data-from"), node)
	}
	if n.String() != attr(e, "value") {
		return fmt.Errorf("value is %s, the JSON has %s", attr(e, "value"), n)
	}
	want, _ := n.Float64()
	if text == "<0.001" {
		if want >= 0.001 {
			return fmt.Errorf("JSON has %s", n)
		}
		return nil
	}
	plain := strings.NewReplacer("−", "-", "\u202f", "", "+", "", "%", "").Replace(text)
	got, err := strconv.ParseFloat(plain, 64)
	if err != nil {
		return err
	}
	// Rounded: off by at most half of the last place shown, as it is or in
	// percent.
	mantissa, exponent, _ := strings.Cut(plain, "e")
	_, fraction, _ := strings.Cut(mantissa, ".")
	power, _ := strconv.Atoi(exponent)
	half := 0.5*math.Pow(10, float64(power-len(fraction))) + 1e-9*math.Abs(got)
	if math.Abs(got-want) > half && math.Abs(got-100*want) > half {
		return fmt.Errorf("the JSON has %s", n)
	}
	return nil
}

func resolve(node any, pointer string) (any, error) {
	for _, step := range strings.Split(pointer, "/")[1:] {
		switch x := node.(type) {
		case map[string]any:
			v, ok := x[step]
			if !ok {
				return nil, fmt.Errorf("%s is not in the JSON", pointer)
			}
			node = v
		case []any:
			k, err := strconv.Atoi(step)
			if err != nil || k < 0 || k >= len(x) {
				return nil, fmt.Errorf("%s is not in the JSON", pointer)
			}
			node = x[k]
		default:
			return nil, fmt.Errorf("%s is not in the JSON", pointer)
		}
	}
	return node, nil
}

// checkCharts looks for each fractional number of the charts' series in the JSON.
func checkCharts(page string, tree any) (faults []string) {
	known := map[float64]bool{}
	walk(tree, func(n float64) { known[n] = true })
	var charts []struct {
		ID     string
		Option struct {
			Series []struct{ Data any }
		}
	}
	if err := decode(block(page, "charts"), &charts); err != nil {
		return []string{err.Error()}
	}
	if len(charts) == 0 {
		return []string{"no charts on the page"}
	}
	for _, c := range charts {
		for _, s := range c.Option.Series {
			walk(s.Data, func(n float64) {
				if n != math.Trunc(n) && !known[n] {
					faults = append(faults, fmt.Sprintf("chart %s: %v is not in the JSON", c.ID, n))
				}
			})
		}
	}
	return faults
}

func walk(node any, f func(float64)) {
	switch x := node.(type) {
	case map[string]any:
		for _, v := range x {
			walk(v, f)
		}
	case []any:
		for _, v := range x {
			walk(v, f)
		}
	case json.Number:
		n, _ := x.Float64()
		f(n)
	}
}

var scripts = regexp.MustCompile(`(?s)<(script|style)[ >].*?</(script|style)>|<!doctype html>`)

// block is the content of the page's JSON element with an id.
func block(page, id string) string {
	_, rest, ok := strings.Cut(page, `<script type="application/json" id="`+id+`">`)
	if !ok {
		return ""
	}
	text, _, _ := strings.Cut(rest, "</script>")
	return text
}

func decode(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

// What a text holds must not become markup, script, or the end of a script.
func TestHostileTextsComeOutAsText(t *testing.T) {
	page := write(t, hostilePage(t))
	for _, bad := range []string{"<script>alert", "<img src=x", "</title><", "\x00", "\x1b", "\x7f", "\u009b", "\u202e", "\u2067", "<!--"} {
		text := page
		if bad >= "\x7f" { // a JSON string may hold it, the page's text not
			text = scripts.ReplaceAllString(page, "")
		}
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if got, want := strings.Count(page, "</script"), 3; got != want {
		t.Errorf("%d scripts end in the page, want %d", got, want)
	}
	var d struct {
		Runs  []struct{ Name string }
		Flips struct {
			Shown []struct{ Context string }
		}
	}
	if err := json.Unmarshal([]byte(block(page, "report")), &d); err != nil {
		t.Fatal(err)
	}
	if d.Runs[1].Name != hostile || d.Flips.Shown[0].Context != hostile {
		t.Errorf("the JSON has %q and %q, want the text as it was", d.Runs[1].Name, d.Flips.Shown[0].Context)
	}
}

const hostile = `</script><script>alert(1)</script><img src=x onerror="alert(2)">'"` + "\x00\x1b[31m\u202e\u009b2J\u2067\x7f\u2028<!-- </title><b> {{.}} &amp; ${x}"

// hostilePage has the hostile text wherever a run has one.
func hostilePage(t testing.TB) Page {
	a, b := madeRun(hostile, 1, 30, 0), madeRun(hostile, 2, 30, 0.2)
	for _, r := range []*Run{&a, &b} {
		r.Manifest.Model.Type, r.Manifest.Model.Tokenizer = hostile, hostile
		r.Manifest.Notes = []string{hostile}
		r.Manifest.Process.Directory, r.Manifest.Process.Files[0].Path = hostile, hostile
		r.Manifest.Tasks[0].Name = hostile
		r.Manifest.Settings.Tasks[0].Name = hostile
		addDiagnostics(r, 2, true)
		r.Maps[0].Tokens[1] = hostile
		for k := range r.Samples {
			s := &r.Samples[k]
			if s.Task == "arc_easy" {
				s.Task = hostile
			}
			for _, text := range []*string{s.Context, s.Choice, s.Continuation, s.Generated} {
				if text != nil {
					*text = hostile
				}
			}
		}
	}
	b.Manifest.Settings.DType = hostile
	c := compared(t, a, b)
	c.Warnings = []string{hostile}
	c.Metrics[0].Warnings = []string{hostile}
	return Page{Runs: []Run{a, b}, Comparison: c, Softbench: hostile}
}

// Values that are not numbers, and runs that lack parts, must not stop a report.
func TestPagesOfPartialRuns(t *testing.T) {
	empty := Run{Name: "empty", Manifest: &rundir.Run{}}
	full := madeRun("full", 1, 10, 0)
	noNumbers := madeRun("none", 2, 10, 0)
	for t := range noNumbers.Manifest.Tasks {
		for m := range noNumbers.Manifest.Tasks[t].Metrics {
			x := &noNumbers.Manifest.Tasks[t].Metrics[m]
			x.Value, x.Low, x.High, x.Stderr = rundir.Number(nan), rundir.Number(nan), rundir.Number(nan), rundir.Number(nan)
		}
	}
	for i := range noNumbers.Samples {
		if noNumbers.Samples[i].LogLikelihood != nil {
			noNumbers.Samples[i].LogLikelihood = p(math.Inf(-1))
		}
	}
	for name, runs := range map[string][]Run{
		"empty": {empty}, "empty and full": {empty, full}, "full and empty": {full, empty}, "no numbers": {full, noNumbers},
		"the same": {full, full}, "three": {full, empty, noNumbers},
	} {
		page := write(t, Page{Runs: runs, NotCompared: "for a test"})
		if _, faults := checkNumbers(page); len(faults) > 0 && len(runs[0].Manifest.Tasks) > 0 {
			t.Errorf("%s: %s", name, faults[0])
		}
		if strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
			t.Errorf("%s: the page shows a NaN or an infinity", name)
		}
	}
}

// A page says which intervals are of clusters, and which runs do not know theirs.
func TestPageSaysClusters(t *testing.T) {
	run, old := madeRun("new", 1, 40, 0), madeRun("old", 2, 40, 0)
	old.Manifest.Schema = 1
	for i := range old.Manifest.Tasks {
		old.Manifest.Tasks[i].ClusteredBy, old.Manifest.Tasks[i].Metrics[0].Clusters = "", 0
	}
	for name, c := range map[string]struct {
		run           Run
		clusters, old bool
	}{"new": {run, true, false}, "old": {old, false, true}} {
		page := write(t, Page{Runs: []Run{c.run}})
		if strings.Contains(page, "their intervals are of the clusters") != c.clusters || strings.Contains(page, "an earlier version of softbench wrote this run") != c.old {
			t.Errorf("%s: the page does not say so, or says it of another run", name)
		}
	}
}

func TestBadPagesAreRefused(t *testing.T) {
	damaged := madeRun("damaged", 1, 10, 0)
	for i := range damaged.Samples {
		if damaged.Samples[i].Kind == "rolling_perplexity" {
			damaged.Samples[i].PositionTokens = damaged.Samples[i].PositionTokens[:3]
			break
		}
	}
	crooked := madeRun("crooked", 1, 10, 0)
	addDiagnostics(&crooked, 2, false)
	crooked.Maps[0].Weights[0] = []float64{0.5, 0.5}
	for name, c := range map[string]struct {
		page Page
		want string
	}{
		"no runs":     {Page{}, "at least one run"},
		"no manifest": {Page{Runs: []Run{{Name: "x"}}}, "no manifest"},
		"positions":   {Page{Runs: []Run{damaged}}, "by position"},
		"map":         {Page{Runs: []Run{crooked}}, "attention map of layer 1 head 3"},
	} {
		var b bytes.Buffer
		err := Write(&b, c.page)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", name, err, c.want)
		}
		if b.Len() > 0 {
			t.Errorf("%s: %d bytes of a page were written", name, b.Len())
		}
	}
}

// Ten runs of ten thousand documents: the page has a bound, whatever the runs
// have, and takes a tenth of its ten seconds.
func TestLargeReportStaysSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 100,000 documents")
	}
	p := largePage(t)
	for i := range p.Runs {
		if len(p.Runs[i].Maps) == 0 {
			t.Error("no attention map of ten runs has room")
		}
	}
	start := time.Now()
	page := write(t, p)
	took := time.Since(start)
	documents := 0
	for _, task := range p.Runs[0].Manifest.Tasks {
		documents += task.Documents
	}
	t.Logf("10 runs of %d documents: %.1f MB in %v", documents, float64(len(page))/1e6, took.Round(10*time.Millisecond))
	if took > 10*time.Second {
		t.Errorf("built in %v, want at most 10 s", took)
	}
	if documents < 10_000 {
		t.Errorf("only %d documents a run", documents)
	}
	if limit := 15<<20 - int(Pinned.Size); len(page) > limit {
		t.Errorf("%d bytes, want at most %d beside ECharts", len(page), limit)
	}
	if strings.Contains(page, `"total":0,`) {
		t.Error("no document flipped: the page is small for want of content")
	}
}

// Texts of any length and kind stay within the page's bound, and the page says
// that it has not all of them.
func TestLongTextsStaySmall(t *testing.T) {
	long := strings.Repeat("<&\x01", 5000) // six bytes each in JSON
	a, b := madeRun("a", 1, 1500, 0), madeRun("b", 2, 1500, 0.3)
	for _, r := range []Run{a, b} {
		for i := range r.Samples {
			if r.Samples[i].Context != nil {
				r.Samples[i].Context = &long
			}
		}
	}
	page := write(t, Page{Runs: []Run{a, b}})
	if limit := 15<<20 - int(Pinned.Size); len(page) > limit {
		t.Errorf("%d bytes, want at most %d beside ECharts", len(page), limit)
	}
	if !strings.Contains(page, " of them, the first of each task, to stay small") {
		t.Error("the page does not say that it left documents out")
	}
	if _, faults := checkNumbers(page); len(faults) > 0 {
		t.Error(faults[0])
	}
}

// The same runs give the same bytes.
func TestPageIsDeterministic(t *testing.T) {
	first, second := write(t, twoRuns(t)), write(t, twoRuns(t))
	if first != second {
		t.Error("two pages of the same runs differ")
	}
}
