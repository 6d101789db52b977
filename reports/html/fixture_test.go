package html

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// Runs made up from a seed: a model knows a share of the answers, and the same
// documents are in every run.

var subjects = []string{"the melting point of tin", "the tide at a full moon", "a lever with a short arm", "rust on a wet nail", "the bark of a birch", "sound under water", "a compass near iron", "seeds carried by wind"}

var endings = []string{"rises slowly", "falls at once", "stays as it was", "turns to the north", "grows in spring", "breaks in two", "is louder by night", "cannot be seen"}

// madeRun has four kinds of tasks and a passkey grid.
func madeRun(name string, seed uint64, docs int, skill float64) Run {
	r := Run{Name: name, Manifest: &rundir.Run{
		Schema: rundir.Schema,
		Model:  rundir.Model{Type: "llama", Parameters: 340_000_000, Stored: "BF16", Attention: "softmax", Tokenizer: "BPE (byte-level), 32000 tokens"},
		Settings: rundir.Settings{Engine: "1", ModelSHA256: fmt.Sprintf("%064x", seed), TokenizerSHA256: strings.Repeat("ab", 32), Attention: "softmax", DType: "bfloat16", Device: "cpu", ISA: "avx512bf16", MaxLength: 2048,
			Passkey: &rundir.PasskeySettings{Lengths: []int{512, 1024, 2048, 4096}, Depths: []float64{0, 0.25, 0.5, 0.75, 1}, Trials: 20, Seed: 1}},
		Tokens:  rundir.Tokens{Requested: 1_912_500, Distinct: 939_700, Scored: 213_800},
		Process: rundir.Process{Softbench: "v1.0.0", Go: "go1.26", Machine: "linux/amd64", Directory: "checkpoints/" + name, Start: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Seconds: 123.4, Computed: 940_000},
	}}
	questions := rand.New(rand.NewPCG(99, 1)) // the same for every run
	answers := rand.New(rand.NewPCG(seed, 2))
	for k, task := range []string{"arc_easy", "hellaswag", "piqa"} {
		addChoices(&r, task, docs, 0.45+0.1*float64(k)+skill, questions, answers)
	}
	piqa := &r.Manifest.Tasks[2]
	piqa.ClusteredBy, piqa.Metrics[0].Clusters, piqa.Metrics[0].ClusteredStderr = "goal", docs-docs/10, p(rundir.Number(0.04))
	addLastWord(&r, docs/2, 0.5+skill, questions, answers)
	addRolling(&r, 8, 18-10*skill, questions, answers)
	addPasskey(&r, skill, answers)
	return r
}

func proportion(name string, right, n int) rundir.Metric {
	p := float64(right) / float64(n)
	se := math.Sqrt(p * (1 - p) / float64(n))
	return rundir.Metric{Name: name, Value: rundir.Number(p), Stderr: rundir.Number(se), Low: rundir.Number(max(0, p-1.96*se)), High: rundir.Number(min(1, p+1.96*se)), N: n, HigherIsBetter: true}
}

// hash is a document's hash, as long as the real ones.
func hash(task string, doc int) string { return fmt.Sprintf("%s-%056d", task, doc) }

