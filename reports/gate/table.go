package gate

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/stats"
)

// WriteTable writes the decision for a terminal or a log. Where it is too narrow the columns that
// say least are left out, the drop and the decision never and the interval last.
func (r *Result) WriteTable(w io.Writer) error {
	_, err := io.WriteString(w, noCommands(r.tableText(text.TerminalWidth(w))))
	return err
}

// tableText is the table for a width in terminal cells; 0: as wide as it gets.
func (r *Result) tableText(width int) string {
	var b strings.Builder
	line := func(s string) { b.WriteString(text.Wrap(s, width)) }
	g := &text.Grid{}
	g.Fold("task", 6)
	for _, c := range []struct {
		title string
		align text.Align
		rank  int
	}{{"n", text.Right, 2}, {"metric", text.Left, text.Keep}, {"baseline", text.Right, 3}, {"run", text.Right, 4},
		{"drop", text.Right, text.Keep}, {"allowed", text.Right, 5}, {"finds", text.Right, 1}, {"interval of run - baseline", text.Left, 7}, {"", text.Left, text.Keep}} {
		if g.Column(c.title, c.align, c.rank); c.rank == 7 {
			g.Short("run - baseline")
		}
	}
	for i := range r.Metrics {
		m := &r.Metrics[i]
		g.Row(text.Printable(m.Task), strconv.Itoa(m.N), text.Printable(m.Metric), m.shown(m.Baseline), m.shown(m.Run),
			m.signed(m.Drop), m.shown(m.AllowedDrop), m.shown(m.Detectable), m.interval(), m.Outcome())
	}
	g.Fit(width).Write(&b)
	b.WriteByte('\n')
	line(fmt.Sprintf("finds: the smallest true drop that is called a regression in %s%% of cases", text.Compact(r.Power)))
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.Decision != stats.Pass {
			line(text.Printable(m.Task+" "+m.Metric) + ": " + m.Explain())
			for _, worse := range m.worseLines(mostDocuments) {
				line("  " + text.Printable(worse))
			}
		}
	}
	for _, s := range r.remarks() {
		line(text.Printable(s))
	}
	if joint := r.JointLine(); joint != "" {
		line(joint)
	}
	if loud := r.Undecided(); loud != "" {
		line("warning: " + loud)
	}
	line(r.Headline())
	return b.String()
}

// noCommands keeps a log's lines from being read as workflow commands, whatever a
// task is called: GitHub's runner looks at the beginnings of lines, and for ##[.
func noCommands(s string) string {
	lines := strings.SplitAfter(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(strings.TrimSpace(l), "::") {
			lines[i] = "|" + l
		}
	}
	return strings.ReplaceAll(strings.Join(lines, ""), "##[", "# #[")
}

func (m *Metric) interval() string {
	if !text.Finite(float64(m.Low)) || !text.Finite(float64(m.High)) {
		return "-"
	}
	return "[" + m.signed(m.Low) + ", " + m.signed(m.High) + "] " + text.Compact(m.Confidence) + "%"
}

// Outcome is the decision in words, and whether it counts.
func (m *Metric) Outcome() string {
	text := string(m.Decision)
	if m.Decision == stats.Regressed && m.Rule == stats.WorseAtAll {
		text = "worse" // all that the rule shows
	}
	if !m.Required {
		return text + " (not required)"
	}
	return text
}

// Headline is the decision in one line.
func (r *Result) Headline() string {
	text := fmt.Sprintf("%s: %d passed, %d regressed, %d inconclusive", r.Decision, r.Counts.Pass, r.Counts.Regressed, r.Counts.Inconclusive)
	if r.Decision == stats.Inconclusive && !r.Fails {
		text += " (the policy lets inconclusive pass)"
	}
	return text
}

// Undecided says, where of the required metrics none passed and none regressed, that the gate has
// guarded nothing; "" where it has.
func (r *Result) Undecided() string {
	if r.Counts.Pass+r.Counts.Regressed > 0 || r.Fails {
		return ""
	}
	needed := 0
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.Required && (needed == 0 || m.Needed > 0 && m.Needed < needed) {
			needed = m.Needed
		}
	}
	s := "NOTHING WAS JUDGED: every required metric is inconclusive, so this gate lets a regression through as it lets through no change"
	if needed > 0 {
		s += fmt.Sprintf("; about %d documents would let the first of them pass", needed)
	}
	return s + " (gate --plan says how many find which drop; inconclusive: fail in the policy makes this an error)"
}

// Explain says what a decision rests on, and how many documents would let as good a run pass.
func (m *Metric) Explain() string {
	var parts []string
	drop := "no worse"
	switch {
	case m.Metric == compare.KL && m.Drop > 0:
		drop = m.shown(m.Drop) + " nats a token further away"
	case m.Drop > 0:
		drop = "worse by " + m.shown(m.Drop)
	}
	parts = append(parts, fmt.Sprintf("%s, %s allowed", drop, m.shown(m.AllowedDrop)))
	if shown := m.interval(); shown != "-" {
		parts = append(parts, "interval of run - baseline "+shown)
	}
	if m.Worse != nil && m.Better != nil {
		parts = append(parts, fmt.Sprintf("%d of %d documents got worse and %d better", *m.Worse, m.N, *m.Better))
	}
	switch as := fmt.Sprintf("a run that is as good as the baseline passes in %s%% of cases", text.Compact(percent(stats.Power))); {
	case m.Decision != stats.Inconclusive:
	case m.Needed == 0 && m.AllowedDrop == 0:
		parts = append(parts, "where nothing is allowed, no number of documents shows that a run is as good")
	case m.Needed == 0:
	case m.Needed <= m.N:
		parts = append(parts, fmt.Sprintf("with so many documents %s", as))
	case m.NeededClusters > 0:
		parts = append(parts, fmt.Sprintf("with about %d clusters (%d documents) %s", m.NeededClusters, m.Needed, as))
	default:
		parts = append(parts, fmt.Sprintf("with about %d documents %s", m.Needed, as))
	}
	if m.Decision == stats.Regressed && m.Rule == stats.WorseAtAll {
		parts = append(parts, "surely worse, and by more than allowed as measured (regressed: "+string(m.Rule)+")")
	}
	return strings.Join(parts, "; ")
}

// remarks are warnings and notes, marked as such, those of single metrics too.
func (r *Result) remarks() (out []string) {
	for _, s := range r.AllWarnings() {
		out = append(out, "warning: "+s)
	}
	for _, n := range r.Notes {
		out = append(out, "note: "+n)
	}
	return out
}

// AllWarnings are the gate's, and those of metrics that did not just pass: there they
// say why. Of one that passed only what makes that less sure. One that several metrics of a task share is said once.
func (r *Result) AllWarnings() []string {
	out := append([]string(nil), r.Warnings...)
	place := map[[2]string]int{} // of a task's text
	for i := range r.Metrics {
		m := &r.Metrics[i]
		warnings := m.Warnings
		if m.Decision == stats.Pass {
			warnings = nil
			if m.skewed != "" {
				warnings = []string{m.skewed}
			}
		}
		for _, s := range warnings {
			key := [2]string{m.Task, s}
			if at, ok := place[key]; ok {
				out[at] = strings.TrimSuffix(out[at], ": "+s) + ", " + m.Metric + ": " + s
				continue
			}
			place[key] = len(out)
			out = append(out, m.Task+" "+m.Metric+": "+s)
		}
	}
	return out
}
