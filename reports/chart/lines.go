package chart

import (
	"cmp"
	"math"
	"slices"

	"github.com/softbench/softbench/reports/text"
)

// Lines are series over a common axis, a mark at each point but those of plain series.
type Lines struct {
	Series     []Series
	X, Y       Axis
	Categories []string // names of the places 0, 1, ...: the horizontal axis is one of names
	Legend     bool     // the interactive chart has one of its own
	Key        bool     // the drawing has one, as where it stands alone
}

// Series is one line.
type Series struct {
	Name      string
	Ink       string
	X, Y      []float64 // a Y that is NaN leaves a gap
	Low, High []float64 // intervals, or nil
	Detail    []string  // of each point, for the interactive chart
	Plain     bool      // no marks, but for a point that stands alone
	Dots      bool      // marks alone: no line joins what has no order
	Band      bool      // Low and High are drawn as a band, not as intervals
}

// interval is the interval of point i; false where it has none.
func (s *Series) interval(i int) (low, high float64, ok bool) {
	if s.Low == nil || !text.Finite(s.Low[i]) || !text.Finite(s.High[i]) {
		return 0, 0, false
	}
	return s.Low[i], s.High[i], true
}

// Scene is the drawing.
func (l Lines) Scene(width float64) *Scene {
	height := min(width*0.6, 260)
	c := newCanvas(width, height)
	x, y := l.scales()
	key := 0.0
	if l.Key {
		key = c.key(l.Series)
	}
	c.Height += key
	b := box{left: 0, top: 8 + key, right: width - 14, bottom: c.Height - c.below(l.X.Name)}
	if l.Y.Name != "" {
		b.top += c.size + 6
		c.text("start", 1, key+c.size, "muted", l.Y.Name)
	}
	for _, t := range y.ticks {
		b.left = max(b.left, c.width(t.Label)+8)
	}
	if n := len(x.ticks); n > 0 {
		b.left = max(b.left, c.width(x.ticks[0].Label)/2)
		b.right = min(b.right, width-2-c.width(x.ticks[n-1].Label)/2)
	}
	var grid path
	for _, t := range y.ticks {
		at := b.y(&y, t.Value)
		grid.move(b.left, at)
		grid.line(b.right, at)
		c.text("end", b.left-6, at+0.35*c.size, "muted", t.Label)
	}
	c.stroke(&grid, "grid", Line{Width: 1}, 1)
	c.xAxis(b, &x, l.X.Name)
	for i := range l.Series {
		c.band(b, &x, &y, &l.Series[i])
	}
	for i := range l.Series {
		c.series(b, &x, &y, &l.Series[i], marks[markOf(i)].draw)
	}
	return c.done()
}

// key writes the series' marks and names, in as many lines as it takes, and returns their
// height.
func (c *canvas) key(all []Series) (height float64) {
	x, y := 1.0, c.size
	for i := range all {
		name := c.fitting(all[i].Name, c.Width-20)
		if wide := 14 + c.width(name); x > 1 && x+wide > c.Width {
			x, y = 1, y+1.4*c.size
		}
		var mark path
		marks[markOf(i)].draw(&mark, x+4, y-0.35*c.size, 3.2)
		c.fill(&mark, all[i].Ink, 0, 1)
		c.text("start", x+12, y, "ink", name)
		x += 26 + c.width(name)
	}
	return y + 0.6*c.size
}

