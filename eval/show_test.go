package eval

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/reports/rundir"
)

// TestShownIsFed computes the ids that Show gives, window by window, and wants the run's
// loglikelihoods and generated tokens to the bit: what is shown is what the model gets.
func TestShownIsFed(t *testing.T) {
	dir := golden.Dir(t)
	o := RunOptions{
		Suites: []string{"arc_easy", "winogrande", "lambada_openai", "wikitext", filepath.Join(dir, "generate", "sums.yaml")},
		Model:  ModelOptions{Model: filepath.Join(dir, "tiny"), Device: "cpu", DType: "float32", MaxLength: 48}, Data: filepath.Join(dir, "docs"),
		Limit: 3, Out: t.TempDir(), Note: func(string) {}, Given: []string{"limit"},
	}
	shown, err := Show(t.Context(), o, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	samples, err := rundir.ReadSamples(t.Context(), o.Out)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(t.Context(), o.Model)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	tried := map[string]int{}
	for _, p := range shown.Parts {
		if len(p.Documents) != 2 || p.Of != 3 {
			t.Errorf("%s: %d documents of %d", p.Name, len(p.Documents), p.Of)
		}
		for _, d := range p.Documents {
			for k, r := range d.Requests {
				at := slices.IndexFunc(samples, func(s rundir.Sample) bool {
					return s.Task == p.Name && int(s.DocID) == d.ID && int(s.Request) == k
				})
				if at < 0 || samples[at].DocHash != d.Hash {
					t.Fatalf("%s document %d request %d has no row", p.Name, d.ID, k)
				}
				sum, generated := fedAlone(t, m, r)
				switch row := samples[at]; {
				case row.LogLikelihood != nil && *row.LogLikelihood != sum:
					t.Errorf("%s document %d request %d: %v of the ids shown, %v in the run", p.Name, d.ID, k, sum, *row.LogLikelihood)
				case row.LogLikelihood == nil && (row.Generated == nil || row.Truncated != int32(r.Truncated) || !strings.Contains(m.Tokenizer.Decode(generated, true), *row.Generated)):
					t.Errorf("%s document %d: %+v, shown %+v", p.Name, d.ID, row, r)
				}
				tried[string(p.Kind)]++
			}
		}
	}
	if len(tried) != 4 {
		t.Errorf("kinds tried: %v", tried)
	}
}

// fedAlone computes a shown request by itself.
func fedAlone(t *testing.T, m *Model, r ShownRequest) (sum float64, generated []int32) {
	t.Helper()
	for _, w := range r.Windows {
		ids := slices.Concat(w.Context, w.Scored)
		node := engine.Node{Parent: -1, Tokens: ids, Generate: r.MaxTokens}
		if len(w.Scored) > 0 {
			node.Tokens = ids[:len(ids)-1]
			for i, id := range w.Scored {
				node.Scored = append(node.Scored, engine.Scored{Row: len(w.Context) + i - 1, Targets: []int32{id}})
			}
		}
		part := 0.0
		_, err := m.Engine.Run(t.Context(), &engine.Forest{Nodes: []engine.Node{node}}, engine.RunOptions{
			Score:     func(_, _ int, s engine.Score) error { part += float64(s.LogProbs[0]); return nil },
			Generated: func(_ int, tokens []int32) error { generated = tokens; return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		sum += part
	}
	return sum, generated
}

// TestShowNeedsNoWeights: a directory of config and tokenizer is enough, and every kind of part is shown.
func TestShowNeedsNoWeights(t *testing.T) {
	model := t.TempDir()
	for _, name := range []string{"config.json", "tokenizer.json", "tokenizer_config.json"} {
		text, err := os.ReadFile(golden.Dir(t, "tiny", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(model, name), text, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	shown, err := Show(t.Context(), RunOptions{
		Suites: []string{"arc_easy", "passkey", "diagnostics"}, Model: ModelOptions{Model: model, MaxLength: 600}, Data: golden.Dir(t, "docs"),
		FewShot: 2, DiagnosticsLength: 32, Note: func(string) {},
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(shown.Parts) != 3 || shown.Parts[0].FewShot != 2 || len(shown.Parts[1].Documents[0].Targets) != 1 || len(shown.Parts[2].Documents[0].Requests[0].Windows[0].Context) != 32 {
		t.Errorf("%+v", shown)
	}
}
