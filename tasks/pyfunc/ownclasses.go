package pyfunc

import "strings"

// ownModules are modules of lm_eval whose classes those of tasks are made of, written for the interpreter: what they do is what the
// harness's do.
var ownModules = map[string]string{
	"lm_eval.api.filter": `
class Filter:
    def __init__(self, **kwargs):
        pass
`,
	"lm_eval.filters.extraction": `
import re
from lm_eval.api.filter import Filter

class RegexFilter(Filter):
    def __init__(self, regex_pattern=r"#### (\-?[0-9\.\,]+)", group_select=0, fallback="[invalid]"):
        self.regex_pattern = regex_pattern
        self.regex = re.compile(regex_pattern)
        self.group_select = group_select
        self.fallback = fallback

    def apply(self, resps, docs):
        return [[self.taken(resp) for resp in r] for r in resps]

    def taken(self, resp):
        found = self.regex.findall(resp)
        if not found:
            return self.fallback
        match = found[self.group_select]
        if isinstance(match, tuple):
            parts = [m for m in match if m]
            match = parts[0] if parts else self.fallback
        return match.strip()
`,
}

// own is a module of ours for a dotted name; nil: there is none.
func (l *Loader) own(name string) (*Module, error) {
	text, ok := ownModules[name]
	if !ok {
		return nil, nil
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	file := strings.ReplaceAll(name, ".", "/") + ".py"
	if m := l.modules[file]; m != nil {
		return m, nil
	}
	return l.read(file, []byte(text))
}
