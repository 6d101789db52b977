package lmeval

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/metric"
)

// Write writes a finished run below dir as the harness would have: dir/<model>/
// with results_<date>.json and a samples file for each task. The date is the
// run's end, so that the same run gives the same files. It returns the results
// file's path.
//
// A run keeps the requests but not the source documents: docs has them, as Documents
// reads them again, and doc and doc_hash are then the harness's own. A document that
// is not among them has the request's parts for doc, and softbench's hash. Both have
// that as SourceHash. The text of a rolling perplexity is not there; the passkey grid
// is not a task of the harness and is left out; its seeds are null, as nothing here is
// drawn by them. Documents without a score, at which the harness stops, have no line
// and are not among the effective ones.
func Write(dir, model string, run *rundir.Run, samples []rundir.Sample, docs Docs) (string, error) {
	if len(run.Tasks) == 0 {
		return "", fmt.Errorf("the run has no task that lm-evaluation-harness knows")
	}
	folder := filepath.Join(dir, sanitise(model))
	if err := atomicfile.MkdirAll(folder, 0o777); err != nil {
		return "", err
	}
	date := run.Process.End.UTC().Format("2006-01-02T15-04-05.000000")
	byTask := map[string][]rundir.Sample{}
	for i := range samples {
		byTask[samples[i].Task] = append(byTask[samples[i].Task], samples[i])
	}
	hashes := map[string]string{}
	for _, t := range run.Tasks {
		text, hash, err := samplesFile(&t, byTask[t.Name], docs)
		if err != nil {
			return "", fmt.Errorf("task %s: %w", t.Name, err)
		}
		hashes[t.Name] = hash
		if err := writeFile(filepath.Join(folder, "samples_"+sanitise(t.Name)+"_"+date+".jsonl"), text); err != nil {
			return "", err
		}
	}
	text, err := encode(resultsOf(model, run, hashes), "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "results_"+date+".json")
	return path, writeFile(path, text)
}

func writeFile(path string, text []byte) error {
	return atomicfile.Output(context.Background(), path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// Version is of the harness whose format and tasks these are.
const Version = "0.4.13"

// SourceHash is the field of a sample, in files that Write wrote, with softbench's
// hash of the source document; earlier versions wrote it into doc.
const SourceHash = "softbench_doc_hash"

// object is a JSON object whose keys keep their order.
type object []field

type field struct {
	key   string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, f := range o {
		if i > 0 {
			b = append(b, ',')
		}
		key, err := encode(f.key, "")
		if err != nil {
			return nil, err
		}
		value, err := encode(f.value, "")
		if err != nil {
			return nil, err
		}
		b = append(b, bytes.TrimSpace(key)...)
		b = append(b, ':')
		b = append(b, bytes.TrimSpace(value)...)
	}
	return append(b, '}'), nil
}

func encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	err := enc.Encode(v)
	return b.Bytes(), err
}

func resultsOf(model string, run *rundir.Run, hashes map[string]string) object {
	settings := map[string]rundir.TaskSettings{}
	for _, t := range run.Settings.Tasks {
		settings[t.Name] = t
	}
	var results, configs, versions, shots, higher, counts, taskHashes object
	for _, t := range run.Tasks {
		set := settings[t.Name]
		values := object{{"name", t.Name}, {"alias", t.Name}, {"sample_len", t.Documents - t.Unscored}}
		var directions object
		var list []object
		for _, m := range t.Metrics {
			name, filter := keyParts(m.Name)
			values = append(values, field{name + "," + filter, m.Value}, field{name + "_stderr," + filter, orNA(m.Stderr)})
			if slices.ContainsFunc(directions, func(f field) bool { return f.key == name }) {
				continue // by another filter
			}
			list = append(list, object{{"metric", name}, {"aggregation", metric.ByName(name).Harness}, {"higher_is_better", m.HigherIsBetter}})
			directions = append(directions, field{name, m.HigherIsBetter})
		}
		version := any(set.Version)
		if v, err := strconv.ParseFloat(set.Version, 64); err == nil {
			_, decimals, _ := strings.Cut(set.Version, ".")
			version = json.RawMessage(strconv.FormatFloat(v, 'f', max(1, len(decimals)), 64))
		}
		results = append(results, field{t.Name, values})
		higher = append(higher, field{t.Name, directions})
		configs = append(configs, field{t.Name, object{{"task", t.Name}, {"output_type", tasks.OutputType(t.Kind)}, {"num_fewshot", set.FewShot},
			{"metric_list", list}, {"repeats", 1}, {"metadata", object{{"version", version}, {"softbench_digest", set.Digest}}}}})
		versions = append(versions, field{t.Name, version})
		shots = append(shots, field{t.Name, set.FewShot})
		counts = append(counts, field{t.Name, object{{"original", t.Documents}, {"effective", t.Documents - t.Unscored}}})
		taskHashes = append(taskHashes, field{t.Name, hashes[t.Name]})
	}
	groups, subtasks := groupsOf(run, &results, &higher, &shots)
	prompts := rundir.PromptSettings{}
	if run.Settings.Prompts != nil {
		prompts = *run.Settings.Prompts
	}
	var system, systemHash, chat any // null where there is none
	if prompts.System != "" {
		system, systemHash = prompts.System, hashOf(prompts.System)
	}
	if prompts.ChatTemplate != "" {
		chat = prompts.ChatTemplate
	}
	var limit any
	for _, t := range run.Settings.Tasks {
		if t.Limit > 0 {
			limit = t.Limit
		}
	}
	all := object{{"results", results}}
	if len(groups) > 0 {
		all = append(all, field{"groups", groups})
	}
	return append(all, object{
		{"group_subtasks", subtasks}, {"configs", configs}, {"versions", versions}, {"n-shot", shots},
		{"higher_is_better", higher}, {"n-samples", counts},
		{"config", object{{"model", "softbench"}, {"model_args", object{{"pretrained", model}, {"dtype", run.Settings.DType}, {"attention", run.Settings.Attention}}},
			{"model_num_parameters", run.Model.Parameters}, {"model_dtype", run.Settings.DType}, {"model_sha", run.Settings.ModelSHA256},
			{"batch_size", nil}, {"batch_sizes", []int{}}, {"device", run.Settings.Device}, {"use_cache", nil}, {"limit", limit}, {"bootstrap_iters", nil}, {"gen_kwargs", nil},
			{"random_seed", nil}, {"numpy_seed", nil}, {"torch_seed", nil}, {"fewshot_seed", nil}, {"softbench_seeds", run.Seeds}}},
		{"git_hash", nil}, {"date", float64(run.Process.Start.UnixMicro()) / 1e6},
		{"lm_eval_version", Version}, {"softbench_version", run.Process.Softbench}, {"tokenizer_sha256", run.Settings.TokenizerSHA256}, {"max_length", run.Settings.MaxLength},
		{"task_hashes", taskHashes}, {"model_source", "softbench"}, {"model_name", model}, {"model_name_sanitized", sanitise(model)},
		{"system_instruction", system}, {"system_instruction_sha", systemHash}, {"fewshot_as_multiturn", prompts.Multiturn}, {"chat_template", nil}, {"chat_template_sha", chat},
		{"total_evaluation_time_seconds", strconv.FormatFloat(run.Process.Seconds, 'g', -1, 64)},
	}...)
}

func orNA(n rundir.Number) any {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return "N/A"
	}
	return n
}

// samplesFile is a task's samples, a line for each document, and the hash over
// them that the results file names.
func samplesFile(t *rundir.TaskResult, rows []rundir.Sample, docs Docs) (text []byte, hash string, err error) {
	var all []string
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].DocID == rows[0].DocID {
			n++
		}
		if unscored(rows[:n]) {
			rows = rows[n:]
			continue
		}
		var lines []object
		var hashes []string
		if rows[0].Kind == string(tasks.GenerateUntil) {
			lines, hashes = answerLines(t, &rows[0], docs)
		} else {
			lines = make([]object, 1)
			lines[0], hashes = sampleLine(t, rows[:n], docs)
		}
		for _, line := range lines {
			b, err := encode(line, "")
			if err != nil {
				return nil, "", err
			}
			text = append(text, b...)
		}
		all = append(all, hashes...)
		rows = rows[n:]
	}
	h := sha256.New()
	for _, s := range all {
		io.WriteString(h, s)
	}
	return text, hex.EncodeToString(h.Sum(nil)), nil
}

