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

// Keep is the rank of a column that is never left out.
const Keep = 0

// Grid is a table of text for a terminal. Columns are two blanks apart, as wide
// as their widest cell, where a Chinese character takes two places and a combining
// mark none.
type Grid struct{ columns []column }

type column struct {
	align Align
	rank  int // the lowest above Keep is left out first
	cells []string
	width int
}

// Column adds a column.
func (g *Grid) Column(title string, align Align, rank int) {
	g.columns = append(g.columns, column{align, rank, []string{title}, uniseg.StringWidth(title)})
}

// Row adds a row, a cell for each column.
func (g *Grid) Row(cells ...string) {
	for i, c := range cells {
		col := &g.columns[i]
		col.cells = append(col.cells, c)
		col.width = max(col.width, uniseg.StringWidth(c))
	}
}

// Fit leaves out columns until the rest is at most width wide, as far as that
// goes; width 0 takes any.
func (g *Grid) Fit(width int) *Grid {
	out := &Grid{slices.Clone(g.columns)}
	for width > 0 {
		total, least := 2*(len(out.columns)-1), -1
		for i, c := range out.columns {
			total += c.width
			if c.rank != Keep && (least < 0 || c.rank < out.columns[least].rank) {
				least = i
			}
		}
		if total <= width || least < 0 {
			break
		}
		out.columns = slices.Delete(out.columns, least, least+1)
	}
	return out
}

// Write writes the titles and the rows.
func (g *Grid) Write(b *strings.Builder) { g.write(b, 0) }

// WriteRows writes the rows without the titles.
func (g *Grid) WriteRows(b *strings.Builder) { g.write(b, 1) }

func (g *Grid) write(b *strings.Builder, first int) {
	for row := first; row < len(g.columns[0].cells); row++ {
		var line strings.Builder
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

// TerminalWidth is how many cells wide the terminal behind out is; 0 where it is not a
// terminal.
func TerminalWidth(out io.Writer) int {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
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
