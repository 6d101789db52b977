package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softbench/softbench/reports/compare"
)

// Quarantine leaves a document out of every metric until a day: one that is known to be wrong, say,
// until its data set is mended.
type Quarantine struct {
	Hash   string // the document's, or its beginning of at least 12 digits
	Reason string
	Until  time.Time // the last day
}

// Quarantined is a document that was left out.
type Quarantined struct {
	Hash   string `json:"doc_hash"`
	Task   string `json:"task"`
	ID     int    `json:"doc_id"`
	Reason string `json:"reason"`
	Until  string `json:"until"`
}

// quarantineFile is an entry of a policy's quarantine.
type quarantineFile struct {
	Document string `yaml:"document"`
	Reason   string `yaml:"reason"`
	Until    string `yaml:"until"`
}

const (
	day           = time.DateOnly
	leastHash     = 12
	maxQuarantine = 1000
)

func parseQuarantine(list []quarantineFile) (out []Quarantine, err error) {
	if len(list) > maxQuarantine {
		return nil, fmt.Errorf("quarantine: %d documents: want at most %d", len(list), maxQuarantine)
	}
	for i, f := range list {
		where := fmt.Sprintf("quarantine, entry %d", i+1)
		hash := strings.ToLower(f.Document)
		if len(hash) < leastHash || strings.Trim(hash, "0123456789abcdef") != "" {
			return nil, fmt.Errorf("%s: document: %q: want the document's hash in quotes, or its first %d digits or more, as the gate's JSON has it", where, f.Document, leastHash)
		}
		if strings.TrimSpace(f.Reason) == "" {
			return nil, fmt.Errorf("%s: no reason: say why the document is left out", where)
		}
		until, err := time.Parse(day, f.Until)
		if err != nil {
			return nil, fmt.Errorf("%s: until: %q: want the last day of it, such as 2026-12-31", where, f.Until)
		}
		out = append(out, Quarantine{hash, f.Reason, until})
	}
	return out, nil
}

// quarantined is what is left out of a run.
type quarantined struct {
	hashes map[string]bool
	list   []Quarantined
	ended  []string // warnings of entries whose day is over
}

// quarantine finds a policy's documents in a run. One that it does not have is a reason to refuse:
// a misspelt hash would leave nothing out.
func (p *Policy) quarantine(run *compare.Side) (out quarantined, reasons []string) {
	out.hashes = map[string]bool{}
	if p == nil {
		return out, nil
	}
	for _, q := range p.Quarantine {
		if today := p.today(); today.After(q.Until.AddDate(0, 0, 1)) {
			out.ended = append(out.ended, fmt.Sprintf("the quarantine of document %s ended on %s, and it counts again: mend it or take the entry out (%s)", q.Hash, q.Until.Format(day), q.Reason))
			continue
		}
		found := false
		for _, t := range run.Tasks {
			for _, d := range t.Documents {
				if strings.HasPrefix(d.Keys[0], q.Hash) {
					found = true
					out.hashes[d.Keys[0]] = true
					out.list = append(out.list, Quarantined{d.Keys[0], t.Name, d.ID, q.Reason, q.Until.Format(day)})
				}
			}
		}
		if !found {
			reasons = append(reasons, fmt.Sprintf("the policy's quarantine of document %s matches none of the run's", q.Hash))
		}
	}
	return out, reasons
}

func (p *Policy) today() time.Time {
	if p.Today != nil {
		return p.Today()
	}
	return time.Now()
}

func (q *quarantined) has(d *compare.Document) bool { return q.hashes[d.Keys[0]] }

// keep leaves the quarantined documents out, with their values of the baseline.
func (q *quarantined) keep(documents []compare.Document, values []compare.Value) ([]compare.Document, []compare.Value) {
	if !slices.ContainsFunc(documents, func(d compare.Document) bool { return q.has(&d) }) {
		return documents, values
	}
	var keptDocuments []compare.Document
	var keptValues []compare.Value
	for k := range documents {
		if !q.has(&documents[k]) {
			keptDocuments, keptValues = append(keptDocuments, documents[k]), append(keptValues, values[k])
		}
	}
	return keptDocuments, keptValues
}

// notes say what is left out.
func (q *quarantined) notes() (notes []string) {
	for _, d := range q.list {
		notes = append(notes, fmt.Sprintf("task %s: document %d is in quarantine until %s and not judged: %s", d.Task, d.ID, d.Until, d.Reason))
	}
	return notes
}