func addChoices(r *Run, task string, docs int, known float64, questions, answers *rand.Rand) {
	right, rightNorm := 0, 0
	for d := range docs {
		gold := int32(questions.IntN(4))
		context := fmt.Sprintf("Question: What is known of %s, where the day is %d?\nAnswer:", subjects[questions.IntN(len(subjects))], d)
		knows := questions.Float64()+0.08*answers.NormFloat64() < known
		favoured := int(gold)
		if !knows {
			favoured = (int(gold) + 1 + answers.IntN(3)) % 4
		}
		var rows []rundir.Sample
		best, bestNorm := 0, 0
		for k := range 4 {
			choice := endings[(d+k)%len(endings)]
			ll := -20 - 10*answers.Float64()
			if k == favoured {
				ll += 10
			}
			rows = append(rows, rundir.Sample{Task: task, Kind: "multiple_choice", DocID: int32(d), DocHash: hash(task, d), Request: int32(k),
				Gold: p(gold), Context: p(context), Choice: p(choice), Continuation: p(" " + choice), LogLikelihood: p(ll), IsGreedy: p(false),
				ContextTokens: 20, ContinuationTokens: 4})
			if ll > *rows[best].LogLikelihood {
				best = k
			}
			if ll/float64(len(choice)) > *rows[bestNorm].LogLikelihood/float64(len(*rows[bestNorm].Choice)) {
				bestNorm = k
			}
		}
		correct, norm := best == int(gold), bestNorm == int(gold)
		for k := range rows {
			rows[k].Correct, rows[k].CorrectNorm = p(correct), p(norm)
		}
		r.Samples = append(r.Samples, rows...)
		right, rightNorm = right+bit(correct), rightNorm+bit(norm)
	}
	r.Manifest.Settings.Tasks = append(r.Manifest.Settings.Tasks, rundir.TaskSettings{Name: task, Version: "1.0", Digest: strings.Repeat("d", 64), Documents: docs, Data: strings.Repeat("e", 64)})
	r.Manifest.Tasks = append(r.Manifest.Tasks, rundir.TaskResult{Name: task, Kind: "multiple_choice", Documents: docs, Metrics: []rundir.Metric{proportion("acc", right, docs), proportion("acc_norm", rightNorm, docs)}})
	r.Manifest.Process.Files = append(r.Manifest.Process.Files, rundir.File{Task: task, Path: "data/" + task + "/test.parquet", Split: "test", SHA256: strings.Repeat("f", 64), Rows: docs})
}

func addLastWord(r *Run, docs int, known float64, questions, answers *rand.Rand) {
	right, sum := 0, 0.0
	for d := range docs {
		context := fmt.Sprintf("She had read all about %s, and on page %d she found what she had looked for: it", subjects[questions.IntN(len(subjects))], d)
		correct := questions.Float64()+0.1*answers.NormFloat64() < known
		ll := -0.3 - answers.Float64()
		if !correct {
			ll -= 3
		}
		r.Samples = append(r.Samples, rundir.Sample{Task: "lambada_openai", Kind: "last_word", DocID: int32(d), DocHash: hash("lambada", d),
			Context: p(context), Choice: p(" holds"), Continuation: p(" holds"), LogLikelihood: p(ll), IsGreedy: p(correct), ContextTokens: 30, ContinuationTokens: 1, Correct: p(correct)})
		right, sum = right+bit(correct), sum+ll
	}
	ppl := math.Exp(-sum / float64(docs))
	r.Manifest.Tasks = append(r.Manifest.Tasks, rundir.TaskResult{Name: "lambada_openai", Kind: "last_word", Documents: docs, Truncated: 3, Metrics: []rundir.Metric{
		{Name: "perplexity", Value: rundir.Number(ppl), Stderr: 0.2, Low: rundir.Number(ppl * 0.95), High: rundir.Number(ppl * 1.06), N: docs}, proportion("acc", right, docs)}})
}

func addRolling(r *Run, docs int, base float64, questions, answers *rand.Rand) {
	words, bytes, sum := 0.0, 0.0, 0.0
	for d := range docs {
		s := rundir.Sample{Task: "wikitext", Kind: "rolling_perplexity", DocID: int32(d), DocHash: hash("wikitext", d), Words: p(int64(2400)), Bytes: p(int64(14000)), Windows: p(int32(2))}
		for k := range 16 {
			n := int32(150 + questions.IntN(50))
			ppl := base*(1+1.5*math.Exp(-float64(k)/3)) + 0.2*answers.NormFloat64()
			s.PositionTokens = append(s.PositionTokens, n)
			s.PositionLikelihood = append(s.PositionLikelihood, -float64(n)*math.Log(ppl))
		}
		total := 0.0
		for _, ll := range s.PositionLikelihood {
			total += ll
		}
		s.LogLikelihood = p(total)
		r.Samples = append(r.Samples, s)
		words, bytes, sum = words+float64(*s.Words), bytes+float64(*s.Bytes), sum+total
	}
	word, bits := math.Exp(-sum/words), -sum/bytes/math.Ln2
	r.Manifest.Tasks = append(r.Manifest.Tasks, rundir.TaskResult{Name: "wikitext", Kind: "rolling_perplexity", Documents: docs, Metrics: []rundir.Metric{
		{Name: "word_perplexity", Value: rundir.Number(word), Stderr: 1, Low: rundir.Number(word * 0.95), High: rundir.Number(word * 1.07), N: docs},
		{Name: "bits_per_byte", Value: rundir.Number(bits), Stderr: rundir.Number(nan), Low: rundir.Number(bits * 0.98), High: rundir.Number(bits * 1.02), N: docs}}})
}

