package filter

import (
	"strings"

	"github.com/softbench/softbench/tasks/given"
	"github.com/softbench/softbench/tasks/py"
	"github.com/softbench/softbench/tasks/pyregex"
)

// spanLabels are the words that SPANFilter takes for a kind of named entity, in its order.
var spanLabels = [][2]string{
	{"person", "PER"}, {"location", "LOC"}, {"organization", "ORG"}, {"counties", "LOC"}, {"places", "LOC"}, {"people", "PER"}, {"persons", "PER"}, {"company", "ORG"},
	{"country", "LOC"}, {"continent", "LOC"}, {"time", "DATE"}, {"date", "DATE"}, {"per", "PER"}, {"loc", "LOC"}, {"org", "ORG"},
}

// formatSpan is SPANFilter: the named entities of a text as "kind: name", with " $ " between them, without those called none.
func formatSpan(*given.Options) (func(string, []string) (string, error), error) {
	var labels []*pyregex.Regexp
	for _, l := range spanLabels {
		re, err := pyregex.Compile(`\b` + l[0] + `\s*:`)
		if err != nil {
			return nil, err
		}
		labels = append(labels, re)
	}
	entities, err := pyregex.Compile(`\b(PER|LOC|ORG|DATE):\s*([^$]+)`)
	if err != nil {
		return nil, err
	}
	return func(text string, _ []string) (string, error) {
		text = py.Lower(text)
		for i, re := range labels {
			var err error
			if text, err = replaced(re, text, spanLabels[i][1]+":"); err != nil {
				return "", err
			}
		}
		text = strings.TrimRight(strings.ReplaceAll(text, "$$", "$"), "$")
		found, err := entities.FindAll(py.Strip(strings.ReplaceAll(text, "\n", "$")))
		if err != nil {
			return "", err
		}
		var out []string
		for _, f := range found {
			for name := range strings.SplitSeq(f[1], ",") {
				if name = py.Strip(name); py.Lower(name) != "none" {
					out = append(out, py.Lower(f[0])+": "+name)
				}
			}
		}
		return strings.Join(out, " $ "), nil
	}, nil
}

// replaced is a text with a plain one in place of every match.
func replaced(re *pyregex.Regexp, text, by string) (string, error) {
	matches, err := re.Matches(text)
	if err != nil || len(matches) == 0 {
		return text, err
	}
	runes := []rune(text)
	var out strings.Builder
	at := 0
	for _, m := range matches {
		out.WriteString(string(runes[at:m.Start]))
		out.WriteString(by)
		at = m.End
	}
	out.WriteString(string(runes[at:]))
	return out.String(), nil
}
