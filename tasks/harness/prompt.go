package harness

import (
	"fmt"
	"unicode/utf8"

	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/py"
)

// shape is how one document, asked or worked, becomes messages.
type shape struct {
	text, target, choices, prefix *field
	targetDelimiter               string
	exampleDelimiter              string
}

// turn is a question as a message, with its answer where it is an example's. c may be nil.
func (s *shape) turn(q py.Value, c []py.Value, answer py.Value, prefix, between, after string) ([]tasks.Message, error) {
	text, ok := q.(string)
	if !ok {
		return nil, fmt.Errorf("doc_to_text gives a value of type %s, not text", py.TypeName(q))
	}
	has := answer != nil && !py.Equal(answer, "")
	delimiter := ""
	if has && prefix == "" || prefix != "" && requiresDelimiter(text, prefix) {
		delimiter = between
	}
	out := []tasks.Message{{Role: "user", Content: text, Delimiter: delimiter}}
	if !has {
		if prefix != "" {
			out = append(out, tasks.Message{Role: "assistant", Content: prefix})
		}
		return out, nil
	}
	a := answer
	if list, ok := answer.(*py.List); ok {
		if len(list.Items) == 0 {
			return nil, fmt.Errorf("doc_to_target gives an empty list")
		}
		a = list.Items[0]
	}
	if _, isInt := py.Int(answer); isInt && len(c) > 0 {
		if a, ok = py.Index(&py.List{Items: c}, answer); !ok {
			return nil, fmt.Errorf("doc_to_target gives a place that the %d choices lack", len(c))
		}
	}
	given, ok := a.(string)
	if !ok {
		return nil, fmt.Errorf("the answer of an example is of type %s, not text", py.TypeName(a))
	}
	return append(out, tasks.Message{Role: "assistant", Content: tasks.MaybeDelimit(prefix, given, " "), Delimiter: after}), nil
}

// requiresDelimiter: neither side has white space where they meet.
func requiresDelimiter(prefix, suffix string) bool {
	if prefix == "" {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(prefix)
	first, _ := utf8.DecodeRuneInString(suffix)
	return !(py.IsSpace(last) || py.IsSpace(first))
}

// prompts are the contexts of a document, of which there is one but where each choice has its own.
func (m *maker) prompts(doc *py.Dict, examples []*py.Dict, opts tasks.Options, several bool) ([]string, error) {
	var messages []tasks.Message
	description, err := m.description.resolve(doc)
	if err != nil {
		return nil, err
	}
	if system := tasks.MaybeDelimit(opts.System, description, m.asked.exampleDelimiter); system != "" {
		messages = append(messages, tasks.Message{Role: "system", Content: system})
	}
	for _, e := range examples {
		turn, err := m.example(e, several)
		if err != nil {
			return nil, fmt.Errorf("few-shot example: %w", err)
		}
		messages = append(messages, turn...)
	}
	q, err := m.asked.text.text(doc, m.columns, m.asked.choices != nil)
	if err != nil {
		return nil, err
	}
	prefix := ""
	if m.asked.prefix != nil {
		if prefix, err = m.asked.prefix.resolve(doc); err != nil {
			return nil, err
		}
	}
	contexts := []py.Value{q}
	between := m.asked.targetDelimiter
	if several {
		if contexts, err = m.asked.choices.choices(doc, m.columns); err != nil {
			return nil, err
		}
		between = ""
	}
	out := make([]string, len(contexts))
	for i, c := range contexts {
		turn, err := m.asked.turn(c, nil, nil, prefix, between, "")
		if err != nil {
			return nil, err
		}
		if out[i], err = opts.Prompt(append(messages[:len(messages):len(messages)], turn...), prefix != ""); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// example is a worked example.
func (m *maker) example(doc *py.Dict, several bool) ([]tasks.Message, error) {
	s := &m.worked
	hasChoices := m.asked.choices != nil
	q, err := s.text.text(doc, m.columns, hasChoices)
	if err != nil {
		return nil, err
	}
	var c []py.Value
	if s.choices != nil {
		if c, err = s.choices.choices(doc, m.columns); err != nil {
			return nil, err
		}
	}
	a, err := s.target.target(doc, m.columns, hasChoices)
	if err != nil {
		return nil, err
	}
	prefix, err := s.prefix.resolve(doc)
	if err != nil {
		return nil, err
	}
	if several {
		v, ok := py.Index(&py.List{Items: c}, q)
		if !ok {
			return nil, fmt.Errorf("doc_to_text gives a place that the %d choices lack", len(c))
		}
		q, c = v, nil
	}
	return s.turn(q, c, a, prefix, s.targetDelimiter, s.exampleDelimiter)
}
