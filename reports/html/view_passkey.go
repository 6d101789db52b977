package html

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

func itoa(i int) string { return strconv.Itoa(i) }

type passkeyView struct {
	Text  prose
	Maps  []figure
	Runs  []runView
	Cells []cellView
}

type cellView struct {
	Length, Depth Value
	All           bool // depths of the length
	Runs          []cellRun
}

type cellRun struct{ Right, N, Value, Low, High Value }

// spot is a cell's place in a grid.
type spot struct {
	length int
	depth  float64
}

// gridCell is a value of a heat map.
type gridCell struct {
	spot
	value float64
}

// heat is a heat map of shares from 0 to 1, or of their differences.
func heat(cells []gridCell, diverging bool) chart.Heat {
	h := chart.Heat{Unit: chart.Percent, X: chart.Axis{Name: "depth"}, Y: chart.Axis{Name: "tokens"}}
	if diverging {
		h.Unit = chart.Points
	}
	var lengths []int
	var depths []float64
	for _, c := range cells {
		lengths, depths = append(lengths, c.length), append(depths, c.depth)
	}
	slices.Sort(lengths)
	slices.Sort(depths)
	lengths, depths = slices.Compact(lengths), slices.Compact(depths)
	for _, depth := range depths {
		h.Columns = append(h.Columns, depthText(depth))
	}
	for _, length := range lengths {
		h.Rows = append(h.Rows, text.Count(float64(length)))
	}
	slices.SortFunc(cells, func(x, y gridCell) int {
		return cmp.Or(cmp.Compare(x.length, y.length), cmp.Compare(x.depth, y.depth))
	})
	for _, c := range cells {
		if !text.Finite(c.value) {
			continue
		}
		value := text.Percent(c.value)
		if diverging {
			value = text.Points(c.value) + " points"
		}
		row, column := slices.Index(lengths, c.length), slices.Index(depths, c.depth)
		h.Cells = append(h.Cells, chart.Cell{Column: column, Row: row, Value: c.value, Detail: h.Rows[row] + " tokens, depth " + h.Columns[column] + ": " + value})
	}
	return h
}

func (b *builder) passkey() *passkeyView {
	p := &passkeyView{Runs: b.runs}
	for i, r := range b.doc.Runs {
		cells := r.Manifest.Passkey
		if len(cells) == 0 {
			continue
		}
		var grid []gridCell
		for _, c := range cells {
			grid = append(grid, gridCell{spot{c.Length, c.Depth}, float64(c.Accuracy)})
		}
		caption := b.runs[i].Name
		if len(b.runs) > 1 {
			caption = b.runs[i].Letter + ", " + caption
		}
		p.Maps = append(p.Maps, b.heatMap("passkey-"+itoa(i), caption, heat(grid, false)))
	}
	if len(p.Maps) == 0 {
		return nil
	}
	p.Text = say("A number hidden in filler text, to be repeated at its end. Rows are the prompt's length in tokens, columns how deep the number is hidden; each cell is the share of trials with the right number, in percent, on one scale from 0 to 100 for all maps. The curves are over all depths, with 95% intervals of each run by itself; the same numbers are asked at every length, so that the points of a curve go up and down together.")
	if d := b.doc.Passkey; len(d) > 0 {
		var grid []gridCell
		for _, c := range d {
			grid = append(grid, gridCell{spot{c.Length, c.Depth}, float64(c.Difference)})
		}
		caption := b.runs[len(b.runs)-1].Letter + " minus " + b.runs[0].Letter + ", in points"
		p.Maps = append(p.Maps, b.heatMap("passkey-difference", caption, heat(grid, true)))
	}
	if f, ok := b.passkeyCurves(); ok {
		p.Maps = append(p.Maps, f)
	}
	p.Cells = b.passkeyCells()
	return p
}

func (b *builder) heatMap(id, caption string, h chart.Heat) figure {
	return figure{ID: id, Caption: caption, Drawing: b.draw(id, "Passkey: "+caption, h, true), Size: "short", Small: true, Label: caption + "; the table below has the same numbers"}
}

