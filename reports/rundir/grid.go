package rundir

import (
	"slices"
	"strings"

	"github.com/rivo/uniseg"
)

type alignment int

const (
	alignLeft alignment = iota
	alignRight
)

// keep is the rank of a column that is never left out.
const keep = 0

// grid is a table of text. Columns are two blanks apart, as wide as their widest
// cell on a terminal, where a Chinese character takes two places and a combining
// mark none.
type grid struct {
	columns []gridColumn
}

type gridColumn struct {
	align alignment
	rank  int // the lowest above keep is left out first
	cells []string
	width int
}

func (g *grid) column(title string, align alignment, rank int) {
	g.columns = append(g.columns, gridColumn{align: align, rank: rank, cells: []string{title}, width: uniseg.StringWidth(title)})
}

func (g *grid) row(cells ...string) {
	for i, c := range cells {
		col := &g.columns[i]
		col.cells = append(col.cells, c)
		col.width = max(col.width, uniseg.StringWidth(c))
	}
}

func (g *grid) width() int {
	w := 2 * (len(g.columns) - 1)
	for _, c := range g.columns {
		w += c.width
	}
	return w
}

// fit leaves out columns until the rest is at most width wide, as far as that
// goes; width 0 takes any.
func (g *grid) fit(width int) *grid {
	out := &grid{slices.Clone(g.columns)}
	for width > 0 && out.width() > width {
		least := -1
		for i, c := range out.columns {
			if c.rank != keep && (least < 0 || c.rank < out.columns[least].rank) {
				least = i
			}
		}
		if least < 0 {
			break
		}
		out.columns = slices.Delete(out.columns, least, least+1)
	}
	return out
}

func (g *grid) write(b *strings.Builder) {
	for row := range g.columns[0].cells {
		var line strings.Builder
		for i, c := range g.columns {
			if i > 0 {
				line.WriteString("  ")
			}
			blanks := strings.Repeat(" ", c.width-uniseg.StringWidth(c.cells[row]))
			if c.align == alignRight {
				line.WriteString(blanks + c.cells[row])
			} else {
				line.WriteString(c.cells[row] + blanks)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		b.WriteByte('\n')
	}
}
