package lmeval

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/pythonjson"
)

// Sample is one line of a samples file: one document under one filter.
type Sample struct {
	DocID  int
	Filter string
	// The harness's hashes of the document as JSON, of the first request's context
	// and of the target; "" in files of older versions.
	DocHash, PromptHash, TargetHash string
	Source                          string // softbench's hash of the source document, in its own exports; else ""

	Doc       map[string]any // the document as the task prepared it; numbers are json.Number
	Requests  []Request
	Responses []Response // one for each request, where it is a loglikelihood
	// Generated says that the answer is a text, which the filter took Taken of.
	Generated   bool
	Text, Taken string
	Values      []Value // in the order of the line's metrics
}

// Request is a context and what was scored after it; a rolling text has only
// the first.
type Request struct{ Context, Continuation string }

// Response is the model's answer to a loglikelihood request.
type Response struct {
	LogLikelihood float64
	Greedy        bool
}

// Value is a document's part in a metric: a number with weight 1, or a sum of
// loglikelihoods with the number of words or bytes it is over.
type Value struct {
	Metric        string
	Value, Weight float64
	Weighted      bool
}

// hashSamples is the results file's task hash: over the three hashes of each
// sample in order.
func hashSamples(samples []Sample) string {
	h := sha256.New()
	for _, s := range samples {
		io.WriteString(h, s.DocHash+s.PromptHash+s.TargetHash)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Bounds of a samples file, far above real ones.
const (
	maxLine        = 64 << 20 // bytes of a line: a document with all its requests
	maxLineValues  = 1 << 20
	maxFileValues  = 8 << 20 // of all its lines
	maxFileObjects = 2 << 20
)

func parseSamples(r io.Reader) ([]Sample, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 1<<16), maxLine)
	type place struct {
		doc    int
		filter string
	}
	seen := map[place]int{}
	var out []Sample
	line, values, objects := 0, 0, 0
	for in.Scan() {
		line++
		v, o := pythonjson.Count(in.Bytes())
		values, objects = values+v, objects+o
		switch {
		case v > maxLineValues:
			return nil, fmt.Errorf("line %d: more than %d values", line, maxLineValues)
		case values > maxFileValues:
			return nil, fmt.Errorf("line %d: more than %d values so far", line, maxFileValues)
		case objects > maxFileObjects:
			return nil, fmt.Errorf("line %d: more than %d objects so far", line, maxFileObjects)
		}
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		s, err := parseSample(in.Bytes())
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		p := place{s.DocID, s.Filter}
		if first, ok := seen[p]; ok {
			return nil, fmt.Errorf("line %d: document %d is there twice, first on line %d", line, s.DocID, first)
		}
		seen[p] = line
		out = append(out, s)
	}
	if err := in.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d: more than %d MiB", line+1, maxLine>>20)
	} else if err != nil {
		return nil, fmt.Errorf("line %d: %w", line+1, err)
	}
	if len(out) == 0 {
		return nil, errors.New("no samples")
	}
	return out, nil
}

// fixed are the fields of a sample that are not metrics.
var fixed = []string{"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash", "prompt_hash", "target_hash", SourceHash}

