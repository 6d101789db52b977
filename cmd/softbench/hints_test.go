package main

import (
	"bytes"
	"strings"
	"testing"
)

// A flag of lm-evaluation-harness, and a mistyped one, are answered with ours.
func TestUnknownFlagsAreHinted(t *testing.T) {
	for line, want := range map[string]string{
		"run --num_fewshot 5":                "here --fewshot N",
		"run --num-fewshot=5":                "here --fewshot N",
		"run --tasks arc_easy":               "softbench run arc_easy",
		"run --model_args pretrained=":       "here --model DIR",
		"run --batch_size 8":                 "--batch-tokens",
		"run --output_path x":                "here --out DIR",
		"run --log_samples":                  "keeps every sample",
		"run --max_length 5":                 "did you mean --max-length?",
		"run --limt 5":                       "did you mean --limit?",
		"compare --by_document":              "did you mean --by-document?",
		"gate --basline x":                   "did you mean --baseline?",
		"lab train --head_dim 5":             "did you mean --head-dim?",
		"report --nothing-like-it":           "unknown flag",
		"run --threads 1e3":                  `--threads "1e3": want a whole number`,
		"run --threads 99999999999999999999": "that fits 64 bits",
		"bench --seconds x":                  `--seconds "x": want a number`,
		"report --offline=no-way":            `--offline "no-way": want true or false`,
	} {
		var out bytes.Buffer
		code := execute(t.Context(), strings.Fields(line), streams{strings.NewReader(""), &out, &out})
		if text := out.String(); code != exitMisuse || !strings.Contains(text, want) || !strings.Contains(text, "--help") || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: exit code %d: %s", line, code, text)
		}
	}
	for name := range theirs {
		if newRun(streams{}, nil).Flags().Lookup(name) != nil {
			t.Errorf("--%s is a flag here", name)
		}
	}
}
