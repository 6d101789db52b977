package gate

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/internal/spelling"
	"github.com/softbench/softbench/stats"
	"github.com/softbench/softbench/tasks/strictyaml"
)

// Policy says how strict a gate is. The zero value, and nil, is the default:
// allowed drops as the baseline has them, all metrics required, inconclusive
// passes.
type Policy struct {
	// FailInconclusive makes an inconclusive metric fail the gate, where no rule
	// says otherwise; nil: it does not, but for divergences (ForKL).
	FailInconclusive *bool
	// Regressed is what a regression has to show, where no rule says otherwise.
	Regressed stats.Rule
	// MayDiffer are settings in which a run may differ from its baseline.
	MayDiffer []string
	Rules     []Rule // a later one wins
	// ErrorRate is whose chance of a false alarm is held: "each" metric's (also ""), or that of
	// "all" required ones together.
	ErrorRate string
	// Quarantine leaves documents out.
	Quarantine []Quarantine
	// Today is the day by which a quarantine ends; nil: the clock's.
	Today func() time.Time
}

// overAll is the ErrorRate of a joint decision.
const overAll = "all"

// Rule is a policy for the metrics that its pattern matches. What it leaves out,
// it leaves to earlier rules.
type Rule struct {
	Pattern string // task/metric, * for any text on one side of the last slash
	// Drop is the allowed drop, in the metric's unit or, where Relative, as a share
	// of the baseline's value; nil: the baseline's.
	Drop             *float64
	Relative         bool
	HigherIsBetter   *bool
	Confidence       float64 // of the interval, 0: 0.95
	Required         *bool   // false: reported only, neither its absence nor a drop fails the gate
	FailInconclusive *bool
	Regressed        stats.Rule // "": the policy's
	// ByDocument judges perplexities and bits per byte by their mean log ratio over
	// documents, each counting the same.
	ByDocument *bool
}

// policyFile is a policy as its YAML declares it.
type policyFile struct {
	Version      strictyaml.Int   `yaml:"version"`
	Inconclusive string           `yaml:"inconclusive"`
	Regressed    string           `yaml:"regressed"`
	MayDiffer    []string         `yaml:"may_differ"`
	ErrorRate    string           `yaml:"error_rate"`
	Quarantine   []quarantineFile `yaml:"quarantine"`
	Metrics      []ruleFile       `yaml:"metrics"`
}

type ruleFile struct {
	Metric       string   `yaml:"metric"`
	AllowedDrop  any      `yaml:"allowed_drop"` // a number, or text that ends in %
	Direction    string   `yaml:"direction"`
	Level        *float64 `yaml:"level"`
	Required     *bool    `yaml:"required"`
	Inconclusive string   `yaml:"inconclusive"`
	Regressed    string   `yaml:"regressed"`
	ByDocument   *bool    `yaml:"by_document"`
}

// mayDiffer are the settings that a policy may release.
var mayDiffer = []string{"dtype", "strict_length"}

// maxPolicy bounds a policy file, in bytes.
const maxPolicy = 1 << 20

// ReadPolicy reads a policy file.
func ReadPolicy(file string) (*Policy, error) {
	text, err := regularfile.ReadAll(context.Background(), file, maxPolicy)
	if err != nil {
		return nil, err
	}
	return ParsePolicy(text, file)
}

// ParsePolicy reads a policy, named file in errors. Unknown keys are errors.
func ParsePolicy(text []byte, file string) (*Policy, error) {
	var f policyFile
	if err := strictyaml.Decode(text, file, &f); err != nil {
		return nil, err
	}
	p := &Policy{MayDiffer: f.MayDiffer}
	if f.Version != 1 {
		return nil, fmt.Errorf("%s: version %d: want version: 1", file, f.Version)
	}
	var err error
	if p.FailInconclusive, err = parseInconclusive(f.Inconclusive); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if p.Regressed, err = parseRegressed(f.Regressed); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	switch p.ErrorRate = f.ErrorRate; f.ErrorRate {
	case "", "each", overAll:
	default:
		return nil, fmt.Errorf("%s: error_rate: %q: want each (every metric has the chance of a false alarm) or all (they share it)", file, f.ErrorRate)
	}
	if p.Quarantine, err = parseQuarantine(f.Quarantine); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, s := range f.MayDiffer {
		if !slices.Contains(mayDiffer, s) {
			return nil, fmt.Errorf("%s: may_differ: %q: want one of %s", file, s, strings.Join(mayDiffer, ", "))
		}
	}
	for i, m := range f.Metrics {
		r, err := parseRule(m)
		if err != nil {
			return nil, fmt.Errorf("%s: metrics, entry %d: %w", file, i+1, err)
		}
		p.Rules = append(p.Rules, r)
	}
	return p, nil
}

func parseInconclusive(text string) (*bool, error) {
	fail := text == "fail"
	switch text {
	case "":
		return nil, nil
	case "pass", "fail":
		return &fail, nil
	}
	return nil, fmt.Errorf("inconclusive: %q: want pass or fail", text)
}

func parseRegressed(text string) (stats.Rule, error) {
	switch r := stats.Rule(text); r {
	case "", stats.BeyondAllowed, stats.WorseAtAll:
		return r, nil
	}
	return "", fmt.Errorf("regressed: %q: want %s (surely worse by more than allowed) or %s (surely worse, and by more than allowed as measured)", text, stats.BeyondAllowed, stats.WorseAtAll)
}