func parseSample(text []byte) (Sample, error) {
	text = pythonjson.Plain(text)
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return Sample{}, fmt.Errorf("not JSON, or cut off: %w", jsonplace.Plain(err))
	}
	var head struct {
		DocID      *int            `json:"doc_id"`
		Doc        json.RawMessage `json:"doc"`
		Filter     string          `json:"filter"`
		Metrics    []string        `json:"metrics"`
		DocHash    string          `json:"doc_hash"`
		PromptHash string          `json:"prompt_hash"`
		TargetHash string          `json:"target_hash"`
		Source     string          `json:"softbench_doc_hash"` // SourceHash
		Said       []any           `json:"resps"`
		Filtered   []any           `json:"filtered_resps"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return Sample{}, fmt.Errorf("not a sample: %w", jsonplace.Plain(err))
	}
	if head.DocID == nil || *head.DocID < 0 {
		return Sample{}, errors.New("not a sample: it has no doc_id")
	}
	s := Sample{DocID: *head.DocID, Filter: head.Filter, DocHash: head.DocHash, PromptHash: head.PromptHash, TargetHash: head.TargetHash, Source: head.Source}
	if len(head.Doc) > 0 && head.Doc[0] == '{' {
		d := json.NewDecoder(bytes.NewReader(head.Doc))
		d.UseNumber()
		if err := d.Decode(&s.Doc); err != nil {
			return Sample{}, fmt.Errorf("its document: %w", err)
		}
	}
	if hash, ok := s.Doc[SourceHash].(string); ok { // as earlier versions wrote it
		s.Source = hash
	}
	var err error
	if s.Requests, s.Generated, err = parseRequests(fields["arguments"]); err != nil {
		return Sample{}, err
	}
	if s.Generated {
		s.Text, s.Taken = onlyText(head.Said), onlyText(head.Filtered)
	} else if s.Responses, err = parseResponses(head.Filtered); err != nil {
		return Sample{}, err
	}
	names := head.Metrics
	if names == nil { // before version 0.4.5 the line does not name them
		for k := range fields {
			if !slices.Contains(fixed, k) {
				names = append(names, k)
			}
		}
		slices.Sort(names)
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			return Sample{}, fmt.Errorf("metric %q is there twice", name)
		}
		seen[name] = true
		var text string
		if json.Unmarshal(fields[name], &text) == nil {
			if _, ok := number(text); ok {
				return Sample{}, fmt.Errorf("document %d: metric %q is %s: the model's answers were not finite", s.DocID, name, text)
			}
		}
		if v, ok := parseValue(fields[name]); ok {
			v.Metric = name
			s.Values = append(s.Values, v)
		}
	}
	return s, nil
}

// parseValue reads a number, a truth value, or a pair of sum and weight; ok is
// false for anything else, which some metrics of the harness are.
func parseValue(text json.RawMessage) (v Value, ok bool) {
	var any any
	if len(text) == 0 || json.Unmarshal(text, &any) != nil {
		return v, false
	}
	v.Weight = 1
	switch x := any.(type) {
	case float64:
		v.Value = x
		return v, true
	case bool:
		if x {
			v.Value = 1
		}
		return v, true
	case []interface{}:
		if len(x) != 2 {
			return v, false
		}
		a, okA := x[0].(float64)
		b, okB := x[1].(float64)
		v.Value, v.Weight, v.Weighted = a, b, true
		return v, okA && okB && b >= 0
	}
	return v, false
}

// parseRequests reads {"gen_args_0": {"arg_0": ..., "arg_1": ...}, ...}, or the
// lists of older versions. Arguments that are not text end a request: those of a generated answer are settings.
func parseRequests(text json.RawMessage) (out []Request, generated bool, err error) {
	if len(text) == 0 {
		return nil, false, nil
	}
	var named map[string]map[string]any
	var listed [][]any
	if json.Unmarshal(text, &named) == nil {
		for i := range len(named) {
			args := named["gen_args_"+strconv.Itoa(i)]
			if args == nil {
				return nil, false, fmt.Errorf("its arguments lack gen_args_%d", i)
			}
			var list []any
			for j := range len(args) {
				list = append(list, args["arg_"+strconv.Itoa(j)])
			}
			listed = append(listed, list)
		}
	} else if json.Unmarshal(text, &listed) != nil {
		return nil, false, errors.New("its arguments are neither an object nor a list of lists")
	}
	for _, list := range listed {
		var r Request
		if len(list) > 0 {
			r.Context, _ = list[0].(string)
		}
		if len(list) > 1 {
			r.Continuation, _ = list[1].(string)
			_, settings := list[1].(map[string]any)
			generated = generated || settings
		}
		out = append(out, r)
	}
	return out, generated, nil
}

// onlyText is the text that a list holds, or a list within it; "" where it is something else.
func onlyText(list []any) string {
	for len(list) == 1 {
		switch x := list[0].(type) {
		case string:
			return x
		case []any:
			list = x
		default:
			return ""
		}
	}
	return ""
}

// parseResponses reads loglikelihoods, which the harness writes as text:
// ["-1.5", "True"] for a request, "-1.5" for a rolling text. Anything else, as
// generated text, gives none.
func parseResponses(list []any) ([]Response, error) {
	var out []Response
	for i, entry := range list {
		var r Response
		pair, isPair := entry.([]any)
		if isPair && len(pair) == 2 {
			entry = pair[0]
			r.Greedy = fmt.Sprint(pair[1]) == "True" || pair[1] == true
		} else if isPair {
			return nil, nil
		}
		f, ok := entry.(float64)
		if text, isText := entry.(string); isText {
			v, err := strconv.ParseFloat(text, 64)
			f, ok = v, err == nil
		}
		if !ok {
			return nil, nil
		}
		if isPair && (math.IsNaN(f) || f > 0.001) {
			return nil, fmt.Errorf("the loglikelihood of request %d is %v", i, f)
		}
		if math.IsNaN(f) {
			return nil, fmt.Errorf("response %d is not a number", i)
		}
		r.LogLikelihood = f
		out = append(out, r)
	}
	return out, nil
}
