package compare

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/rundir"
)

// Incomparable says why two runs cannot be compared.
type Incomparable struct{ Reasons []string }

func (e *Incomparable) Error() string {
	return "the runs cannot be compared: " + strings.Join(e.Reasons, "; ")
}

// Setting is a setting that differs.
type Setting struct {
	Task string `json:"task,omitempty"` // "" for one of the whole run
	Name string `json:"name"`
	A    string `json:"a"`
	B    string `json:"b"`
}

func (s Setting) String() string { return s.in([2]string{"A", "B"}) }

// in is String with names for the runs.
func (s Setting) in(names [2]string) string {
	a, b := s.values()
	text := fmt.Sprintf("%s is %s in %s and %s in %s", s.Name, a, names[0], b, names[1])
	if s.Task != "" {
		return "task " + s.Task + ": " + text
	}
	return text
}

// values are both values as they are shown: short, but never alike.
func (s Setting) values() (a, b string) {
	if a, b = shorten(s.A), shorten(s.B); a == b {
		return strconv.Quote(s.A), strconv.Quote(s.B)
	}
	return a, b
}

// shorten keeps as much of a hash as tells it from others.
func shorten(s string) string {
	if len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" {
		return s[:12]
	}
	if s == "" {
		return "empty"
	}
	return s
}

// differing lists settings that both sides know and that differ, by name.
func differing(task string, a, b map[string]string) []Setting {
	var out []Setting
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if other, ok := b[name]; ok && other != a[name] {
			out = append(out, Setting{task, name, a[name], b[name]})
		}
	}
	return out
}

// Check refuses, with an *Incomparable, sides that cannot be compared by what is known
// before one of them is computed: its settings, and where it has tasks, their settings
// and documents.
func Check(a, b *Side, o Options) error {
	o.Names = [2]string{cmp.Or(o.Names[0], "A"), cmp.Or(o.Names[1], "B")}
	if len(a.Tasks) == 0 && len(b.Tasks) == 0 {
		if reasons := append(unlike(a, b, o), otherDiagnostics(a, b, o)...); len(reasons) > 0 {
			return &Incomparable{reasons}
		}
		return nil
	}
	a, b, _, err := rename(a, b, o)
	if err == nil {
		_, _, err = pair(a, b, o)
	}
	if reasons := otherDiagnostics(a, b, o); err == nil && len(reasons) > 0 {
		return &Incomparable{reasons}
	}
	return err
}

// otherDiagnostics are why diagnostics that are yet to be computed could not be set
// beside the other side's; none where they may be left out.
func otherDiagnostics(a, b *Side, o Options) []string {
	x, y := a.diagnostics(), b.diagnostics()
	if x == nil || y == nil || o.Intersect {
		return nil
	}
	if what := otherSamples(x, y, o.Names); what != "" {
		return []string{"the diagnostics are of other samples: " + what + " (--intersect compares the rest)"}
	}
	return nil
}

// nothingInCommon says why sides without a common task cannot be compared; nothing
// where diagnostics can be.
func nothingInCommon(a, b *Side, o Options) []string {
	x, y := a.diagnostics(), b.diagnostics()
	if x == nil || y == nil {
		reason := "they have no task in common"
		for i, d := range []*rundir.DiagnosticsSettings{x, y} {
			if d != nil {
				reason += ", and only " + o.Names[i] + " has diagnostics"
			}
		}
		return []string{reason}
	}
	if what := otherSamples(x, y, o.Names); what != "" {
		return []string{"they have no task in common, and the diagnostics are of other samples: " + what}
	}
	return nil
}

// unlike lists the settings of the whole runs that must be the same and are not.
func unlike(a, b *Side, o Options) (reasons []string) {
	mustA, mustB := ByContent(a.MustMatch, b.MustMatch)
	if a.Format != b.Format { // a run of softbench asks without a chat template
		for _, must := range []map[string]string{mustA, mustB} {
			if _, ok := must[chatTemplate]; !ok {
				must[chatTemplate] = ""
			}
		}
	}
	for _, s := range differing("", mustA, mustB) {
		reasons = append(reasons, s.in(o.Names))
	}
	return reasons
}

// taskPair is a task that both sides have, with its documents paired.
type taskPair struct {
	a, b  *Task
	by    int      // which key paired the documents
	pairs [][2]int // indices into a's and b's documents, in the order of the key
	// clusters of the pairs, "" for a pair that stands alone.
	clusters []string
	notes    []string
}

// pair finds what both sides have and refuses what is not the same; to
// intersect, tasks and documents that only one side has are left out with a note.
func pair(a, b *Side, o Options) (pairs []taskPair, notes []string, err error) {
	reasons := unlike(a, b, o)
	alone := func(side string, tasks []string) {
		switch {
		case len(tasks) == 0:
		case o.Intersect:
			notes = append(notes, fmt.Sprintf("only %s has %s: left out", side, strings.Join(tasks, ", ")))
		default:
			reasons = append(reasons, fmt.Sprintf("only %s has %s (--intersect compares what both have)", side, strings.Join(tasks, ", ")))
		}
	}
	var onlyA, onlyB []string
	for i := range a.Tasks {
		ta := &a.Tasks[i]
		tb := b.Task(ta.Name)
		if tb == nil {
			onlyA = append(onlyA, ta.Name)
			continue
		}
		mustA, mustB := ByContent(ta.MustMatch, tb.MustMatch)
		if set := differing(ta.Name, mustA, mustB); len(set) > 0 {
			for _, s := range set {
				reason := s.in(o.Names)
				if s.Name == "version" {
					reason += versionHint(ta, tb)
				}
				reasons = append(reasons, reason)
			}
			continue
		}
		p, err := pairDocuments(ta, tb, o)
		if err != nil {
			reasons = append(reasons, fmt.Sprintf("task %s: %v", ta.Name, err))
			continue
		}
		pairs = append(pairs, p)
	}
	for i := range b.Tasks {
		if a.Task(b.Tasks[i].Name) == nil {
			onlyB = append(onlyB, b.Tasks[i].Name)
		}
	}
	alone(o.Names[0], onlyA)
	alone(o.Names[1], onlyB)
	if len(reasons) == 0 && len(pairs) == 0 {
		reasons = nothingInCommon(a, b, o)
	}
	if hint := mapHint(a, b, onlyA, onlyB); hint != "" && len(reasons) > 0 {
		reasons = append(reasons, hint)
	}
	if len(reasons) > 0 {
		return nil, nil, &Incomparable{reasons}
	}
	return pairs, notes, nil
}

