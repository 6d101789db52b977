package pyfunc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/metric"
	"github.com/softbench/softbench/tasks/py"
)

// classes are the right classes and those taken, which are all whole numbers or all texts.
func classes(golds, taken py.Value) (docs []metric.Classified, texts bool, err error) {
	a, err := iterate(golds)
	if err != nil {
		return nil, false, err
	}
	b, err := iterate(taken)
	if err != nil {
		return nil, false, err
	}
	if len(a) != len(b) || len(a) == 0 {
		return nil, false, raise("ValueError", "%d right classes and %d taken ones", len(a), len(b))
	}
	var labels []string
	numbers := 0
	for _, v := range slices.Concat(a, b) {
		if s, ok := v.(string); ok {
			labels = append(labels, s)
		} else if _, ok := py.Int(v); ok {
			numbers++
		}
	}
	slices.Sort(labels)
	labels = slices.Compact(labels)
	if texts = numbers == 0; texts && len(labels) == 0 || !texts && (len(labels) > 0 || numbers != 2*len(a)) {
		return nil, false, raise("ValueError", "classes that are neither all texts nor all whole numbers")
	}
	place := func(v py.Value) int {
		if n, ok := py.Int(v); ok {
			return int(n)
		}
		s, _ := v.(string)
		i, _ := slices.BinarySearch(labels, s)
		return i
	}
	for i := range a {
		docs = append(docs, metric.Classified{Gold: place(a[i]), Taken: place(b[i])})
	}
	return docs, texts, nil
}

// f1Score is sklearn.metrics.f1_score(y_true, y_pred, average=...).
func f1Score(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	average := "binary"
	for k, v := range named {
		s, ok := v.(string)
		switch {
		case k == "average" && ok:
			average = s
		case k == "y_true" && len(args) == 0, k == "y_pred" && len(args) == 1:
		default:
			return nil, fmt.Errorf("the argument %s of f1_score is not understood", k)
		}
	}
	if len(args) != 2 {
		return nil, fmt.Errorf("f1_score with %d arguments is not understood", len(args))
	}
	docs, texts, err := classes(args[0], args[1])
	if err != nil {
		return nil, err
	}
	if texts && average == "binary" {
		return nil, raise("ValueError", "pos_label=1 is not a valid label")
	}
	v, err := metric.CountClasses(docs).F1(average)
	if err != nil {
		return nil, raise("ValueError", "%v", err)
	}
	return v, nil
}

// accuracyScore is sklearn.metrics.accuracy_score(y_true, y_pred).
func accuracyScore(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) != 2 || len(named) > 0 {
		return nil, fmt.Errorf("accuracy_score like this is not understood")
	}
	docs, _, err := classes(args[0], args[1])
	if err != nil {
		return nil, err
	}
	right := 0
	for _, d := range docs {
		if d.Gold == d.Taken {
			right++
		}
	}
	return float64(right) / float64(len(docs)), nil
}

// matthews is sklearn.metrics.matthews_corrcoef(y_true, y_pred).
func matthews(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) != 2 || len(named) > 0 {
		return nil, fmt.Errorf("matthews_corrcoef like this is not understood")
	}
	docs, _, err := classes(args[0], args[1])
	if err != nil {
		return nil, err
	}
	return metric.CountClasses(docs).Matthews(), nil
}

// weightedF1 is lm_eval.utils.weighted_f1_score, of pairs of a right class and a taken one.
func weightedF1(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) != 1 || len(named) > 0 {
		return nil, fmt.Errorf("weighted_f1_score like this is not understood")
	}
	items, err := iterate(args[0])
	if err != nil {
		return nil, err
	}
	golds, taken := &py.List{}, &py.List{}
	for _, i := range items {
		pair, err := iterate(i)
		if err != nil {
			return nil, err
		}
		if len(pair) != 2 {
			return nil, raise("ValueError", "an item has %d values, not a right class and a taken one", len(pair))
		}
		golds.Items, taken.Items = append(golds.Items, pair[0]), append(taken.Items, pair[1])
	}
	return f1Score(b, []py.Value{golds, taken}, map[string]py.Value{"average": "weighted"})
}

// pathPart is os.path.basename (last) and dirname (not last) of a path with slashes.
func pathPart(name string, last bool) native {
	return one(name, func(_ *budget, v py.Value) (py.Value, error) {
		s, ok := v.(string)
		if !ok {
			return nil, raise("TypeError", "%s of a %s", name, py.TypeName(v))
		}
		i := strings.LastIndexByte(s, '/')
		if last {
			return s[i+1:], nil
		}
		return strings.TrimRight(s[:i+1], "/"), nil
	})
}
