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
		"run -t arc_easy":                    "here tasks are arguments",
		"run -f 5":                           "here --fewshot N",
		"run --include_path x":               "here --include-path DIR",
		"run --wandb_args project=x":         "export --format jsonl",
		"run --limit x":                      `--limit "x": want a whole number of documents, such as 100, or a share`,
		"run --limit -1":                     `--limit "-1": want a whole number of documents`,
		"run --limit 1e3":                    `--limit "1e3": want a whole number of documents`,
		"compare a b --effect 7":             `--effect "7": want a difference above 0 and at most 1`,
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
