package world

import (
	"regexp"
	"slices"
	"strings"
)

// The checker reads a question's text alone and looks its rule up in the tables; it shares nothing
// with the code that made the question.

type solver struct {
	pattern *regexp.Regexp
	// right says, of one choice, whether the rules or the passage allow it; m is the pattern's groups.
	right func(m []string, choice string) bool
}

func animalBy(key string, of func(animal) string) animal {
	for _, a := range animals {
		if of(a) == key {
			return a
		}
	}
	return animal{}
}

func animalName(a animal) string { return a.name }

// behaves reports whether a material has an event's outcome, said in the words of is or was.
func behaves(material, said string) bool {
	for _, e := range events {
		for o := range 2 {
			if e.is[o] == said || e.was[o] == said {
				return slices.Contains(e.made[o], material)
			}
		}
	}
	return false
}

func jobIs(name, place string) bool {
	return slices.ContainsFunc(jobs, func(j job) bool { return j.name == name && j.place == place })
}

var (
	article = regexp.MustCompile(`^an? `)
	solvers = map[string][]solver{
		"arc_easy": {
			{regexp.MustCompile(`^Question: (\w+) has an? (\w+)\. What does (\w+) give the (\w+)\?\nAnswer:$`), func(m []string, c string) bool {
				return m[1] == m[3] && m[2] == m[4] && animalBy(m[2], animalName).food == c
			}},
			{regexp.MustCompile(`^Question: Where does \w+'s (\w+) sleep\?\nAnswer:$`), func(m []string, c string) bool {
				return "in the "+animalBy(m[1], animalName).home == c
			}},
			{regexp.MustCompile(`^Question: Which sound does \w+'s (\w+) make\?\nAnswer:$`), func(m []string, c string) bool {
				return animalBy(m[1], animalName).sound == c
			}},
			{regexp.MustCompile(`^Question: (\w+)'s animal (\w+)\. What food does (\w+) buy\?\nAnswer:$`), func(m []string, c string) bool {
				return m[1] == m[3] && animalBy(m[2], func(a animal) string { return a.verb }).food == c
			}},
			{regexp.MustCompile(`^Question: (\w+) wants to ([\w ]+)\. What does (\w+) need\?\nAnswer:$`), func(m []string, c string) bool {
				return m[1] == m[3] && slices.ContainsFunc(tools, func(t tool) bool { return t.work == m[2] && t.name == c })
			}},
			{regexp.MustCompile(`^Question: (\w+) is an? (\w+)\. Where does (\w+) work\?\nAnswer:$`), func(m []string, c string) bool {
				return m[1] == m[3] && jobIs(m[2], strings.TrimPrefix(c, "at the "))
			}},
			{regexp.MustCompile(`^Question: (\w+) works at the (\w+)\. What is (\w+)\?\nAnswer:$`), func(m []string, c string) bool {
				return m[1] == m[3] && jobIs(article.ReplaceAllString(c, ""), m[2])
			}},
			{regexp.MustCompile(`^Question: (\w+) works at the (\w+)\. What does (\w+) do there\?\nAnswer:$`), func(m []string, c string) bool {
				return m[1] == m[3] && slices.ContainsFunc(jobs, func(j job) bool { return j.place == m[2] && j.does == c })
			}},
			{regexp.MustCompile(`^Question: ((?:\w+ was an? \w+\. ){4})Where does (\w+) work\?\nAnswer:$`), func(m []string, c string) bool {
				return jobIs(told(m[1], m[2]), strings.TrimPrefix(c, "at the "))
			}},
			{regexp.MustCompile(`^Question: ((?:\w+ had an? \w+\. ){4})What food does (\w+) buy\?\nAnswer:$`), func(m []string, c string) bool {
				return c == animalBy(told(m[1], m[2]), animalName).food
			}},
			{regexp.MustCompile(`^Question: An? (\w+) is made of (\w+)\. (?:In|On) the (\w+), what will the (\w+) do\?\nAnswer:$`), func(m []string, c string) bool {
				for _, e := range events {
					if o := slices.Index(e.will[:], c); o >= 0 && e.place == m[3] {
						return m[1] == m[4] && slices.Contains(e.made[o], m[2])
					}
				}
				return false
			}},
		},
		"hellaswag": {
			{regexp.MustCompile(`^The (\w+): \w+ had an? (\w+) made of (\w+) and [\w ]+ (?:in|on) the (\w+)\. The (\w+)$`), outcomeRight},
			{regexp.MustCompile(`^\w+day \w+: (\w+) was at [\w ]+\. ([\w ]+)\. (\w+)$`), func(m []string, c string) bool {
				return m[1] == m[3] && slices.ContainsFunc(causes, func(x cause) bool { return x.happened == m[2] && x.did+"." == c })
			}},
			{regexp.MustCompile(`^\w+day morning: ((?:\w+ was an? \w+\. ){4})(\w+)$`), func(m []string, c string) bool {
				place, ok := strings.CutPrefix(strings.TrimSuffix(c, "."), "went to work at the ")
				return ok && jobIs(told(m[1], m[2]), place)
			}},
			{regexp.MustCompile(`^Feeding the animals: ((?:\w+ had an? \w+\. ){4})(\w+)$`), func(m []string, c string) bool {
				return c == "brought some "+animalBy(told(m[1], m[2]), animalName).food+"."
			}},
			{regexp.MustCompile(`^([\w ]+): (\w+) ([\w ]+)\. (\w+)$`), func(m []string, c string) bool {
				for _, rt := range routines {
					if i := slices.Index(rt.steps, m[3]); rt.title == m[1] && i >= 0 && i+1 < len(rt.steps) {
						return m[2] == m[4] && rt.steps[i+1]+"." == c
					}
				}
				return false
			}},
		},
		"piqa": {
			{regexp.MustCompile(`^Question: ((?:\w+ had an? \w+\. ){2})(\w+) wants to feed \w+ animal\.\nAnswer:$`), func(m []string, c string) bool {
				return c == m[2]+" brings "+animalBy(told(m[1], m[2]), animalName).food+"."
			}},
			{regexp.MustCompile(`^Question: (\w+) wants to feed the (\w+)\.\nAnswer:$`), func(m []string, c string) bool {
				return c == m[1]+" brings "+animalBy(m[2], animalName).food+"."
			}},
			{regexp.MustCompile(`^Question: (\w+) the (\w+) wants to go to work\.\nAnswer:$`), func(m []string, c string) bool {
				place, ok := strings.CutPrefix(strings.TrimSuffix(c, "."), m[1]+" goes to the ")
				return ok && jobIs(m[2], place)
			}},
			{regexp.MustCompile(`^Question: (\w+) wants to ([\w ]+)\.\nAnswer:$`), func(m []string, c string) bool {
				return slices.ContainsFunc(tools, func(t tool) bool { return t.work == m[2] && c == m[1]+" takes "+t.name+"." })
			}},
			{regexp.MustCompile(`^Question: (\w+) wants an? \w+ that ([\w ]+)\.\nAnswer:$`), func(m []string, c string) bool {
				material, ok := strings.CutPrefix(strings.TrimSuffix(c, "."), m[1]+" makes it out of ")
				return ok && behaves(material, m[2])
			}},
		},
	}
)

