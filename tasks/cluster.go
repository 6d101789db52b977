package tasks

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/py"
)

// Documents that share a source are not independent: a model that takes to a
// passage takes to all questions about it. A task says by its key cluster what they
// share. One that does not say is clustered by a column that data sets keep such a
// source in, where the prompt shows it, and by the documents that are the same.

// sources are the columns that hold what several documents may be about: BoolQ's
// and DROP's passage, RACE's article, SQuAD's context, MultiRC's paragraph, CoQA's
// story, QuALITY's document, SciQ's support, PIQA's goal, the premise of inferences.
// The first of them that the task's prompt shows is taken.
var sources = []string{"passage", "article", "context", "paragraph", "story", "document", "support", "goal", "premise"}

// preparedSources are columns that a preparation's data sets keep besides what the
// prompt shows: the video or the article that scenes of HellaSwag are cut from.
var preparedSources = map[string]string{"hellaswag": "source_id"}

// copies begins the labels of documents that are the same.
const copies = "copies"

// findSource is the column that documents are clustered by where the task does not
// say; "" for none.
func (d *definition) findSource() string {
	if d.Cluster != nil {
		return ""
	}
	if name := preparedSources[d.Prepare]; name != "" {
		return name
	}
	var shown []string
	for _, t := range []*text{d.Context, d.Continuation} {
		if t != nil {
			shown = append(shown, t.source)
		}
	}
	for _, l := range []*listDef{d.Contexts, d.Choices} {
		if l == nil {
			continue
		}
		for _, t := range l.Templates {
			shown = append(shown, t.source)
		}
	}
	for _, name := range sources {
		uses := regexp.MustCompile(`\.` + name + `\b`)
		if slices.ContainsFunc(shown, uses.MatchString) {
			return name
		}
	}
	return ""
}

// cluster is a document's label, "" for none.
func (t *Task) cluster(r data.Row) (string, error) {
	if t.def.Cluster != nil {
		return t.def.Cluster.render(r)
	}
	name := t.def.source
	if name == "" || !r.Has(name) {
		return "", nil
	}
	value, err := r.Get(name)
	if err != nil {
		return "", err
	}
	if s, ok := value.(string); ok && py.Strip(s) != "" {
		return label(name, s), nil
	}
	return "", nil
}

// label is short, and the same for the same source in every run.
func label(kind string, parts ...string) string {
	return digest(parts...).label(kind)
}

// short is the beginning of a SHA-256.
type short [8]byte

func digest(parts ...string) short {
	all := make([]byte, 0, 4*sha256.Size)
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p))
		all = append(all, sum[:]...)
	}
	sum := sha256.Sum256(all)
	return short(sum[:8])
}

func (s short) label(kind string) string { return kind + ":" + hex.EncodeToString(s[:]) }

// settleClusters drops what is not a cluster after all: a column's text that a single
// document has, or that all have, which is not a source but part of the prompt. Documents
// that ask the same are copies of one and make a cluster by themselves.
func (t *Task) settleClusters(docs []Doc) {
	count := map[string]int{}
	for i := range docs {
		count[docs[i].Cluster]++
	}
	asked, same := make([]short, len(docs)), map[short]int32{}
	hashes, sameHash := make([]short, len(docs)), map[short]int32{}
	var parts []string
	for i := range docs {
		d := &docs[i]
		if n := count[d.Cluster]; t.def.Cluster == nil && (n == 1 || n == len(docs)) {
			d.Cluster = ""
		}
		parts = append(parts[:0], d.Text())
		for k, q := range d.Requests {
			if q.Ask == WholeText {
				continue // it is there
			}
			if k == 0 || q.Context != d.Requests[k-1].Context { // long with examples before it, and mostly the same
				parts = append(parts, q.Context)
			}
			parts = append(parts, q.Continuation)
		}
		asked[i], hashes[i] = digest(parts...), digest(d.Hash)
		same[asked[i]]++
		sameHash[hashes[i]]++
	}
	for i := range docs {
		switch d := &docs[i]; {
		case d.Cluster != "":
		case same[asked[i]] > 1:
			d.Cluster = asked[i].label(copies)
		case sameHash[hashes[i]] > 1: // asked after other examples
			d.Cluster = hashes[i].label(copies)
		}
	}
}

// Source is what a document shares with others about the same, for results that do
// not say: the first column that data sets keep a source in whose text the prompt
// shows, or the source of a HellaSwag scene. The label is the one that the task's own
// documents have; "" for none.
func Source(doc map[string]any, prompt string) (column, cluster string) {
	text := func(name string) string {
		s, _ := doc[name].(string)
		return py.Strip(s)
	}
	if id := text("source_id"); id != "" && doc["activity_label"] != nil {
		return "source_id", label("source_id", doc["source_id"].(string))
	}
	for _, name := range sources {
		if s := text(name); s != "" && strings.Contains(prompt, s) {
			return name, label(name, doc[name].(string))
		}
	}
	return "", ""
}

// ClusteredBy names what the clusters of documents are of: the task's own key
// "cluster", a column of the data, "copies" of one document; "" where all stand alone.
func (t *Task) ClusteredBy(docs []Doc) string {
	own, copied := false, false
	seen, shared := map[string]bool{}, false
	for i := range docs {
		c := docs[i].Cluster
		if c == "" {
			continue
		}
		shared = shared || seen[c]
		seen[c] = true
		if strings.HasPrefix(c, copies+":") {
			copied = true
		} else {
			own = true
		}
	}
	var by []string
	if own && shared {
		name := t.def.source
		if t.def.Cluster != nil {
			name = "cluster"
		}
		by = append(by, name)
	}
	if copied {
		by = append(by, copies)
	}
	return strings.Join(by, ", ")
}