// unscored says whether a request of a document has no loglikelihood.
func unscored(rows []rundir.Sample) bool {
	return slices.ContainsFunc(rows, func(r rundir.Sample) bool { return r.Unscored != nil })
}

// sampleLine is a document's line and its three hashes.
func sampleLine(t *rundir.TaskResult, rows []rundir.Sample, docs Docs) (object, []string) {
	first := &rows[0]
	var doc, arguments object
	var choices []string
	var resps, filtered []any
	gold := -1
	if first.Gold != nil {
		gold = int(*first.Gold)
	}
	for i := range rows {
		r := &rows[i]
		args := object{{"arg_0", text(r.Context)}}
		if r.Continuation != nil {
			args = append(args, field{"arg_1", *r.Continuation})
		}
		arguments = append(arguments, field{"gen_args_" + strconv.Itoa(i), args})
		var answer any = python(r.LogLikelihood)
		if r.IsGreedy != nil {
			answer = []string{python(r.LogLikelihood), map[bool]string{true: "True", false: "False"}[*r.IsGreedy]}
		}
		resps, filtered = append(resps, []any{answer}), append(filtered, answer)
		choices = append(choices, text(r.Choice))
	}
	target := ""
	switch {
	case t.Kind == string(tasks.MultipleChoice):
		target = strconv.Itoa(gold)
		if t.Name == "winogrande" || len(rows) > 1 && text(rows[0].Context) != text(rows[1].Context) { // the answer goes into the context
			target = strings.TrimSpace(text(first.Continuation))
		}
		doc = object{{"query", text(first.Context)}, {"choices", choices}, {"gold", gold}}
	case first.Continuation != nil:
		target = *first.Continuation
		doc = object{{"query", text(first.Context)}, {"target", target}}
	default:
		doc = object{}
	}
	prompt := text(first.Context)
	if first.Context == nil {
		prompt = first.DocHash
	}
	logged, docHash := any(doc), first.DocHash
	if d, ok := docs.find(t.Name, first, choices, gold); ok {
		logged, docHash = json.RawMessage(d), hashOf(d)
	}
	hashes := []string{docHash, hashOf(prompt), hashOf(target)}
	line := object{{"doc_id", first.DocID}, {"doc", logged}, {"target", target}, {"arguments", arguments}, {"resps", resps}, {"filtered_resps", filtered}, {"filter", "none"}}
	var names []string
	var values object
	for _, m := range t.Metrics {
		v, ok := metricValue(m.Name, rows)
		if ok {
			names = append(names, m.Name)
		}
		values = append(values, field{m.Name, v}) // null where it has no part: zeno's script looks every metric up
	}
	line = append(line, field{"metrics", slices.Clip(names)}, field{"doc_hash", hashes[0]}, field{"prompt_hash", hashes[1]}, field{"target_hash", hashes[2]}, field{SourceHash, first.DocHash})
	return append(line, values...), hashes
}

