package html

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/tasks/metric"
)

// Value is a number as shown, and where in the page's JSON it stands. Values
// are read from that JSON, so the page cannot show another number.
type Value struct {
	From string // JSON pointer
	Raw  string // the number as the JSON has it; empty for null
	Text string // as shown
}

// numbers reads values from the page's JSON.
type numbers struct {
	tree any
	err  error // the first place that was not there
}

func newNumbers(tree []byte) (*numbers, error) {
	d := json.NewDecoder(bytes.NewReader(tree))
	d.UseNumber()
	n := &numbers{}
	return n, d.Decode(&n.tree)
}

// at is the number at a path of names and indices.
func (n *numbers) at(format func(float64) string, path ...any) Value {
	v := Value{Text: text.None}
	node := n.tree
	for _, step := range path {
		var ok bool
		switch s := step.(type) {
		case string:
			v.From += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
			m, _ := node.(map[string]any)
			node, ok = m[s]
		case int:
			v.From += "/" + strconv.Itoa(s)
			l, _ := node.([]any)
			if ok = s >= 0 && s < len(l); ok {
				node = l[s]
			}
		}
		if !ok {
			n.fail(v.From, "not there")
			return v
		}
	}
	switch x := node.(type) {
	case nil:
	case json.Number:
		f, err := x.Float64()
		if err != nil {
			n.fail(v.From, err.Error())
			return v
		}
		v.Raw, v.Text = x.String(), format(f)
	default:
		n.fail(v.From, fmt.Sprintf("%T, not a number", node))
	}
	return v
}

func (n *numbers) fail(from, what string) {
	if n.err == nil {
		n.err = fmt.Errorf("the report's JSON at %s: %s: this is a fault of softbench", from, what)
	}
}

var nan = math.NaN()

// unit says how a metric's values and differences are written.
type unit struct {
	value, difference func(float64) string
	name              chart.Unit // for the interactive charts
}

var (
	share  = unit{text.Percent, text.Points, chart.Percent}
	factor = unit{text.Figures, text.PlusFigures, chart.Plain}
)

// unitOf is how a metric of that name is written.
func unitOf(name string) unit {
	if metric.ByName(name).Unit == metric.Share {
		return share
	}
	return factor
}
