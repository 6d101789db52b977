package tasks

import (
	"regexp"
	"strings"

	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/py"
)

// prepareWikitext adds text: the page as plain English, without wikitext's tokenisation.
func prepareWikitext(r data.Row) (map[string]any, error) {
	f := fields{row: r}
	page := f.str("page")
	if f.err != nil {
		return nil, f.err
	}
	return map[string]any{"text": detokenizeWikitext(page)}, nil
}

// rewrite is one step of the detokeniser: a literal replacement, or a regular expression's.
type rewrite struct {
	pattern *regexp.Regexp
	from    string
	to      string
}

func literal(from, to string) rewrite { return rewrite{from: from, to: to} }

// pyPattern compiles a pattern in which \s is Python's.
func pyPattern(pattern, to string) rewrite {
	return rewrite{pattern: regexp.MustCompile(strings.ReplaceAll(pattern, `\s`, py.SpaceClass)), to: to}
}

// wikitextRewrites undo wikitext's spacing, in lm-evaluation-harness' order. Two of its rules are
// kept for equality though they are surely slips: the second, whose slashes and brackets are taken
// literally, and " N ", which turns a lone N into 1.
var wikitextRewrites = []rewrite{
	literal("s '", "s'"),
	pyPattern(`/' [0-9]/`, `/'[0-9]/`),
	literal(" @-@ ", "-"), literal(" @,@ ", ","), literal(" @.@ ", "."),
	literal(" : ", ": "), literal(" ; ", "; "), literal(" . ", ". "),
	literal(" ! ", "! "), literal(" ? ", "? "), literal(" , ", ", "),
	pyPattern(`\(\s*([^)]*?)\s*\)`, `(${1})`),
	pyPattern(`\[\s*([^\]]*?)\s*\]`, `[${1}]`),
	pyPattern(`\{\s*([^}]*?)\s*\}`, `{${1}}`),
	pyPattern(`"\s*([^"]*?)\s*"`, `"${1}"`),
	pyPattern(`'\s*([^']*?)\s*'`, `'${1}'`),
	literal("= = = =", "===="), literal("= = =", "==="), literal("= =", "=="),
	literal(" \u00b0 ", "\u00b0"),
	literal(" \n", "\n"), literal("\n ", "\n"),
	literal(" N ", " 1 "),
	literal(" 's", "'s"),
}

// detokenizeWikitext equals lm-evaluation-harness' wikitext_detokenizer.
func detokenizeWikitext(s string) string {
	for _, r := range wikitextRewrites {
		if r.pattern != nil {
			s = r.pattern.ReplaceAllString(s, r.to)
		} else {
			s = strings.ReplaceAll(s, r.from, r.to)
		}
	}
	return s
}