// metricValue is a document's value as the harness logs it: loglikelihoods with their
// weights, where these are not all 1.
func metricValue(name string, rows []rundir.Sample) (any, bool) {
	m := metric.ByName(name)
	value, weight, ok := rundir.Value(m, rows)
	switch {
	case !ok || rows[0].LogLikelihood == nil:
		return nil, false
	case m.Weight != metric.One:
		return []any{value, int64(weight)}, true
	case m.Unit == metric.Share:
		return json.RawMessage(python(&value)), true
	}
	return value, true
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// python is a float as Python's str writes it.
func python(f *float64) string {
	if f == nil {
		return "nan"
	}
	b, err := json.Marshal(*f)
	if err != nil {
		return "nan"
	}
	if s := string(b); !bytes.ContainsAny(b, ".e") {
		return s + ".0"
	}
	return strconv.FormatFloat(*f, pythonFormat(*f), -1, 64)
}

// pythonFormat: an exponent below 1e-4 and from 1e16 on.
func pythonFormat(f float64) byte {
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return 'e'
	}
	return 'f'
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// unsafe is what the harness replaces in file names.
var unsafe = regexp.MustCompile(`["<>:/|\\?*\[\]\x00-\x1f]+`)

// sanitise makes a name fit for a file.
func sanitise(name string) string {
	out := unsafe.ReplaceAllString(name, "__")
	if out == "" || out == "." || out == ".." {
		return "model"
	}
	return out
}