// told is the noun that a passage of sentences "NAME was (or had) a NOUN." gives a name.
func told(passage, name string) string {
	for sentence := range strings.SplitSeq(passage, ".") {
		if f := strings.Fields(sentence); len(f) == 4 && f[0] == name {
			return f[3]
		}
	}
	return ""
}

func outcomeRight(m []string, c string) bool {
	c = strings.TrimSuffix(c, ".")
	for _, e := range events {
		if e.place == m[4] && (e.was[0] == c || e.was[1] == c) {
			return m[1] == m[2] && m[2] == m[5] && behaves(m[3], c)
		}
	}
	return false
}

// solve returns which choices are right, and whether the question was understood.
func solve(form string, d Document) (right []int, ok bool) {
	for _, s := range solvers[form] {
		if m := s.pattern.FindStringSubmatch(d.Context); m != nil {
			for i, c := range d.Choices {
				if s.right(m, c) {
					right = append(right, i)
				}
			}
			return right, true
		}
	}
	return nil, false
}

// storyFact is one person's fact in a passage.
type storyFact struct{ name, a, b string }

var (
	storyFacts = regexp.MustCompile(`\b([A-Z][a-z]+) (?:had|brought|came with|was|worked as|had become|put|hid|left|wore) (?:an?|the) (\w+)(?: in the (\w+)| (hat|coat|shirt|cap|jacket|sweater))?\.`)
	endings    = []struct {
		pattern *regexp.Regexp
		answer  func(f storyFact, m []string) (said, last string) // said: what the end names of the fact ("" = only its name)
	}{
		{regexp.MustCompile(`(\w+) went home with the$`), func(f storyFact, m []string) (string, string) { return f.name, f.a }},
		{regexp.MustCompile(`Only (\w+) stayed and played with the$`), func(f storyFact, m []string) (string, string) { return f.name, f.a }},
		{regexp.MustCompile(`the (\w+) ran back to$`), func(f storyFact, m []string) (string, string) { return f.a, f.name }},
		{regexp.MustCompile(`(\w+) (?:fed|gave) (?:her|his) animal some$`), func(f storyFact, m []string) (string, string) {
			return f.name, animalBy(f.a, animalName).food
		}},
		{regexp.MustCompile(`The (\w+) went to the animal of$`), func(f storyFact, m []string) (string, string) {
			return animalBy(f.a, animalName).food, f.name
		}},
		{regexp.MustCompile(`(\w+) went to work at the$`), func(f storyFact, m []string) (string, string) {
			return f.name, jobs[slices.IndexFunc(jobs, func(j job) bool { return j.name == f.a })].place
		}},
		{regexp.MustCompile(`as good at the work as (\w+) the$`), func(f storyFact, m []string) (string, string) { return f.name, f.a }},
		{regexp.MustCompile(`Later (\w+) found the \w+ in the$`), func(f storyFact, m []string) (string, string) { return f.name, f.b }},
		{regexp.MustCompile(`Later (\w+) opened the \w+ and found the$`), func(f storyFact, m []string) (string, string) { return f.name, f.a }},
		{regexp.MustCompile(`saw that (\w+)'s \w+ was$`), func(f storyFact, m []string) (string, string) { return f.name, f.a }},
		{regexp.MustCompile(`The one in the (\w+) \w+ was called$`), func(f storyFact, m []string) (string, string) { return f.a, f.name }},
	}
)

// solveStory returns a passage's last word by its facts, the last words the other facts would have
// given, all in the order of the facts, and how many words before its end the deciding fact stands.
func solveStory(passage string) (last string, candidates []string, back int, ok bool) {
	for _, e := range endings {
		m := e.pattern.FindStringSubmatch(passage)
		if m == nil {
			continue
		}
		found := 0
		for _, at := range storyFacts.FindAllStringSubmatchIndex(passage, -1) {
			group := func(i int) string {
				if at[2*i] < 0 {
					return ""
				}
				return passage[at[2*i]:at[2*i+1]]
			}
			said, word := e.answer(storyFact{group(1), group(2), group(3)}, m)
			candidates = append(candidates, word)
			if said == m[1] {
				last, found = word, found+1
				back = len(strings.Fields(passage[at[1]:]))
			}
		}
		return last, candidates, back, found == 1
	}
	return "", nil, 0, false
}
