package html

import "unicode/utf8"

// The warnings of a printed summary: lines that they may take, and how many letters a line has on A4.
const (
	mostWarningLines = 10
	warningLine      = 100
)

// linesOf is how many printed lines texts of so many letters take.
func linesOf(letters int) int { return max(1, (letters+warningLine-1)/warningLine) }

// letters is how long a text with values in it is.
func (p prose) letters() (n int) {
	for _, x := range p {
		if n += utf8.RuneCountInString(x.Text); x.Value != nil {
			n += utf8.RuneCountInString(x.Value.Text)
		}
	}
	return n
}

// printed is how many of a page's warnings its printed summary has room for; the page on a screen has all of them
// on top, and the printed one all at its end.
func printed(warnings []prose) int {
	lines := 0
	for i, w := range warnings {
		if lines += linesOf(w.letters()); lines > mostWarningLines {
			return i
		}
	}
	return len(warnings)
}

// printedLines are the lines that texts take as warnings of a printed summary, each with the room around it.
func printedLines(texts []string) (lines int) {
	room := mostWarningLines
	for _, s := range texts {
		n := linesOf(utf8.RuneCountInString(s))
		if room -= n; room < 0 {
			return lines + 1 // that there are more
		}
		lines += n + 1
	}
	return lines
}
