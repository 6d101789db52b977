package chart

// Panels are charts side by side in one drawing, each with a title: the same of several
// runs.
type Panels struct {
	Titles []string
	Charts []Drawn
}

// Scene is the drawing: panels of equal width, in as many rows as it takes for each to have
// a width that can be read.
func (p Panels) Scene(width float64) *Scene {
	const gap, least = 16, 150
	across := max(1, min(len(p.Charts), int((width+gap)/(least+gap))))
	each := (width - gap*float64(across-1)) / float64(across)
	all := newCanvas(width, 0)
	top := 0.0
	for from := 0; from < len(p.Charts); from += across {
		tallest := 0.0
		for k := from; k < min(from+across, len(p.Charts)); k++ {
			left := (each + gap) * float64(k-from)
			all.text("start", left+1, top+all.size, "ink", all.fitting(p.Titles[k], each))
			s := p.Charts[k].Scene(each)
			tallest = max(tallest, s.Height)
			for _, shape := range s.Shapes {
				all.Shapes = append(all.Shapes, shape.moved(left, top+all.size+8))
			}
		}
		top += all.size + 8 + tallest + 10
	}
	all.Height = top
	return all.done()
}

// moved is the shape elsewhere.
func (s Shape) moved(x, y float64) Shape {
	path := make([]Segment, len(s.Path))
	for i, at := range s.Path {
		at.X, at.Y = at.X+x, at.Y+y
		path[i] = at
	}
	s.Path, s.X, s.Y = path, s.X+x, s.Y+y
	return s
}

// Table has the rows of all, each behind its panel's title.
func (p Panels) Table() (t Table) {
	for k, c := range p.Charts {
		of := c.Table()
		t.Columns = append([]string{"panel"}, of.Columns...)
		for _, row := range of.Rows {
			t.Rows = append(t.Rows, append([]string{p.Titles[k]}, row...))
		}
	}
	return t
}
