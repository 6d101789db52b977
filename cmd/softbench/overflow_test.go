package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randmodel"
)

// TestOverflowNamesTheRequest: a model whose numbers overflow scores nothing, least of
// all like zeros; one line names what was computed: the line of standard input, the
// document and its choice, the sample.
func TestOverflowNamesTheRequest(t *testing.T) {
	dir := t.TempDir()
	model := func(name, tensor string, number float32, row int) string {
		path := filepath.Join(dir, name)
		err := randmodel.Write(path, randmodel.Options{Seed: 1, DType: "bfloat16", Vocab: 512, Tokenizer: golden.Dir(t, "tiny")})
		if err != nil {
			t.Fatal(err)
		}
		if err := randmodel.Fill(path, tensor, number, row); err != nil {
			t.Fatal(err)
		}
		return path
	}
	all := model("all", "", 3.3e38, -1)
	digit := model("digit", "embed", 1e30, int(idOf(t, "7")))
	lines := "{\"context\": \"a\", \"continuation\": \" b\"}\n{\"context\": \"a b\", \"continuation\": \"7 c\"}\n"
	for _, c := range []struct{ args, in, want string }{
		{"score " + all, lines, "standard input, line 1: "},
		{"score " + digit, lines, "standard input, line 2: "},
		{"score --dtype float32 " + digit, lines, "standard input, line 2: "},
		{"run copa --limit 3 --data " + golden.Dir(t, "docs") + " --out " + dir + "/copa --model " + all, "", "task copa document 0 choice 0: "},
		{"run wikitext --limit 1 --data " + golden.Dir(t, "docs") + " --out " + dir + "/wikitext --model " + all, "", "task wikitext document 0: "},
		{"run diagnostics --data " + golden.Dir(t, "docs") + " --out " + dir + "/diagnostics --model " + all, "", "diagnostics: "},
	} {
		var out, errs bytes.Buffer
		code := execute(context.Background(), strings.Fields(c.args), streams{strings.NewReader(c.in), &out, &errs})
		line := ""
		for l := range strings.Lines(errs.String()) {
			if !strings.HasPrefix(l, "note:") {
				line += l
			}
		}
		if code != exitMisuse || strings.Count(line, "\n") != 1 || !strings.Contains(line, c.want) || !strings.Contains(line, "overflowed at position") {
			t.Errorf("%s: exit code %d, %q; want %q", c.args, code, line, c.want)
		}
	}
}

// idOf is the id of a text of one token.
func idOf(t *testing.T, text string) int32 {
	t.Helper()
	tok, err := tokenizer.Load(golden.Dir(t, "tiny"))
	if err != nil {
		t.Fatal(err)
	}
	ids := tok.Encode(text, false)
	if len(ids) != 1 {
		t.Fatalf("%q is %v", text, ids)
	}
	return ids[0]
}
