package compare

import (
	"fmt"

	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/tasks/metric"
)

// Clusters label documents that are not independent: those of one cluster on any
// side, and copies, which have the same source or ask the same. The k-th documents
// of all sides are one document. "" for a document that stands alone. A run that an
// earlier version wrote, or lm-evaluation-harness, knows fewer clusters than another
// of the same documents: what either knows counts.
func Clusters(sides ...[]Document) []string {
	n := len(sides[0])
	f := make(forest, n)
	for k := range f {
		f[k] = k
	}
	first := map[[2]string]int{} // document by what it shares
	share := func(k int, kind, name string) {
		if name == "" {
			return
		}
		key := [2]string{kind, name}
		if other, ok := first[key]; ok {
			f.join(other, k)
			return
		}
		first[key] = k
	}
	for _, documents := range sides {
		for k := range documents {
			d := &documents[k]
			share(k, "cluster", d.Cluster)
			share(k, "source", d.Keys[bySource])
			share(k, "harness", d.Keys[byHarness])
			share(k, "prompt", d.Keys[byPrompt])
		}
	}
	size := make([]int, n)
	for k := range f {
		size[f.root(k)]++
	}
	// Named by the least of what names its documents: the same whatever their order
	// and whichever side comes first.
	least := make([]string, n)
	for _, documents := range sides {
		for k := range documents {
			d, root := &documents[k], f.root(k)
			for _, name := range append([]string{d.Cluster}, d.Keys[:]...) {
				if name != "" && (least[root] == "" || name < least[root]) {
					least[root] = name
				}
			}
		}
	}
	out := make([]string, n)
	for k := range out {
		if root := f.root(k); size[root] > 1 {
			out[k] = least[root]
		}
	}
	return out
}

// ClusterText says that what is tested are clusters; "" where it is documents.
func (m *Metric) ClusterText() string {
	if m.Clusters == 0 {
		return ""
	}
	return fmt.Sprintf("%d documents in %d clusters (%s), which are what is tested", m.N, m.Clusters, text.Printable(m.ClusteredBy))
}

// independentNote says of a run that an earlier version wrote that it does not know
// which documents are about the same; "" for any other.
func (s *Side) independentNote() string {
	if s.Manifest == nil || s.Manifest.Schema == 0 || s.Manifest.Schema >= 2 {
		return ""
	}
	for _, t := range s.Tasks {
		if t.Kind == string(metric.MultipleChoice) {
			return "an earlier version of softbench wrote the run, which does not know the questions about one passage: they count as independent; run it again"
		}
	}
	return ""
}

// ClusterNote says that none of the runs knows which documents are about the same;
// "" where one does.
func ClusterNote(sides ...*Side) string {
	note := ""
	for _, s := range sides {
		if note = s.independentNote(); note == "" {
			return ""
		}
	}
	return note
}

// forest holds for each document another of its cluster, or itself.
type forest []int

func (f forest) root(k int) int {
	for f[k] != k {
		f[k] = f[f[k]]
		k = f[k]
	}
	return k
}

func (f forest) join(a, b int) { f[f.root(b)] = f.root(a) }
