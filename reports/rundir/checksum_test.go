package rundir

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// Every value of a manifest is covered by its checksum; its layout is not, and one of
// an earlier version has none.
func TestChecksum(t *testing.T) {
	r := &Run{Schema: Schema, Settings: Settings{ModelSHA256: strings.Repeat("ab", 32)}, Diagnostics: &Diagnostics{Samples: 3, Length: 7, SinkRate: 0.25}}
	text, err := r.encode()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("null,\n    \"fewshot")) || regexp.MustCompile(`"(tasks|files|metrics|layers|arguments_given)": null`).Match(text) {
		t.Errorf("a list that is empty is null:\n%s", text)
	}
	if _, err := parseManifest(text); err != nil {
		t.Fatal(err)
	}
	var flat bytes.Buffer
	if err := json.Compact(&flat, text); err != nil {
		t.Fatal(err)
	}
	if _, err := parseManifest(flat.Bytes()); err != nil {
		t.Error("another layout:", err)
	}
	for _, edit := range [][2]string{
		{strings.Repeat("ab", 32), strings.Repeat("ac", 32)}, {`"sink_rate": 0.25`, `"sink_rate": 0.5`}, {`"samples": 3`, `"samples": 4`},
		{`"dtype": ""`, `"dtype": "float32"`}, {`"seconds": 0`, `"seconds": 1`},
	} {
		changed := strings.Replace(string(text), edit[0], edit[1], 1)
		if changed == string(text) {
			t.Fatalf("no %s in the manifest", edit[0])
		}
		if _, err := parseManifest([]byte(changed)); err == nil || !strings.Contains(err.Error(), "was changed") {
			t.Errorf("%s: %v", edit[1], err)
		}
		signed, err := Sign([]byte(changed))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseManifest(signed); err != nil {
			t.Error(err)
		}
	}
	old := regexp.MustCompile(`,\s*"checksum": "[0-9a-f]+"`).ReplaceAll(text, nil)
	if _, err := parseManifest(old); err != nil {
		t.Error("of an earlier version:", err)
	}
}
