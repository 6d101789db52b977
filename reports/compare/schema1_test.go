package compare

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"testing"
)

// testdata/schema1 holds two runs that a build before the keys' clusters wrote.
func schema1(t *testing.T) (a, b *Side) {
	t.Helper()
	var sides []*Side
	for _, name := range []string{"softmax", "softpick"} {
		s, err := Open(context.Background(), filepath.Join("testdata", "schema1", name))
		if err != nil {
			t.Fatal(err)
		}
		sides = append(sides, s)
	}
	return sides[0], sides[1]
}

// Runs from before the keys were clusters are read by the keys all the same.
func TestOldPasskeyClusters(t *testing.T) {
	a, b := schema1(t)
	if got := a.Samples[len(a.Samples)-1].Cluster; got != "128/0.5" {
		t.Fatalf("the fixture names the cluster %q: it is not of the old form", got)
	}
	for _, m := range compared(t, a, b, Options{}).Metrics {
		if m.Task == "passkey" && m.Clusters != 6 { // two depths, three trials
			t.Errorf("%s: %d clusters, want 6", m.Metric, m.Clusters)
		}
	}
}

// Their samples of diagnostics do not say of which document they are: differences
// are shown without a test, with a note that says why.
func TestOldDiagnostics(t *testing.T) {
	a, b := schema1(t)
	c := compared(t, a, b, Options{})
	shown := 0
	for _, d := range c.Diagnostics {
		if d.Name == "sparsity" && d.Difference > 0.4 {
			shown++
		}
		if d.N != 0 || !math.IsNaN(float64(d.P)) || !math.IsNaN(float64(d.Adjusted)) || !math.IsNaN(float64(d.Low)) {
			t.Errorf("%s has a test: %+v", d.Name, d)
		}
	}
	if !slices.Contains(c.Notes, ClusterNote(a)) || ClusterNote(a) == "" {
		t.Errorf("notes %q: want one that passages are not known", c.Notes)
	}
	if shown != 1 || !slices.Contains(c.Notes, unknownDocuments) {
		t.Errorf("notes %q, diagnostics %+v", c.Notes, c.Diagnostics)
	}
}