func parseRule(f ruleFile) (r Rule, err error) {
	r = Rule{Pattern: f.Metric, Required: f.Required}
	if r.Pattern == "" {
		return r, fmt.Errorf("no metric: want metric: task/metric, such as arc_easy/acc or */acc_norm")
	}
	task, metric := splitPattern(r.Pattern)
	_, errTask := path.Match(task, "task")
	_, errMetric := path.Match(metric, "metric")
	if errTask != nil || errMetric != nil || task == "" || metric == "" {
		return r, fmt.Errorf("metric: %q: want task/metric, such as arc_easy/acc or */acc_norm", r.Pattern)
	}
	if f.AllowedDrop != nil {
		if r.Drop, r.Relative, err = parseDrop(f.AllowedDrop); err != nil {
			return r, err
		}
	}
	switch f.Direction {
	case "":
	case "higher", "lower":
		higher := f.Direction == "higher"
		r.HigherIsBetter = &higher
	default:
		return r, fmt.Errorf("direction: %q: want higher or lower, whichever is better", f.Direction)
	}
	if f.Level != nil {
		if !(*f.Level >= 0.5 && *f.Level <= 0.9999) {
			return r, fmt.Errorf("level: %v: want the confidence of the interval, from 0.5 to 0.9999 (the usual one is 0.95)", *f.Level)
		}
		r.Confidence = *f.Level
	}
	r.ByDocument = f.ByDocument
	if r.Regressed, err = parseRegressed(f.Regressed); err != nil {
		return r, err
	}
	r.FailInconclusive, err = parseInconclusive(f.Inconclusive)
	return r, err
}

// parseDrop reads a number, or a text such as 2%, which is relative.
func parseDrop(v any) (drop *float64, relative bool, err error) {
	d := -1.0 // what anything else is
	switch v := v.(type) {
	case int64:
		d = float64(v)
	case uint64:
		d = float64(v)
	case float64:
		d = v
	case string:
		if digits, ok := strings.CutSuffix(strings.TrimSpace(v), "%"); ok {
			if d, err = strconv.ParseFloat(strings.TrimSpace(digits), 64); err != nil {
				d = -1
			}
			d /= 100
			relative = true
		}
	}
	if !(d >= 0 && d <= 1e300) {
		return nil, false, fmt.Errorf("allowed_drop: %q: want a number of at least 0 in the metric's unit, or a percentage of the baseline's value such as 2%%", fmt.Sprint(v))
	}
	return &d, relative, nil
}

// rule is what the policy says of a metric, all matching rules together.
func (p *Policy) rule(task, metric string) Rule {
	var out Rule
	if p == nil {
		return out
	}
	for _, r := range p.Rules {
		if !r.matches(task, metric) {
			continue
		}
		if r.Drop != nil {
			out.Drop, out.Relative = r.Drop, r.Relative
		}
		if r.HigherIsBetter != nil {
			out.HigherIsBetter = r.HigherIsBetter
		}
		if r.Confidence != 0 {
			out.Confidence = r.Confidence
		}
		if r.Required != nil {
			out.Required = r.Required
		}
		if r.FailInconclusive != nil {
			out.FailInconclusive = r.FailInconclusive
		}
		if r.Regressed != "" {
			out.Regressed = r.Regressed
		}
		if r.ByDocument != nil {
			out.ByDocument = r.ByDocument
		}
	}
	return out
}

// splitPattern cuts at the last slash: a task's name may have some.
func splitPattern(pattern string) (task, metric string) {
	i := strings.LastIndexByte(pattern, '/')
	if i < 0 {
		return "", ""
	}
	return pattern[:i], pattern[i+1:]
}

func (r *Rule) matches(task, metric string) bool {
	wantTask, wantMetric := splitPattern(r.Pattern)
	// A slash in a task's name is a character like others, which * takes in.
	plain := strings.NewReplacer("/", "\x00")
	okTask, errTask := path.Match(plain.Replace(wantTask), plain.Replace(task))
	okMetric, errMetric := path.Match(wantMetric, metric)
	return errTask == nil && errMetric == nil && okTask && okMetric
}

// unused lists rules that match nothing: a misspelt one would make a gate that
// cannot fail.
func (p *Policy) unused(b *Baseline) (reasons []string) {
	if p == nil {
		return nil
	}
	for _, r := range p.Rules {
		used := false
		var names []string
		each(b, func(task string, m *BaselineMetric) {
			names = append(names, task+"/"+m.Name)
			used = used || r.matches(task, m.Name)
		})
		if !used {
			text := fmt.Sprintf("the policy's rule for %q matches no metric of the baseline", r.Pattern)
			if near := spelling.Nearest(r.Pattern, names); len(near) > 0 {
				text += ", did you mean " + strings.Join(near, " or ") + "?"
			}
			reasons = append(reasons, text)
		}
	}
	return reasons
}

// allowed is the drop that the policy allows, or otherwise.
func (p *Policy) allowed(task, metric string, value, otherwise float64) float64 {
	r := p.rule(task, metric)
	switch {
	case r.Drop == nil:
		return otherwise
	case r.Relative && value < 0:
		return round(*r.Drop * -value)
	case r.Relative:
		return round(*r.Drop * value)
	}
	return *r.Drop
}

func (p *Policy) required(task, metric string) bool {
	r := p.rule(task, metric)
	return r.Required == nil || *r.Required
}

// regressed is what a regression of a metric with that rule has to show.
func (p *Policy) regressed(r Rule) stats.Rule {
	if p != nil {
		return cmp.Or(r.Regressed, p.Regressed, stats.BeyondAllowed)
	}
	return stats.BeyondAllowed
}

func (p *Policy) failsInconclusive(r Rule) bool {
	switch {
	case r.FailInconclusive != nil:
		return *r.FailInconclusive
	case p == nil || p.FailInconclusive == nil:
		return false
	}
	return *p.FailInconclusive
}
