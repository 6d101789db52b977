package text

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// Align is a column's alignment.
type Align int

const (
	Left Align = iota
	Right
)

// underHead is what rows begin with below a heading.
const underHead = "  "

// Keep is the rank of a column that is never left out.
const Keep = 0

// Grid is a table of text for a terminal. Columns are two blanks apart, as wide
// as their widest cell, where a Chinese character takes two places and a combining
// mark none.
type Grid struct {
	columns []column
	heads   []string // of rows, each on a line of its own where it is another than before; nil: none
}

type column struct {
	align Align
	rank  int // the lowest above Keep is left out first
	cells []string
	width int
	short string // title where there is little room; "": the same
	folds bool   // its cells become headings of rows instead of being left out
}

// Column adds a column.
func (g *Grid) Column(title string, align Align, rank int) {
	g.columns = append(g.columns, column{align, rank, []string{title}, uniseg.StringWidth(title), "", false})
}

// Fold adds a column whose cells stand on lines of their own above their rows where there is little
// room; an empty one means the one before.
func (g *Grid) Fold(title string, rank int) {
	g.Column(title, Left, rank)
	g.columns[len(g.columns)-1].folds = true
}

// Short gives the last column another title where there is little room.
func (g *Grid) Short(title string) { g.columns[len(g.columns)-1].short = title }

// shortened is the grid with short titles.
func (g *Grid) shortened() *Grid {
	out := &Grid{columns: slices.Clone(g.columns)}
	for i := range out.columns {
		c := &out.columns[i]
		if c.short == "" {
			continue
		}
		c.cells, c.width = slices.Clone(c.cells), 0
		c.cells[0] = c.short
		for _, cell := range c.cells {
			c.width = max(c.width, uniseg.StringWidth(cell))
		}
	}
	return out
}

// Width is how many cells wide the grid is.
func (g *Grid) Width() int {
	total := 2 * (len(g.columns) - 1)
	if g.heads != nil {
		total += len(underHead)
	}
	for _, c := range g.columns {
		total += c.width
	}
	return total
}

// Row adds a row, a cell for each column.
func (g *Grid) Row(cells ...string) {
	for i, c := range cells {
		col := &g.columns[i]
		col.cells = append(col.cells, c)
		col.width = max(col.width, uniseg.StringWidth(c))
	}
}

// Fit takes short titles and leaves out or folds columns until the rest is at most width wide, as far as
// that goes; width 0 takes any.
func (g *Grid) Fit(width int) *Grid {
	if width <= 0 || g.Width() <= width {
		return g
	}
	out := g.shortened()
	for out.Width() > width {
		least := -1
		for i, c := range out.columns {
			if c.rank != Keep && (least < 0 || c.rank < out.columns[least].rank) {
				least = i
			}
		}
		if least < 0 {
			break
		}
		if c := out.columns[least]; c.folds {
			out.heads = c.cells
		}
		out.columns = slices.Delete(out.columns, least, least+1)
	}
	return out
}

// Write writes the titles and the rows.
func (g *Grid) Write(b *strings.Builder) {
	for row := 0; row < len(g.columns[0].cells); row++ {
		var line strings.Builder
		if g.heads != nil {
			if head := g.heads[row]; row > 0 && head != "" && head != g.heads[row-1] {
				b.WriteString(head + "\n")
			}
			line.WriteString(underHead)
		}
		for i, c := range g.columns {
			if i > 0 {
				line.WriteString("  ")
			}
			blanks := strings.Repeat(" ", c.width-uniseg.StringWidth(c.cells[row]))
			if c.align == Right {
				line.WriteString(blanks + c.cells[row])
			} else {
				line.WriteString(c.cells[row] + blanks)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// Printable replaces what would move a terminal's cursor or change its colours.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200d' {
			return '\uFFFD'
		}
		return r
	}, s)
}

// Wrap breaks text at blanks into lines of at most width cells, each ended; 0:
// one line.
func Wrap(text string, width int) string {
	if width <= 0 {
		return text + "\n"
	}
	var b strings.Builder
	used := 0
	for i, word := range strings.Split(text, " ") {
		w := uniseg.StringWidth(word)
		switch {
		case i == 0:
		case used+1+w > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += w
	}
	return b.String() + "\n"
}

// List writes names with what is said of each beside them, the names in a column of their own behind
// so many blanks. What is longer than the width goes on below itself; width 0 takes any.
// Where the names leave no room, it stands below them.
func List(b *strings.Builder, rows [][2]string, indent, width int) {
	names := 0
	for _, r := range rows {
		names = max(names, uniseg.StringWidth(r[0]))
	}
	const least = 24 // cells for what is said: less is no column
	room := width - indent - names - 2
	switch {
	case width <= 0:
		room = 0
	case room < least:
		listBelow(b, rows, indent, width)
		return
	}
	for _, r := range rows {
		lines := strings.Split(strings.TrimSuffix(Wrap(r[1], room), "\n"), "\n")
		for i, line := range lines {
			name := ""
			if i == 0 {
				name = r[0]
			}
			blanks := strings.Repeat(" ", names-uniseg.StringWidth(name)+2)
			b.WriteString(strings.TrimRight(strings.Repeat(" ", indent)+name+blanks+line, " ") + "\n")
		}
	}
}

// listBelow is List where names leave no room: what is said stands below them.
func listBelow(b *strings.Builder, rows [][2]string, indent, width int) {
	blanks := strings.Repeat(" ", indent+4)
	for _, r := range rows {
		b.WriteString(strings.Repeat(" ", indent) + r[0] + "\n")
		if r[1] == "" {
			continue
		}
		for _, line := range strings.Split(strings.TrimSuffix(Wrap(r[1], max(1, width-len(blanks))), "\n"), "\n") {
			b.WriteString(blanks + line + "\n")
		}
	}
}

// TerminalWidth is how many cells wide what is written to a file may be: as COLUMNS says, else the
// terminal behind it; 0 where it is none.
func TerminalWidth(out io.Writer) int {
	f, ok := out.(*os.File)
	if !ok {
		return 0
	}
	if w, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && w > 0 {
		return w
	}
	if term.IsTerminal(int(f.Fd())) {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			return w
		}
	}
	return 0
}

// Choose is the word for one thing or for more.
func Choose(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// Plural is a number with its word.
func Plural(n int, one, more string) string { return strconv.Itoa(n) + " " + Choose(n, one, more) }

// Arrow points to a metric's better side.
func Arrow(higherIsBetter bool) string {
	if higherIsBetter {
		return "↑"
	}
	return "↓"
}
