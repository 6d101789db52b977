package gate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// Unfit says why a run cannot be judged by a baseline.
type Unfit struct{ Reasons []string }

func (e *Unfit) Error() string {
	return "the run cannot be held against this baseline: " + strings.Join(e.Reasons, "; ") + " (where that is meant, make the baseline again with --update)"
}

// runSettings are those a gate holds a run to: what was measured, and in which
// number format. Device, instruction set and engine revision change no more than
// the last digits of a loglikelihood: of those a Result warns.
func runSettings(s *compare.Side) map[string]string {
	out := map[string]string{"format": string(s.Format)}
	maps.Copy(out, s.MustMatch)
	for _, k := range []string{"dtype", "strict_length"} {
		if v, ok := s.MayDiffer[k]; ok {
			out[k] = v
		}
	}
	return out
}

// taskSettings are a task's; the passkey grid's stand in the manifest.
func taskSettings(s *compare.Side, t *compare.Task) map[string]string {
	out := maps.Clone(t.MustMatch)
	if out == nil {
		out = map[string]string{}
	}
	if t.Kind == rundir.PasskeyTask && s.Manifest != nil && s.Manifest.Settings.Passkey != nil {
		p := s.Manifest.Settings.Passkey
		out["lengths"], out["depths"] = fmt.Sprint(p.Lengths), fmt.Sprint(p.Depths)
		out["trials"], out["seed"] = fmt.Sprint(p.Trials), fmt.Sprint(p.Seed)
	}
	return out
}

// hashDocuments covers the documents and the prompts in their order. The last of a
// document's names is that of its prompts.
func hashDocuments(t *compare.Task) (documents, prompts string) {
	d, p := sha256.New(), sha256.New()
	for _, doc := range t.Documents {
		last := len(doc.Keys) - 1
		fmt.Fprintf(d, "%q\n", doc.Keys[:last])
		fmt.Fprintf(p, "%q\n", doc.Keys[last])
	}
	return hex.EncodeToString(d.Sum(nil)), hex.EncodeToString(p.Sum(nil))
}

// sameCheckpoint says that the run is of the baseline's checkpoint by the baseline's
// engine, be it on another machine: what differs between their answers is rounding.
func (b *Baseline) sameCheckpoint(run *compare.Side) bool {
	for _, k := range []string{"model_sha256", "attention", "engine", "dtype"} {
		was := cmp.Or(b.Model[k], b.Settings[k])
		if was == "" || was != run.MayDiffer[k] {
			return false
		}
	}
	return true
}

// unlike lists the settings in which a run differs.
func (b *Baseline) unlike(run *compare.Side, p *Policy) []string {
	was, now := compare.ByContent(b.Settings, runSettings(run))
	if p != nil {
		for _, k := range p.MayDiffer {
			delete(was, k)
			delete(now, k)
		}
	}
	return differing("", was, now)
}

// unlike says in what a task differs from the baseline's.
func (bt *BaselineTask) unlike(run *compare.Side, t *compare.Task) []string {
	was, now := compare.ByContent(bt.Settings, taskSettings(run, t))
	reasons := differing(bt.Name, was, now)
	documents, prompts := hashDocuments(t)
	switch {
	case len(t.Documents) != bt.N:
		reasons = append(reasons, fmt.Sprintf("task %s: %d documents in the baseline, %d in the run", bt.Name, bt.N, len(t.Documents)))
	case len(reasons) > 0: // other documents follow from other settings
	case documents != bt.Documents:
		reasons = append(reasons, fmt.Sprintf("task %s: the documents changed", bt.Name))
	case prompts != bt.Prompts:
		reasons = append(reasons, fmt.Sprintf("task %s: the prompts changed", bt.Name))
	}
	return reasons
}

// unknown is shown for a setting that one of the two does not record.
const unknown = "not recorded"

// differing lists what changed. A setting that one of the two does not record is a
// change too, but where the other's is empty: no chat template and nothing said of one
// are the same.
func differing(task string, was, now map[string]string) (reasons []string) {
	names := slices.Collect(maps.Keys(was))
	for k := range now {
		if _, ok := was[k]; !ok {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	for _, k := range names {
		x, okX := was[k]
		y, okY := now[k]
		if x != y {
			if !okX {
				x = unknown
			}
			if !okY {
				y = unknown
			}
			reasons = append(reasons, compare.Setting{Task: task, Name: k, A: x, B: y}.Change())
		}
	}
	return reasons
}

// remarks are warnings and notes about what a run was made on, as against the
// baseline.
func (b *Baseline) remarks(run *compare.Side, changed bool) (warnings, notes []string) {
	same := true
	for _, k := range slices.Sorted(maps.Keys(b.Model)) {
		now, ok := run.MayDiffer[k]
		if !ok || now == b.Model[k] {
			continue
		}
		same = false
		change := compare.Setting{Name: k, A: b.Model[k], B: now}.Change()
		switch k {
		case "model_sha256": // a new checkpoint is what a gate is for
		case "device", "isa", "engine":
			warnings = append(warnings, change+": scores agree only within rounding, so an unchanged checkpoint need not have a difference of exactly 0")
		default:
			notes = append(notes, change)
		}
	}
	for _, k := range []string{"model_sha256", "engine", "device", "isa", "dtype"} { // all known
		same = same && run.MayDiffer[k] != ""
	}
	if same && changed && run.MayDiffer["dtype"] == b.Settings["dtype"] {
		warnings = append(warnings, "the checkpoint, engine, device and instruction set are the baseline's, but the results are not: that should not be; please report it")
	}
	return warnings, notes
}