func addPasskey(r *Run, skill float64, answers *rand.Rand) {
	doc := int32(0)
	g := r.Manifest.Settings.Passkey
	for _, length := range g.Lengths {
		for _, depth := range g.Depths {
			right := 0
			chance := min(1, max(0, 1.35+4*skill-float64(length)/2600-0.6*depth*(1-depth)))
			for trial := range g.Trials {
				key := int32(1000*trial + 7)
				ok := answers.Float64() < chance
				right += bit(ok)
				said := fmt.Sprint(key)
				if !ok {
					said = "The grass is"
				}
				r.Samples = append(r.Samples, rundir.Sample{Task: "passkey", Kind: "passkey", DocID: doc, DocHash: fmt.Sprintf("%d/%g/%d", length, depth, trial),
					Length: p(int32(length)), Depth: p(depth), Key: p(key), Generated: p(said), Correct: p(ok), RightText: p(ok), ContextTokens: int32(length)})
				doc++
			}
			m := proportion("", right, g.Trials)
			r.Manifest.Passkey = append(r.Manifest.Passkey, rundir.Cell{Length: length, Depth: depth, N: g.Trials, Right: right, RightText: right, Accuracy: m.Value, Low: m.Low, High: m.High})
		}
	}
}

// addDiagnostics gives a run diagnostics of n layers and an attention map.
func addDiagnostics(r *Run, n int, softpick bool) {
	d := &rundir.Diagnostics{Task: "wikitext", Samples: 32, Length: 64, Threshold: 0.3, SinkRate: 0.45, Sparsity: 0.01, NearSparsity: 0.2, Mass: 1, Kurtosis: 5012.3, Min: -812.5, Max: 1204.25, Massive: 12}
	r.Manifest.Diagnostics = d
	r.Manifest.Settings.Diagnostics = &rundir.DiagnosticsSettings{Task: "wikitext", Samples: 32, Length: 64, Threshold: 0.3}
	if softpick {
		d.SinkRate, d.Sparsity, d.Mass, d.Kurtosis, d.Massive = 0.02, 0.52, 0.35, 3.6, 0
	}
	for l := range n {
		x := rundir.DiagnosticsLayer{Layer: l, SinkRate: rundir.Number(min(0.95, 0.1*float64(l))), Sparsity: 0.01, Mass: 1, Kurtosis: rundir.Number(3 * math.Pow(4, float64(l)/2))}
		if softpick {
			x = rundir.DiagnosticsLayer{Layer: l, SinkRate: 0.02, Sparsity: rundir.Number(0.4 + 0.04*float64(l)), DeadHeads: rundir.Number(0.03 * float64(l%3)), Mass: rundir.Number(0.3 + 0.02*float64(l)), Kurtosis: rundir.Number(3.1 + 0.2*float64(l))}
		}
		d.Layers = append(d.Layers, x)
	}
	tokens := strings.Fields("<s> The pass key is 7 0 0 7 . Remember it .")
	m := AttentionMap{Layer: 1, Head: 3, Tokens: tokens}
	for q := range tokens {
		row := make([]float64, q+1)
		if softpick {
			row[q/2] = 0.6
		} else {
			for k := range row {
				row[k] = 0.4 / float64(q+1)
			}
			row[0] += 0.6
		}
		m.Weights = append(m.Weights, row)
	}
	r.Maps = []AttentionMap{m}
}

// compared compares the first run with the last.
func compared(t testing.TB, runs ...Run) *compare.Comparison {
	t.Helper()
	return comparedWith(t, compare.Options{Draws: 500}, runs...)
}

func comparedWith(t testing.TB, o compare.Options, runs ...Run) *compare.Comparison {
	t.Helper()
	var sides []*compare.Side
	for _, r := range []Run{runs[0], runs[len(runs)-1]} {
		s, err := compare.FromRun(r.Name, r.Manifest, r.Samples)
		if err != nil {
			t.Fatal(err)
		}
		sides = append(sides, s)
	}
	c, err := compare.Compare(sides[0], sides[1], o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func p[T any](v T) *T { return &v }
