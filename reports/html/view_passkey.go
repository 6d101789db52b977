package html

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

func itoa(i int) string { return strconv.Itoa(i) }

type passkeyView struct {
	Text  prose
	Maps  []heatMap
	Runs  []runView
	Cells []cellView
}

type heatMap struct {
	ID, Caption string
	Depths      []Value
	Rows        []heatRow
}

type heatRow struct {
	Length Value
	Cells  []heatCell
}

type heatCell struct {
	Value Value
	Class string
}

type cellView struct {
	Length, Depth Value
	Runs          []cellRun
}

type cellRun struct{ Right, N, Value, Low, High Value }

// spot is a cell's place in a grid.
type spot struct {
	length int
	depth  float64
}

// grid is one heat map's cells.
type grid struct {
	lengths []int
	depths  []float64
	at      map[spot]gridCell
}

type gridCell struct {
	value                float64
	length, depth, field field
}

func newGrid(n int, cell func(k int) gridCell) grid {
	g := grid{at: map[spot]gridCell{}}
	for k := range n {
		c := cell(k)
		s := spot{int(c.length.float()), c.depth.float()}
		g.at[s] = c
		g.lengths, g.depths = append(g.lengths, s.length), append(g.depths, s.depth)
	}
	slices.Sort(g.lengths)
	slices.Sort(g.depths)
	g.lengths, g.depths = slices.Compact(g.lengths), slices.Compact(g.depths)
	return g
}

// chart is the grid of shares from 0 to 1, or of their differences.
func (g grid) chart(diverging bool) chart.Heat {
	h := chart.Heat{Unit: chart.Percent, X: chart.Axis{Name: "depth"}, Y: chart.Axis{Name: "tokens"}}
	if diverging {
		h.Unit = chart.Points
	}
	for _, depth := range g.depths {
		h.Columns = append(h.Columns, depthText(depth))
	}
	for i, length := range g.lengths {
		h.Rows = append(h.Rows, text.Count(float64(length)))
		for j, depth := range g.depths {
			cell, ok := g.at[spot{length, depth}]
			if !ok || !text.Finite(cell.value) {
				continue
			}
			value := text.Percent(cell.value)
			if diverging {
				value = text.Points(cell.value) + " points"
			}
			h.Cells = append(h.Cells, chart.Cell{Column: j, Row: i, Value: cell.value, Detail: h.Rows[i] + " tokens, depth " + h.Columns[j] + ": " + value})
		}
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
		g := newGrid(len(cells), func(k int) gridCell {
			c := &cells[k]
			return gridCell{float64(c.Accuracy), of(&c.Length), of(&c.Depth), of(&c.Accuracy)}
		})
		caption := b.runs[i].Name
		if len(b.runs) > 1 {
			caption = b.runs[i].Letter + ", " + caption
		}
		p.Maps = append(p.Maps, b.heatMap("passkey-"+itoa(i), caption, g, wholePercent, false))
	}
	if len(p.Maps) == 0 {
		return nil
	}
	p.Text = say("A number hidden in filler text, to be repeated at its end. Rows are the prompt's length in tokens, columns how deep the number is hidden; each cell is the share of trials with the right number, in percent, on one scale from 0 to 100 for all maps.")
	if d := b.doc.Passkey; len(d) > 0 {
		g := newGrid(len(d), func(k int) gridCell {
			c := &d[k]
			return gridCell{float64(c.Difference), of(&c.Length), of(&c.Depth), of(&c.Difference)}
		})
		caption := b.runs[len(b.runs)-1].Letter + " minus " + b.runs[0].Letter + ", in points"
		p.Maps = append(p.Maps, b.heatMap("passkey-difference", caption, g, wholePoints, true))
	}
	p.Cells = b.passkeyCells()
	return p
}

func (b *builder) heatMap(id, caption string, g grid, format func(float64) string, diverging bool) heatMap {
	m := heatMap{ID: id, Caption: caption}
	for _, depth := range g.depths {
		for _, length := range g.lengths { // any cell of the column says its depth
			if c, ok := g.at[spot{length, depth}]; ok {
				m.Depths = append(m.Depths, b.numbers.at(depthText, c.depth))
				break
			}
		}
	}
	for _, length := range g.lengths {
		var row heatRow
		for _, depth := range g.depths {
			c, ok := g.at[spot{length, depth}]
			if !ok {
				row.Cells = append(row.Cells, heatCell{Value: Value{Text: text.None}})
				continue
			}
			if row.Length.From == "" {
				row.Length = b.numbers.at(text.Count, c.length)
			}
			row.Cells = append(row.Cells, heatCell{b.numbers.at(format, c.field), heatClass(c.value, diverging)})
		}
		m.Rows = append(m.Rows, row)
	}
	b.charts = append(b.charts, g.chart(diverging).Options(id))
	return m
}

// heatLevels is the number of shades from 0 to 1.
const heatLevels = 20

// heatClass is the style's class for a share, or for a difference of two.
func heatClass(v float64, diverging bool) string {
	if !text.Finite(v) {
		return ""
	}
	level := int(math.Round(math.Abs(v) * heatLevels))
	if level == 0 && v != 0 {
		level = 1 // not none
	}
	level = min(level, heatLevels)
	switch {
	case !diverging:
		return "heat-" + itoa(level)
	case v < 0:
		return "down-" + itoa(level)
	}
	return "up-" + itoa(level)
}

func wholePercent(x float64) string { return text.Decimals(100*x, 0) }

func wholePoints(x float64) string {
	s := text.Decimals(100*x, 0)
	if x > 0 && s != "0" {
		s = "+" + s
	}
	return s
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
	return out
}
