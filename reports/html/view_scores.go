package html

import (
	"math"
	"slices"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

type scoresView struct {
	Title   string
	Text    prose
	Runs    []runView
	Rows    []scoreRow  // of tasks in no group
	Groups  []groupView // each with its tasks
	Notes   []prose
	Figures []figure
	Front   bool // the wide ones have room in the summary's page
	Many    bool // more runs than have room for an interval beside each value
}

type scoreRow struct {
	Task, Metric string
	Again        bool // the task stands in the row above
	Higher       bool
	N            Value
	Cells        []scoreCell
}

type scoreCell struct {
	Value, Low, High Value
	v, lo, hi        float64 // NaN where there is text.None
}

// scores is the table of all runs' metrics: all that any run has.
func (b *builder) scores() *scoresView {
	s := &scoresView{Title: "Scores", Runs: b.runs, Many: len(b.runs) > 2}
	type place struct{ task, metric int }
	type id struct{ task, metric string }
	where := map[id][]place{}
	var order []id
	for i, r := range b.doc.Runs {
		for t, task := range r.Manifest.Tasks {
			for m, metric := range task.Metrics {
				k := id{task.Name, metric.Name}
				if where[k] == nil {
					where[k] = slices.Repeat([]place{{-1, -1}}, len(b.runs))
					order = append(order, k)
				}
				where[k][i] = place{t, m}
			}
		}
	}
	if len(order) == 0 {
		return nil
	}
	slices.SortStableFunc(order, func(x, y id) int { return b.taskRank(x.task) - b.taskRank(y.task) })
	var bytes []string
	for _, key := range order {
		if key.metric == accBytes && !slices.ContainsFunc(b.doc.Runs, func(r runDocument) bool { return !bytesLikeNorm(r.Manifest.Tasks, key.task) }) {
			bytes = append(bytes, key.task)
			continue
		}
		row := scoreRow{Task: text.Visible(key.task), Metric: text.Visible(key.metric), Again: len(s.Rows) > 0 && s.Rows[len(s.Rows)-1].Task == text.Visible(key.task)}
		u := unitOf(key.metric)
		for i, p := range where[key] {
			cell := scoreCell{v: nan, lo: nan, hi: nan}
			cell.Value.Text = text.None
			if p.task >= 0 {
				m := &b.doc.Runs[i].Manifest.Tasks[p.task].Metrics[p.metric]
				cell = scoreCell{
					b.numbers.at(u.value, of(&m.Value)), b.numbers.at(u.value, of(&m.Low)), b.numbers.at(u.value, of(&m.High)),
					float64(m.Value), float64(m.Low), float64(m.High),
				}
				row.Higher = m.HigherIsBetter
				if row.N.From == "" {
					row.N = b.numbers.at(text.Count, of(&m.N))
				}
			}
			row.Cells = append(row.Cells, cell)
		}
		s.Rows = append(s.Rows, row)
	}
	b.groups(s)
	s.Notes = foldedNote(bytes)
	b.stated(s)
	b.truncation(s)
	b.unscored(s)
	b.clusters(s)
	if slices.ContainsFunc(b.doc.Runs, func(r runDocument) bool { return len(r.Manifest.Passkey) > 0 }) {
		s.Notes = append(s.Notes, say("Passkey retrieval is below: it depends on length and depth."))
	}
	switch len(b.runs) {
	case 1:
		s.Text = say("What the model scored on each task. The interval is where the score of endlessly many such documents lies, with 95% confidence.")
		b.scoreForest(s)
	case 2:
		if b.doc.Comparison == nil {
			s.Text = say("Each run by itself.")
			break
		}
		s.Text = say("Each run by itself. Whether two scores differ is not to be read off these intervals: the differences above pair the documents, which says more.")
	default:
		s.Title = "Scores over the runs"
		s.Text = say("Each run by itself, in the order given.")
		if names, _ := b.trainings(); names != nil {
			s.Title = "Scores over the steps"
			s.Text = say("Each run by itself, by its step: " + b.stepIs() + ". A band is the 95% interval of each score by itself; whether two scores differ is not to be read off it.")
		}
		b.trajectories(s)
	}
	return s
}

// bytesLikeNorm says whether a run's acc_bytes equals its acc_norm in every number.
func bytesLikeNorm(tasks []rundir.TaskResult, name string) bool {
	k := slices.IndexFunc(tasks, func(t rundir.TaskResult) bool { return t.Name == name })
	if k < 0 {
		return true // nothing to show of it
	}
	of := func(metric string) *rundir.Metric {
		m := slices.IndexFunc(tasks[k].Metrics, func(m rundir.Metric) bool { return m.Name == metric })
		if m < 0 {
			return nil
		}
		return &tasks[k].Metrics[m]
	}
	norm, bytes := of(accNorm), of(accBytes)
	return bytes == nil || norm != nil && norm.N == bytes.N && norm.Value == bytes.Value && norm.Low == bytes.Low && norm.High == bytes.High
}

// stated notes the results of another program.
func (b *builder) stated(s *scoresView) {
	for i, r := range b.doc.Runs {
		if r.Foreign && len(r.Manifest.Tasks) > 0 {
			whose := ""
			if len(b.runs) > 1 {
				whose = b.runs[i].Letter + ": "
			}
			s.Notes = append(s.Notes, say(whose+"results of ", verbatim(r.Format), ", as it states them; the intervals are of its documents. What its model and settings were is not known here."))
		}
	}
}

// taskRank is a task's place in the runs, the first run's first.
func (b *builder) taskRank(name string) int {
	rank := 0
	for _, r := range b.doc.Runs {
		for _, t := range r.Manifest.Tasks {
			if t.Name == name {
				return rank
			}
			rank++
		}
	}
	return rank
}

// truncation notes the requests that lost their beginning.
func (b *builder) truncation(s *scoresView) {
	b.counted(s, func(t *rundir.TaskResult) *int { return &t.Truncated },
		"equests longer than the context, which lost their beginning: ", "R", "r")
}

// unscored notes the documents that no metric is over.
func (b *builder) unscored(s *scoresView) {
	b.counted(s, func(t *rundir.TaskResult) *int { return &t.Unscored },
		"ocuments without a score, as a continuation of theirs is empty or longer than the context, or its context has no token; no metric is over them: ", "D", "d")
}

// counted notes a count of each task, once where it is the same in all runs.
func (b *builder) counted(s *scoresView, count func(*rundir.TaskResult) *int, what, upper, lower string) {
	for i, r := range b.doc.Runs {
		same := func(o runDocument) bool {
			return slices.EqualFunc(o.Manifest.Tasks, b.doc.Runs[0].Manifest.Tasks, func(x, y rundir.TaskResult) bool {
				return x.Name == y.Name && *count(&x) == *count(&y)
			})
		}
		var tasks prose
		for t := range r.Manifest.Tasks {
			task := &r.Manifest.Tasks[t]
			if *count(task) == 0 {
				continue
			}
			if tasks != nil {
				tasks = append(tasks, say(", ")...)
			}
			tasks = append(tasks, say(verbatim(task.Name), " ", b.numbers.at(text.Count, of(count(task))))...)
		}
		if tasks == nil {
			continue
		}
		all := !slices.ContainsFunc(b.doc.Runs, func(o runDocument) bool { return !same(o) })
		whose := upper
		if !all {
			whose = b.runs[i].Letter + ": " + lower
		}
		note := append(say(whose+what), tasks...)
		s.Notes = append(s.Notes, append(note, say(".")...))
		if all {
			return
		}
	}
}

// clusters notes the tasks whose intervals are of clusters, of the first run that
// says so: other runs have the same documents.
func (b *builder) clusters(s *scoresView) {
	for i, r := range b.doc.Runs {
		if r.Manifest.Schema == 1 {
			s.Notes = append(s.Notes, say(b.runs[i].Letter+": an earlier version of softbench wrote this run; its intervals take all documents as independent, and are too narrow for perplexities of few documents."))
		}
	}
	for _, r := range b.doc.Runs {
		var tasks prose
		for _, task := range r.Manifest.Tasks {
			k := slices.IndexFunc(task.Metrics, func(m rundir.Metric) bool { return m.Clusters > 0 })
			if k < 0 {
				continue
			}
			m := &task.Metrics[k]
			if tasks != nil {
				tasks = append(tasks, say("; ")...)
			}
			tasks = append(tasks, say(verbatim(task.Name), ": ", b.numbers.at(text.Count, of(&m.N)), " documents in ", b.numbers.at(text.Count, of(&m.Clusters)), " clusters (", verbatim(task.ClusteredBy), ")")...)
		}
		if tasks != nil {
			s.Notes = append(s.Notes, append(append(say("Documents that share something are not independent; their intervals are of the clusters. "), tasks...), say(".")...))
			return
		}
	}
}

// scoreForest draws one run's shares with their intervals.
func (b *builder) scoreForest(s *scoresView) {
	var rows []chart.Estimate
	for _, r := range s.drawn() {
		c := r.Cells[0]
		if unitOf(r.Metric).name != share.name || !text.Finite(c.v) {
			continue
		}
		rows = append(rows, chart.Estimate{
			Label: r.Task + " " + r.Metric, Value: c.v, Low: c.lo, High: c.hi, HasInterval: text.Finite(c.lo) && text.Finite(c.hi), Ink: "run0",
			Detail: r.Task + " " + r.Metric + ": " + c.Value.Text + " (" + c.Low.Text + " to " + c.High.Text + ")",
		})
	}
	if len(rows) == 0 {
		return
	}
	f := chart.Forest{Rows: rows, Axis: chart.Axis{Name: "share of documents, with its 95% interval", Unit: chart.Percent, Format: text.PercentTick}}
	s.Front = len(rows) <= summaryRows
	s.Figures = append(s.Figures, figure{
		ID: "scores-chart", Caption: "Shares with their 95% intervals", Drawing: b.draw("scores-chart", "Shares with their 95% intervals", f, false), Size: sizeFor(len(rows)),
		Label: "Shares of right documents with their intervals; the table below has the same numbers",
	})
}

// trajectories draws each metric over the runs.
func (b *builder) trajectories(s *scoresView) {
	for k, r := range s.drawn() {
		u := unitOf(r.Metric)
		name, id := r.Task+" "+r.Metric, "course-"+itoa(k)
		format := text.PercentTick
		if u.name == chart.Plain {
			format = text.Tick
		}
		if trainings, _ := b.trainings(); trainings != nil {
			y := chart.Axis{Unit: u.name, Format: format, Log: u.name == chart.Plain, Floor: nan}
			if f, ok := b.overSteps(id, name+", "+way(r.Higher), y, func(i int) (scoreCell, bool) { return r.Cells[i], true }); ok {
				s.Figures = append(s.Figures, f)
			}
			continue
		}
		c := chart.Series{Name: r.Metric, Ink: "run0", Dots: true}
		for i, cell := range r.Cells {
			c.X = append(c.X, float64(i))
			c.Y, c.Low, c.High = append(c.Y, cell.v), append(c.Low, cell.lo), append(c.High, cell.hi)
			c.Detail = append(c.Detail, b.runs[i].Letter+" "+b.runs[i].Name+": "+cell.Value.Text)
		}
		if !slices.ContainsFunc(c.Y, text.Finite) {
			continue
		}
		var letters []string
		for _, run := range b.runs {
			letters = append(letters, run.Letter)
		}
		log := u.name == chart.Plain && chart.Wide(c)
		caption := name + ", " + way(r.Higher)
		if log {
			caption += ", log axis"
		}
		l := chart.Lines{Series: []chart.Series{c}, Categories: letters, X: chart.Axis{Name: "run"}, Y: chart.Axis{Unit: u.name, Format: format, Log: log, Floor: nan}}
		s.Figures = append(s.Figures, figure{ID: id, Caption: caption, Drawing: b.draw(id, caption, l, true), Label: name + " over the runs; the table above has the same numbers", Size: "short", Small: true})
	}
}

// depthText is how deep a passkey is hidden.
func depthText(x float64) string {
	if math.Abs(100*x-math.Round(100*x)) < 1e-6 {
		return text.Decimals(100*x, 0) + "%"
	}
	return text.Percent(x)
}

func sizeFor(rows int) string {
	switch {
	case rows == 1:
		return "row"
	case rows <= 6:
		return "short"
	case rows > 14:
		return "tall"
	}
	return ""
}
