package harness

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/metric"
	"github.com/softbench/softbench/tasks/py"
	"github.com/softbench/softbench/tasks/pyfunc"
)

// source is what a document's own scoring takes.
type source struct {
	doc  *py.Dict
	gold py.Value
}

// part is a value of a document in a metric that is aggregated over all of them.
type part struct{ of py.Value }

// scorer scores documents as a task's file says.
type scorer struct {
	kind     tasks.Kind
	process  function // process_results; nil: none
	measures []measure
	own      map[string]tasks.OwnMetric
}

// measure is a metric whose values are the right answer and the given one, or what a function makes of these.
type measure struct {
	name    string
	of      function
	options *value
}

// Score implements tasks.Scorer.
func (s *scorer) Score(doc *tasks.Doc, answers []answer.Answer, text string, listed bool) (map[string]any, error) {
	taken := py.Value(text)
	if listed {
		taken = py.NewList(text)
	}
	src, ok := doc.Source.(*source)
	if !ok {
		return nil, errors.New("the document has not what its task's own scoring takes")
	}
	out := map[string]any{}
	if s.process != nil {
		v, err := s.process.Call(src.doc.Copy(), s.results(answers, taken))
		if err != nil {
			return nil, fmt.Errorf("process_results: %w", err)
		}
		d, ok := v.(*py.Dict)
		if !ok {
			return nil, fmt.Errorf("process_results gives a %s, not a dict", py.TypeName(v))
		}
		c := d.Copy()
		c.Unordered = false
		items, _ := c.Items()
		for _, i := range items {
			name, ok := i.(py.Tuple)[0].(string)
			if !ok {
				return nil, fmt.Errorf("process_results gives a key of type %s", py.TypeName(i.(py.Tuple)[0]))
			}
			if err := s.keep(out, name, i.(py.Tuple)[1]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	for _, m := range s.measures {
		v, err := m.value(doc, src.gold, answers, taken)
		if err != nil {
			return nil, fmt.Errorf("metric %s: %w", m.name, err)
		}
		if d, ok := v.(*py.Dict); ok {
			if v, ok = d.Get(m.name); !ok || d.Len() != 1 {
				return nil, fmt.Errorf("metric %s: a function that gives other metrics is not understood", m.name)
			}
		}
		if err := s.keep(out, m.name, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keep takes a value in, as the metric's mean or its aggregation takes it.
func (s *scorer) keep(out map[string]any, name string, v py.Value) error {
	if s.own[name].Whole != nil {
		out[name] = part{v}
		return nil
	}
	n, ok := py.Number(v)
	if !ok {
		return fmt.Errorf("the metric %s, whose mean is taken, gets a value of type %s", name, py.TypeName(v))
	}
	out[name] = n
	return nil
}

// results are the answers as process_results gets them.
func (s *scorer) results(answers []answer.Answer, taken py.Value) *py.List {
	out := &py.List{}
	switch s.kind {
	case tasks.GenerateUntil:
		out.Items = append(out.Items, taken)
	case tasks.RollingPerplexity:
		out.Items = append(out.Items, answers[0].LogLikelihood)
	default:
		for _, a := range answers {
			out.Items = append(out.Items, py.Tuple{a.LogLikelihood, a.Greedy})
		}
	}
	return out
}

// value is the measure of a document.
func (m *measure) value(doc *tasks.Doc, gold py.Value, answers []answer.Answer, taken py.Value) (py.Value, error) {
	if len(doc.Requests) > 0 && doc.Requests[0].Ask != tasks.Generating {
		return m.choice(doc, gold, answers)
	}
	if _, many := gold.(*py.List); many {
		return nil, errors.New("several right answers are not understood here")
	}
	pair := &py.List{Items: []py.Value{gold, taken}}
	if m.of == nil {
		return pair, nil
	}
	named := map[string]py.Value{"references": py.NewList(gold), "predictions": py.NewList(taken)}
	for _, k := range m.options.keys {
		named[k] = m.options.dict[k].py
	}
	v, err := m.of.CallNamed(nil, named)
	if err != nil && pyfunc.IsTypeError(err) { // as the harness tries then
		return m.of.Call(pair)
	}
	return v, err
}

// choice is a metric of multiple choice, for an aggregation of the task's own.
func (m *measure) choice(doc *tasks.Doc, gold py.Value, answers []answer.Answer) (py.Value, error) {
	d := metric.Document{Gold: doc.Gold, AlsoGold: doc.AlsoGold, Answers: answers}
	for _, q := range doc.Requests {
		d.Choices = append(d.Choices, q.Choice)
	}
	if m.name == "f1" || m.name == "mcc" {
		acc, _ := metric.Find("acc")
		return py.Tuple{gold, int64(acc.Chosen(d))}, nil
	}
	row, _ := metric.Find(m.name)
	v, _, ok := row.Of(d)
	if !ok {
		return nil, errors.New("the document has no value")
	}
	return v, nil
}

// wholeOf is an aggregation of Python code. lm-evaluation-harness gives such a metric no error.
func wholeOf(f function) *metric.Whole {
	return &metric.Whole{Of: func(parts []any) (float64, error) {
		v, err := f.Call(listOf(parts))
		if err != nil {
			return math.NaN(), err
		}
		n, ok := py.Number(v)
		if !ok {
			return math.NaN(), fmt.Errorf("the aggregation gives a value of type %s", py.TypeName(v))
		}
		return n, nil
	}}
}

func listOf(parts []any) *py.List {
	l := &py.List{Items: make([]py.Value, len(parts))}
	for i, p := range parts {
		l.Items[i] = p.(part).of
	}
	return l
}

// wholes are the harness's own aggregations that are no mean, of values that process_results gives.
var wholes = map[string]*metric.Whole{
	"f1": {Draws: metric.WholeDraws, Of: func(parts []any) (float64, error) {
		c, err := classified(parts)
		if err != nil {
			return math.NaN(), err
		}
		return c.F1("binary")
	}},
	"matthews_corrcoef": {Draws: metric.WholeDraws, Of: func(parts []any) (float64, error) {
		c, err := classified(parts)
		if err != nil {
			return math.NaN(), err
		}
		return c.Matthews(), nil
	}},
	"perplexity": {Draws: metric.WholeDraws, Of: func(parts []any) (float64, error) {
		return meanOf(parts, func(x float64) float64 { return math.Exp(-x) })
	}},
	"weighted_perplexity": {Of: func(parts []any) (float64, error) {
		return weightedMean(parts, func(x float64) float64 { return math.Exp(-x) })
	}},
	"bits_per_byte": {Of: func(parts []any) (float64, error) {
		return weightedMean(parts, func(x float64) float64 { return -x / math.Ln2 })
	}},
	"nanmean": {Draws: metric.WholeDraws, Of: func(parts []any) (float64, error) {
		sum, n := 0.0, 0.0
		for _, p := range parts {
			v, ok := py.Number(p.(part).of)
			if !ok {
				return math.NaN(), errors.New("a value is no number")
			}
			if !math.IsNaN(v) {
				sum += v
				n++
			}
		}
		return sum / n, nil
	}},
	"median": {Draws: metric.WholeDraws, Of: func(parts []any) (float64, error) {
		values := make([]float64, len(parts))
		for i, p := range parts {
			v, ok := py.Number(p.(part).of)
			if !ok {
				return math.NaN(), errors.New("a value is no number")
			}
			values[i] = v
		}
		slices.Sort(values)
		return values[len(values)/2], nil
	}},
}

// meanOf is a function of the mean of values.
func meanOf(parts []any, of func(float64) float64) (float64, error) {
	sum := 0.0
	for _, p := range parts {
		v, ok := py.Number(p.(part).of)
		if !ok {
			return math.NaN(), errors.New("a value is no number")
		}
		sum += v
	}
	return of(sum / float64(len(parts))), nil
}

// weightedMean is a function of the sum of values over that of weights, which stand in pairs.
func weightedMean(parts []any, of func(float64) float64) (float64, error) {
	sum, weights := 0.0, 0.0
	for _, p := range parts {
		pair, err := py.Iterate(p.(part).of)
		if err != nil || len(pair) != 2 {
			return math.NaN(), errors.New("a value is no pair of a number and its weight")
		}
		v, ok := py.Number(pair[0])
		w, also := py.Number(pair[1])
		if !ok || !also {
			return math.NaN(), errors.New("a value is no pair of a number and its weight")
		}
		sum, weights = sum+v, weights+w
	}
	return of(sum / weights), nil
}

// classified counts pairs of a right class and a taken one.
func classified(parts []any) (*metric.Classes, error) {
	docs := make([]metric.Classified, len(parts))
	for i, p := range parts {
		pair, err := py.Iterate(p.(part).of)
		if err != nil || len(pair) != 2 {
			return nil, errors.New("a value is no pair of classes")
		}
		gold, ok := py.Int(pair[0])
		taken, also := py.Int(pair[1])
		if !ok || !also {
			return nil, errors.New("a class is no number")
		}
		docs[i] = metric.Classified{Gold: int(gold), Taken: int(taken)}
	}
	return metric.CountClasses(docs), nil
}