// pairDocuments pairs by the first kind of key by which all documents pair up,
// else, to intersect, by the one that pairs most. Documents of the same key pair
// in the order of their numbers.
func pairDocuments(a, b *Task, o Options) (taskPair, error) {
	best := taskPair{a: a, b: b, by: -1}
	for by := range keyKinds {
		if !named(a, by) || !named(b, by) {
			continue
		}
		pairs := match(a, b, by)
		if best.by < 0 || len(pairs) > len(best.pairs) {
			best.by, best.pairs = by, pairs
		}
	}
	onlyA, onlyB := len(a.Documents)-len(best.pairs), len(b.Documents)-len(best.pairs)
	switch {
	case best.by < 0:
		return best, errors.New("its documents are named in different ways: they cannot be paired")
	case len(best.pairs) == 0:
		return best, fmt.Errorf("no document is in both (%s has %d, %s has %d)", o.Names[0], len(a.Documents), o.Names[1], len(b.Documents))
	case (onlyA > 0 || onlyB > 0) && !o.Intersect:
		return best, fmt.Errorf("the documents differ: %s has %d, %s has %d, %d are the same (--intersect compares those)", o.Names[0], len(a.Documents), o.Names[1], len(b.Documents), len(best.pairs))
	case onlyA > 0 || onlyB > 0:
		best.notes = append(best.notes, fmt.Sprintf("%d documents are in both runs; %d of %s and %d of %s are left out", len(best.pairs), onlyA, o.Names[0], onlyB, o.Names[1]))
	}
	best.clusters = best.join()
	return best, best.checkPrompts(o.Names)
}

func named(t *Task, by int) bool {
	return len(t.Documents) > 0 && !slices.ContainsFunc(t.Documents, func(d Document) bool { return d.Keys[by] == "" })
}

func match(a, b *Task, by int) [][2]int {
	places := map[string][]int{}
	for j, d := range b.Documents {
		places[d.Keys[by]] = append(places[d.Keys[by]], j)
	}
	var pairs [][2]int
	for i, d := range a.Documents {
		if at := places[d.Keys[by]]; len(at) > 0 {
			pairs = append(pairs, [2]int{i, at[0]})
			places[d.Keys[by]] = at[1:]
		}
	}
	// By the key and not in a's order: b compared with a draws the same documents.
	slices.SortStableFunc(pairs, func(x, y [2]int) int {
		return cmp.Compare(a.Documents[x[0]].Keys[by], a.Documents[y[0]].Keys[by])
	})
	return pairs
}

// join finds the clusters of the pairs, by what either side knows.
func (p *taskPair) join() []string {
	a, b := make([]Document, len(p.pairs)), make([]Document, len(p.pairs))
	for k, ij := range p.pairs {
		a[k], b[k] = p.a.Documents[ij[0]], p.b.Documents[ij[1]]
	}
	return Clusters(a, b)
}

// clusteredBy is what the documents of a cluster share, as either side says.
func (p *taskPair) clusteredBy(clusters int) string {
	if clusters == 0 {
		return ""
	}
	stated := func(d Document) bool { return d.Cluster != "" }
	if by := cmp.Or(p.a.ClusteredBy, p.b.ClusteredBy); by != "" {
		return by
	}
	if slices.ContainsFunc(p.a.Documents, stated) || slices.ContainsFunc(p.b.Documents, stated) {
		return "as the run says"
	}
	return "copies"
}

// checkPrompts refuses the same documents asked in other words, and texts that
// are measured by another number of words or bytes.
func (p *taskPair) checkPrompts(names [2]string) error {
	other, weights := 0, 0
	var first string
	for _, ij := range p.pairs {
		da, db := &p.a.Documents[ij[0]], &p.b.Documents[ij[1]]
		if x, y := da.Keys[byPrompt], db.Keys[byPrompt]; x != "" && y != "" && x != y {
			if other == 0 {
				first = fmt.Sprintf("document %d of %s, %d of %s", da.ID, names[0], db.ID, names[1])
			}
			other++
		}
		for i, m := range p.a.Metrics {
			j := p.b.metric(m.Name)
			if j >= 0 && da.Values[i].Scored && db.Values[j].Scored && da.Values[i].Weight != db.Values[j].Weight {
				weights++
			}
		}
	}
	switch {
	case other > 0:
		return fmt.Errorf("the prompts differ in %d of %d documents (first: %s)", other, len(p.pairs), first)
	case weights > 0:
		return errors.New("the same texts count another number of words or bytes")
	}
	return nil
}

func (t *Task) metric(name string) int {
	return slices.IndexFunc(t.Metrics, func(m MetricInfo) bool { return m.Name == name })
}

// Change says that a setting was A and is B now.
func (s Setting) Change() string {
	a, b := s.values()
	text := fmt.Sprintf("%s was %s and is %s now", s.Name, a, b)
	if s.Task != "" {
		return "task " + s.Task + ": " + text
	}
	return text
}
