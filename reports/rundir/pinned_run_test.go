package rundir

import (
	"math"
	"time"
)

// pinnedRun is a manifest with every part, and numbers that cannot be given.
func pinnedRun() *Run {
	nan := Number(math.NaN())
	start := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	return &Run{
		Schema:   Schema,
		Model:    Model{Type: "llama", Parameters: 119104, Stored: "BF16", Attention: "softpick", Tokenizer: "BPE <byte-level>"},
		Settings: someSettings(),
		Tasks: []TaskResult{
			{Name: "arc_easy", Kind: "multiple_choice", Documents: 3, Truncated: 1, Metrics: []Metric{
				{Name: "acc", Value: 2.0 / 3, Stderr: 1.0 / 3, Low: 0.2, High: 0.95, N: 3, HigherIsBetter: true},
			}},
			{Name: "boolq", Kind: "multiple_choice", Documents: 4, ClusteredBy: "passage", Metrics: []Metric{
				{Name: "acc", Value: 0.5, Stderr: 0.29, Low: 0.1, High: 0.9, N: 4, HigherIsBetter: true, Clusters: 3, ClusteredStderr: ptr(Number(0.35))},
			}},
			{Name: "wikitext", Kind: "rolling_perplexity", Documents: 2, Metrics: []Metric{
				{Name: "word_perplexity", Value: 12345.678, Stderr: nan, Low: nan, High: nan, N: 2},
				{Name: "bits_per_byte", Value: 1.25, Stderr: 1e-7, Low: 1.1, High: 1.4, N: 2},
			}},
		},
		Passkey: []Cell{
			{Length: 96, Depth: 0, N: 2, Right: 1, RightText: 2, Accuracy: 0.5, Low: 0.1, High: 0.9},
			{Length: 96, Depth: 0.5, N: 2, Right: 2, RightText: 2, Accuracy: 1, Low: 0.3, High: 1},
		},
		Tokens: Tokens{Requested: 200, Distinct: 100, Scored: 20},
		Notes:  []string{"passkey at 4096 tokens was not run"},
		Process: Process{
			Softbench: "v1", Go: "go1.26", Machine: "linux/amd64", Directory: "m", Given: []string{"out"},
			Files:   []File{{Task: "arc_easy", Path: "d/test.jsonl", Split: "test", SHA256: "ff", Rows: 3}},
			Threads: 2, BatchTokens: 512, Start: start, End: start.Add(1500 * time.Millisecond), Seconds: 1.5, Computed: 100, Batches: 3, PeakKV: 4096, Resumed: 5,
		},
	}
}