// passkeyCurves draws accuracy over all depths against length.
func (b *builder) passkeyCurves() (figure, bool) {
	var curves []chart.Series
	var lengths []float64
	for i, r := range b.doc.Runs {
		if len(r.Lengths) < 2 {
			continue
		}
		s := chart.Series{Name: b.runName(i), Ink: chart.RunInk(i)}
		for k := range r.Lengths {
			l := &r.Lengths[k]
			s.X, s.Y = append(s.X, float64(l.Length)), append(s.Y, float64(l.Accuracy))
			s.Low, s.High = append(s.Low, float64(l.Low)), append(s.High, float64(l.High))
			s.Detail = append(s.Detail, s.Name+", "+text.Count(float64(l.Length))+" tokens: "+text.Percent(float64(l.Accuracy))+" ("+text.Percent(float64(l.Low))+" to "+text.Percent(float64(l.High))+")")
			lengths = append(lengths, float64(l.Length))
		}
		curves = append(curves, s)
	}
	if curves == nil {
		return figure{}, false
	}
	x := chart.Axis{Name: "tokens, log axis", Log: true}
	slices.Sort(lengths)
	for _, l := range slices.Compact(lengths) {
		x.Ticks = append(x.Ticks, chart.Tick{Value: l, Label: text.Count(l)})
	}
	l := chart.Lines{Series: curves, X: x, Y: chart.Axis{Unit: chart.Percent, Format: text.PercentTick, Floor: 0}}
	const id, caption = "passkey-lengths", "Accuracy over all depths against length"
	return figure{ID: id, Caption: caption, Drawing: b.draw(id, "Passkey: "+caption, l, true), Legend: b.legend(len(curves)), Size: "short", Small: true, Label: caption + "; the table below has the same numbers"}, true
}

// runName is what a series of a run is called.
func (b *builder) runName(i int) string {
	if len(b.runs) == 1 {
		return b.runs[i].Name
	}
	return b.runs[i].Letter + " " + b.runs[i].Name
}

// passkeyCells lists the cells of all runs, by length and depth.
func (b *builder) passkeyCells() []cellView {
	var spots []spot
	for _, r := range b.doc.Runs {
		for _, c := range r.Manifest.Passkey {
			spots = append(spots, spot{c.Length, c.Depth})
		}
	}
	slices.SortFunc(spots, func(x, y spot) int {
		return cmp.Or(cmp.Compare(x.length, y.length), cmp.Compare(x.depth, y.depth))
	})
	var out []cellView
	for _, s := range slices.Compact(spots) {
		var v cellView
		for _, r := range b.doc.Runs {
			k := slices.IndexFunc(r.Manifest.Passkey, func(c rundir.Cell) bool { return c.Length == s.length && c.Depth == s.depth })
			if k < 0 {
				gap := Value{Text: text.None}
				v.Runs = append(v.Runs, cellRun{gap, gap, gap, gap, gap})
				continue
			}
			c, at := &r.Manifest.Passkey[k], b.numbers.at
			if v.Length.From == "" {
				v.Length, v.Depth = at(text.Count, of(&c.Length)), at(depthText, of(&c.Depth))
			}
			v.Runs = append(v.Runs, cellRun{at(text.Count, of(&c.Right)), at(text.Count, of(&c.N)), at(text.Percent, of(&c.Accuracy)), at(text.Percent, of(&c.Low)), at(text.Percent, of(&c.High))})
		}
		out = append(out, v)
	}
	return b.withAllDepths(out)
}

// withAllDepths adds a row over all depths behind the rows of each length.
func (b *builder) withAllDepths(rows []cellView) (out []cellView) {
	lengths := map[string]bool{}
	for _, r := range b.doc.Runs {
		for _, l := range r.Lengths {
			lengths[text.Count(float64(l.Length))] = true
		}
	}
	for i, row := range rows {
		out = append(out, row)
		if i+1 < len(rows) && rows[i+1].Length.Text == row.Length.Text || !lengths[row.Length.Text] {
			continue
		}
		all := cellView{All: true, Length: row.Length}
		for _, r := range b.doc.Runs {
			k := slices.IndexFunc(r.Lengths, func(l passkeyLength) bool { return text.Count(float64(l.Length)) == row.Length.Text })
			if k < 0 {
				gap := Value{Text: text.None}
				all.Runs = append(all.Runs, cellRun{gap, gap, gap, gap, gap})
				continue
			}
			l, at := &r.Lengths[k], b.numbers.at
			all.Runs = append(all.Runs, cellRun{at(text.Count, of(&l.Right)), at(text.Count, of(&l.N)), at(text.Percent, of(&l.Accuracy)), at(text.Percent, of(&l.Low)), at(text.Percent, of(&l.High))})
		}
		out = append(out, all)
	}
	return out
}