// Table has a row for each point, with its interval where any has one.
func (l Lines) Table() Table {
	t := Table{Columns: []string{"series", cmp.Or(l.X.Name, "x"), cmp.Or(l.Y.Name, "value")}}
	between := slices.ContainsFunc(l.Series, func(s Series) bool { return s.Low != nil })
	if between {
		t.Columns = append(t.Columns, "low", "high")
	}
	for i := range l.Series {
		s := &l.Series[i]
		for k, y := range s.Y {
			place := full(s.X[k])
			if l.Categories != nil {
				place = l.Categories[k]
			}
			row := []string{s.Name, place, full(y)}
			if between {
				low, high, ok := s.interval(k)
				if !ok {
					low, high = math.NaN(), math.NaN()
				}
				row = append(row, full(low), full(high))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// scales hold all points and intervals.
func (l Lines) scales() (x, y scale) {
	x, y = emptyScale(l.X.Log), emptyScale(l.Y.Log)
	for i := range l.Series {
		s := &l.Series[i]
		x.include(s.X...)
		y.include(s.Y...)
		for k := range s.Y {
			if low, high, ok := s.interval(k); ok {
				y.include(low, high)
			}
		}
	}
	if math.IsInf(y.min, 0) { // no point has a place
		y.min, y.max = 1, 1
	}
	if !y.log && l.Y.Floor < y.min {
		y.min = l.Y.Floor
	}
	if y.min == y.max {
		y.min, y.max = y.min*0.99-0.005, y.max*1.01+0.005
		if y.max == 0.005 { // all zero: shares and counts are not below
			y.min, y.max = 0, 1
		}
		if y.log {
			y.min = max(y.min, y.max/1.1)
		}
	}
	if y.log {
		y.roundLog(l.Y.Format)
	} else {
		y.round(5, l.Y.Format)
	}
	x.ticks = l.X.Ticks
	for i, name := range l.Categories {
		x.ticks = append(x.ticks, Tick{float64(i), name})
	}
	for _, t := range x.ticks {
		x.include(t.Value)
	}
	if math.IsInf(x.min, 0) {
		x.min, x.max = 0, 0
	}
	if x.min == x.max || l.Categories != nil { // names have half a place beside them
		x.min, x.max = x.min-0.5, x.max+0.5
	}
	return x, y
}

// series draws the lines between gaps, the intervals and the marks, each as one path.
func (c *canvas) series(b box, x, y *scale, s *Series, mark func(p *path, x, y, r float64)) {
	var line, intervals, dots path
	there := func(i int) bool { return x.has(s.X[i]) && y.has(s.Y[i]) }
	for i := 0; i < len(s.Y); i++ {
		from := i
		for ; i < len(s.Y) && there(i); i++ {
			px, py := b.x(x, s.X[i]), b.y(y, s.Y[i])
			switch {
			case s.Dots:
			case i == from:
				line.move(px, py)
			default:
				line.line(px, py)
			}
			if alone := i == from && (i+1 == len(s.Y) || !there(i+1)); !s.Plain || alone {
				mark(&dots, px, py, 3.2)
			}
			if low, high, ok := s.interval(i); ok && !s.Band && low < high && y.has(low) {
				intervals.interval(px, b.y(y, low), px, b.y(y, high), 3)
			}
		}
	}
	c.stroke(&line, s.Ink, Line{Width: 1.75, Round: true}, 1)
	c.stroke(&intervals, s.Ink, Line{Width: 1}, 1)
	c.fill(&dots, s.Ink, 1, 1)
}

// band fills between a series' Low and High.
func (c *canvas) band(b box, x, y *scale, s *Series) {
	if !s.Band || len(s.X) < 2 {
		return
	}
	var edge []float64
	for i := range s.X {
		if x.has(s.X[i]) && y.has(s.Low[i]) && y.has(s.High[i]) {
			edge = append(edge, b.x(x, s.X[i]), b.y(y, s.High[i]))
		}
	}
	for i := len(s.X) - 1; i >= 0; i-- {
		if x.has(s.X[i]) && y.has(s.Low[i]) && y.has(s.High[i]) {
			edge = append(edge, b.x(x, s.X[i]), b.y(y, s.Low[i]))
		}
	}
	var p path
	if len(edge) > 4 {
		p.polygon(edge...)
	}
	c.fill(&p, s.Ink, 0, 0.19)
}

// LastX is the rightmost place with a value.
func LastX(all []Series) float64 {
	var last float64
	for _, s := range all {
		for i, y := range s.Y {
			if text.Finite(y) {
				last = max(last, s.X[i])
			}
		}
	}
	return last
}

// Wide says whether series reach so far apart that only a logarithmic axis shows
// them all. All their values have to be above 0.
func Wide(all ...Series) bool {
	lo, hi := math.Inf(1), 0.0
	for _, s := range all {
		for _, ys := range [][]float64{s.Y, s.Low, s.High} {
			for _, y := range ys {
				if text.Finite(y) {
					lo, hi = min(lo, y), max(hi, y)
				}
			}
		}
	}
	return lo > 0 && hi > 20*lo
}
