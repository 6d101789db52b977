package conform

import (
	"fmt"
	"math"
	"strings"
)

// Mismatch is in what one operand of a case is not as it must be.
type Mismatch struct {
	Operand  int       `json:"operand"`
	Elements int       `json:"elements"` // of the operand
	Count    int       `json:"wrong"`    // of them farther off than is allowed, or changed where they are only read
	First    []Element `json:"first,omitempty"`
	Largest  *Element  `json:"largest,omitempty"` // difference; NaN is the largest
	Behind   int       `json:"behind,omitempty"`  // bytes written behind the operand's end
}

// Element is one wrong element, by its place in the operand's rows.
type Element struct {
	Row     int    `json:"row"`
	Column  int    `json:"column"`
	Got     number `json:"got"`
	Want    number `json:"want"`
	Allowed number `json:"allowed"` // difference
}

// number is a float that JSON can always hold: NaN and infinities as text.
type number float64

func (n number) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%v", float64(n)), nil }

func (n *number) UnmarshalText(b []byte) error {
	_, err := fmt.Sscan(string(b), (*float64)(n))
	return err
}

// mostTold is the wrong elements that are told one by one.
const mostTold = 16

// Mismatches is an error: all wrong operands of a case, told in one line.
type Mismatches []Mismatch

// Error names the first wrong element and the largest difference of each operand.
func (list Mismatches) Error() string {
	var text []string
	for _, m := range list {
		switch {
		case m.Count > 0:
			f, l := m.First[0], m.Largest
			text = append(text, fmt.Sprintf("operand %d: %d of %d elements are wrong, the first (row %d, column %d) is %v, want %v within %.1e; the farthest off (row %d, column %d) is %v, want %v",
				m.Operand, m.Count, m.Elements, f.Row, f.Column, float64(f.Got), float64(f.Want), float64(f.Allowed), l.Row, l.Column, float64(l.Got), float64(l.Want)))
		case m.Behind > 0:
			text = append(text, fmt.Sprintf("operand %d: wrote behind its end, up to byte %d", m.Operand, m.Behind))
		}
	}
	return strings.Join(text, "; ")
}

// compare holds a buffer against the simulated device's and returns the largest
// difference, as a part of what is allowed, or what is wrong.
func (b *buffer) compare(got, want []byte) (worst float64, wrong *Mismatch) {
	size := b.element.bytes()
	m := Mismatch{Elements: len(b.data) / size}
	for i := len(b.data); i < len(got); i++ {
		if got[i] != 0xff {
			m.Behind = i - len(b.data) + 1
		}
	}
	farthest := -1.0
	for i := range m.Elements {
		g, w := got[i*size:][:size], want[i*size:][:size]
		if string(g) == string(w) || b.any != nil && b.any(i) {
			continue
		}
		x, y := b.element.value(g), b.element.value(w)
		allowed := 0.0
		if b.out {
			allowed = b.near * max(math.Abs(y), b.scale)
		}
		d := math.Abs(x - y)
		if b.out && d <= allowed {
			if d > 0 { // zeros of two signs differ by nothing
				worst = max(worst, d/allowed)
			}
			continue
		}
		if d != d {
			d = math.Inf(1)
		}
		e := Element{Column: i, Got: number(x), Want: number(y), Allowed: number(allowed)}
		if b.columns > 0 {
			e.Row, e.Column = i/b.columns, i%b.columns
		}
		if m.Count++; len(m.First) < mostTold {
			m.First = append(m.First, e)
		}
		if d > farthest {
			farthest, m.Largest = d, &e
		}
	}
	if m.Count > 0 || m.Behind > 0 {
		return 0, &m
	}
	return worst, nil
}
