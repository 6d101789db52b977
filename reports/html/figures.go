package html

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/softbench/softbench/reports/chart"
)

// Figure is a chart of a page as it stands alone: with its legend, and tokens on the axes of
// attention maps.
type Figure struct {
	ID, Caption string
	Chart       chart.Drawn
}

// alone is a chart with all that it needs to be understood by itself.
func alone(c chart.Drawn, caption string) chart.Drawn {
	switch c := c.(type) {
	case chart.Lines:
		c.Key = len(c.Series) > 1
		c.Y.Name = cmp.Or(c.Y.Name, caption)
		return c
	case chart.Heat:
		c.Bare = false
		return c
	}
	return c
}

// Figures are the charts of a page, in its order. The same head's attention maps of all runs
// are one figure, side by side.
func Figures(p Page) ([]Figure, error) {
	d, err := newDocument(p)
	if err != nil {
		return nil, err
	}
	tree, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	_, b, err := newView(p, d, tree)
	if err != nil {
		return nil, err
	}
	return append(b.figures, b.mapFigures()...), nil
}

// mapFigures are the attention maps.
func (b *builder) mapFigures() (out []Figure) {
	type head struct{ layer, head int }
	panels := map[head]*chart.Panels{}
	var order []head
	for i, r := range b.doc.Runs {
		for k := range r.Maps {
			m := &r.Maps[k]
			if len(m.Tokens) < 2 {
				continue
			}
			h := head{m.Layer, m.Head}
			if panels[h] == nil {
				panels[h] = &chart.Panels{}
				order = append(order, h)
			}
			p := panels[h]
			p.Titles = append(p.Titles, b.runName(i))
			p.Charts = append(p.Charts, alone(m.chart(visibleTokens(m.Tokens)), ""))
		}
	}
	slices.SortFunc(order, func(x, y head) int { return cmp.Or(cmp.Compare(x.layer, y.layer), cmp.Compare(x.head, y.head)) })
	for _, h := range order {
		name := "Attention of layer " + itoa(h.layer) + ", head " + itoa(h.head)
		out = append(out, Figure{"attention-" + itoa(h.layer) + "-" + itoa(h.head), name, *panels[h]})
	}
	return out
}
