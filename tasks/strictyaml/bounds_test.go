package strictyaml

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// bombs are small files that stand for gigabytes, or for hours.
func bombs() map[string]string {
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&laughs, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	var merged strings.Builder
	merged.WriteString("m0: &m0 {a: 1, b: 2}\n")
	for i := 1; i < 24; i++ {
		fmt.Fprintf(&merged, "m%d: &m%d {a: *m%d, b: *m%d}\n", i, i, i-1, i-1)
	}
	return map[string]string{
		"aliases": laughs.String(), "mappings of aliases": merged.String(),
		"brackets": "name: " + strings.Repeat("[", 120_000), "braces": strings.Repeat("{a: ", 60_000),
		"a few brackets":     "name: " + strings.Repeat("[", 900) + strings.Repeat("]", 900),
		"entries in a line":  strings.Repeat("- ", 100_000) + "x",
		"keys in a line":     strings.Repeat("? ", 100_000) + "x",
		"values":             "parts: [" + strings.Repeat("1,", 300_000) + "1]",
		"bytes":              "# " + strings.Repeat("x", MaxBytes),
		"opened and not end": strings.Repeat("[ ]", 1) + strings.Repeat("[a,", 50_000),
	}
}

// Each is refused in one line, within a fraction of the memory that a process has.
func TestBombs(t *testing.T) {
	for name, text := range bombs() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var v any
			err := Decode([]byte(text), "f", &v)
			runtime.ReadMemStats(&after)
			if err == nil || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("%.200v", err)
			}
			if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 512 {
				t.Errorf("%d MiB were allocated for %d bytes", mib, len(text))
			}
			t.Logf("%d bytes, %d MiB: %.120v", len(text), (after.TotalAlloc-before.TotalAlloc)>>20, err)
		})
	}
}

// What people write stays: anchors used a few times, deep but sane, brackets in text.
func TestSane(t *testing.T) {
	for _, text := range []string{
		"a: &x {b: [1, 2]}\nc: *x\nd: {<<: *x, e: 3}\n", "a: " + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "\n",
		"text: '" + strings.Repeat("[", 500) + "'\n", "a: [" + strings.Repeat("1, ", 5000) + "1]\n",
	} {
		var v any
		if err := Decode([]byte(text), "f", &v); err != nil {
			t.Errorf("%.60q: %v", text, err)
		}
	}
}
