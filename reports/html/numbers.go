package html

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/tasks/metric"
)

// Value is a number as shown, and where in the page's JSON it stands. Values are of
// fields of the document that the page carries as JSON, so the page cannot show another number.
type Value struct {
	From string // JSON pointer
	Raw  string // the number as the JSON has it; empty for null
	Text string // as shown
}

// number is what a field of a document can be that the page shows.
type number interface {
	~int | ~int32 | ~int64 | ~uint64 | ~float64
}

// field is a number's place in a document: an address, which the document's JSON gives its name.
type field struct{ v reflect.Value }

// of is a field, by a pointer into the document.
func of[T number](p *T) field { return field{reflect.ValueOf(p).Elem()} }

// float is the number.
func (f field) float() float64 {
	switch {
	case f.v.CanFloat():
		return f.v.Float()
	case f.v.CanUint():
		return float64(f.v.Uint())
	}
	return float64(f.v.Int())
}

// numbers are the places of a document's fields in its JSON.
type numbers struct {
	regions []region // by address
	err     error    // the first field that the JSON does not have
}

// region is memory of one piece: a struct, or the elements of a slice.
type region struct {
	start, end uintptr
	at         string // JSON pointer
	v          reflect.Value
}

// newNumbers finds the places of what a document points to.
func newNumbers[T any](document *T) *numbers {
	n := &numbers{}
	n.find(reflect.ValueOf(document), "")
	slices.SortFunc(n.regions, func(a, b region) int { return cmp.Compare(a.start, b.start) })
	return n
}

// find adds the memory that a value points to, and what that points to.
func (n *numbers) find(v reflect.Value, at string) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		n.regions = append(n.regions, region{v.Pointer(), v.Pointer() + v.Type().Elem().Size(), at, v.Elem()})
		n.find(v.Elem(), at)
	case reflect.Slice:
		if v.Len() == 0 {
			return
		}
		n.regions = append(n.regions, region{v.Pointer(), v.Pointer() + uintptr(v.Len())*v.Type().Elem().Size(), at, v})
		switch v.Type().Elem().Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Struct:
			for i := range v.Len() {
				n.find(v.Index(i), at+"/"+strconv.Itoa(i))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name, ok := jsonName(v, i); ok {
				n.find(v.Field(i), at+name)
			}
		}
	}
}

// jsonName is the step of a JSON pointer to a struct's field, "" where its own fields stand in the
// struct's place; false where the JSON leaves it out.
func jsonName(v reflect.Value, i int) (step string, ok bool) {
	f := v.Type().Field(i)
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case f.Anonymous && name == "":
		return "", true
	case !f.IsExported() || name == "-" || options == "omitempty" && v.Field(i).IsZero():
		return "", false
	case name == "":
		name = f.Name
	}
	return "/" + name, true
}

// at is a field as shown.
func (n *numbers) at(format func(float64) string, f field) Value {
	v := Value{Text: text.None}
	raw, err := json.Marshal(f.v.Interface())
	if err == nil {
		v.From, err = n.pointer(f.v)
	}
	if err != nil {
		if n.err == nil {
			n.err = fmt.Errorf("the page's JSON: %w: this is a fault of softbench", err)
		}
		return v
	}
	if string(raw) != "null" {
		v.Raw, v.Text = string(raw), format(f.float())
	}
	return v
}

// pointer is where the JSON has a field.
func (n *numbers) pointer(f reflect.Value) (string, error) {
	address := f.Addr().Pointer()
	i, found := slices.BinarySearchFunc(n.regions, address, func(r region, a uintptr) int {
		switch {
		case r.end <= a:
			return -1
		case r.start > a:
			return 1
		}
		return 0
	})
	if !found {
		return "", fmt.Errorf("%v is not in it", f)
	}
	at, v, offset := n.regions[i].at, n.regions[i].v, address-n.regions[i].start
	for v.Type() != f.Type() || offset != 0 {
		var ok bool
		switch v.Kind() {
		case reflect.Slice:
			size := v.Type().Elem().Size()
			k := int(offset / size)
			at, v, offset, ok = at+"/"+strconv.Itoa(k), v.Index(k), offset%size, true
		case reflect.Struct:
			k := v.NumField() - 1
			for k > 0 && v.Type().Field(k).Offset > offset {
				k--
			}
			offset -= v.Type().Field(k).Offset
			var step string
			step, ok = jsonName(v, k)
			at, v = at+step, v.Field(k)
		}
		if !ok {
			return "", fmt.Errorf("%v is left out of %s", f, at)
		}
	}
	return at, nil
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
