package tasks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/metric"
	"github.com/softbench/softbench/tasks/py"
)

// Kind is what a task asks of the model.
type Kind = metric.Kind

// The kinds by their names here.
const (
	MultipleChoice    = metric.MultipleChoice
	LastWord          = metric.LastWord
	RollingPerplexity = metric.RollingPerplexity
	GenerateUntil     = metric.GenerateUntil
	Passkey           = metric.Passkey
	Diagnostics       = metric.Diagnostics
)

// KindRow is a kind of task: the keys it needs, its requests from documents, and what follows from
// the answers. Its metrics are the rows of metric.Table that name it.
type KindRow struct {
	Name Kind
	// Keys of a task's YAML beside those that every task has, of those given: which the kind needs
	// and which it may have.
	Keys func(given map[string]bool) (need, may []string)
	// Requests sets a document's requests, gold and what else its metrics need.
	Requests func(t *Task, r data.Row, doc *Doc) error
	// Example is a document with its answer as a worked example; nil: the kind takes none.
	Example func(t *Task, doc *Doc) worked
	// Chooses: the requests are choices, of which metrics take one for the answer.
	Chooses bool
	// Texts: the requests are whole texts, which diagnostics can measure too.
	Texts bool
	// Harness is what lm-evaluation-harness calls the requests, its output_type.
	Harness string
	// Section says what a suite's section of the kind's name asks for; the kind's documents are made
	// where the model is known (package eval), and it has neither Keys nor Requests nor Example. The
	// section's results are kept under the kind's name, which no task can therefore have. "": a kind
	// of tasks with files of their own.
	Section string
}

// Kinds has all of them.
var Kinds = []KindRow{
	{Name: MultipleChoice, Keys: choiceKeys, Requests: (*Task).choices, Example: (*Task).choiceExample, Chooses: true, Harness: "multiple_choice"},
	{Name: LastWord, Keys: wordKeys, Requests: (*Task).lastWord, Example: (*Task).wordExample, Harness: "loglikelihood"},
	{Name: RollingPerplexity, Keys: textKeys, Requests: (*Task).wholeText, Texts: true, Harness: "loglikelihood_rolling"},
	{Name: GenerateUntil, Keys: generationKeys, Requests: (*Task).generated, Example: (*Task).generatedExample, Harness: "generate_until"},
	{Name: Passkey, Section: "a passkey grid's trials"},
	{Name: Diagnostics, Section: "a suite's diagnostics"},
}

// kindOf is a kind's row; nil for an unknown one.
func kindOf(name Kind) *KindRow {
	i := slices.IndexFunc(Kinds, func(k KindRow) bool { return k.Name == name })
	if i < 0 {
		return nil
	}
	return &Kinds[i]
}

// declared are the names of the kinds that a task's YAML can name.
func declared() (names []string) {
	for _, k := range Kinds {
		if k.Section == "" {
			names = append(names, string(k.Name))
		}
	}
	return names
}

// OutputType is what lm-evaluation-harness calls the requests of a kind; an unknown one is its own.
func OutputType(name string) string {
	if k := kindOf(Kind(name)); k != nil && k.Harness != "" {
		return k.Harness
	}
	return name
}

// TakesExamples reports whether worked examples can stand before the task's documents.
func (t *Task) TakesExamples() bool { return kindOf(t.Kind).Example != nil }

// HasTexts reports whether the task's documents are whole texts.
func (t *Task) HasTexts() bool { return kindOf(t.Kind).Texts }

// Chooses reports whether the requests of a document are choices, one of which is the answer.
func (t *Task) Chooses() bool { return kindOf(t.Kind).Chooses }

func choiceKeys(given map[string]bool) (need, may []string) {
	if given["contexts"] {
		return []string{"contexts", "continuation", "gold"}, []string{"delimiter"}
	}
	return []string{"context", "choices", "gold"}, []string{"delimiter"}
}

func wordKeys(map[string]bool) (need, may []string) {
	return []string{"context", "continuation"}, []string{"delimiter"}
}

func textKeys(map[string]bool) (need, may []string) { return []string{"text"}, []string{"page"} }

// choices are the requests of multiple choice: of one context or of many.
func (t *Task) choices(r data.Row, doc *Doc) error {
	if t.def.Contexts != nil {
		return t.manyContexts(r, doc)
	}
	return t.manyChoices(r, doc)
}

// manyChoices is the usual multiple choice: one context, a continuation per choice.
func (t *Task) manyChoices(r data.Row, doc *Doc) error {
	context, err := t.def.Context.render(r)
	if err != nil {
		return err
	}
	choices, err := t.def.Choices.texts(r)
	if err != nil {
		return err
	}
	if len(choices) == 0 {
		return fmt.Errorf("%s: the document has no choices", r.Where())
	}
	if doc.Gold, err = t.def.Gold.find(r, choices); err != nil {
		return err
	}
	doc.Requests = make([]Request, len(choices))
	delimiter := t.def.delimiter()
	for i, c := range choices {
		continuation := delimiter + c
		doc.Requests[i] = Request{Context: context, Continuation: continuation, Choice: continuation[len(delimiter):]} // one text in memory
	}
	return nil
}

// manyContexts is partial evaluation (winogrande): one context per option, the same continuation
// after each. As in lm-evaluation-harness the choice that lengths are measured by is the context.
func (t *Task) manyContexts(r data.Row, doc *Doc) error {
	contexts, err := t.def.Contexts.texts(r)
	if err != nil {
		return err
	}
	if len(contexts) == 0 {
		return fmt.Errorf("%s: the document has no choices", r.Where())
	}
	continuation, err := t.def.Continuation.render(r)
	if err != nil {
		return err
	}
	if doc.Gold, err = t.def.Gold.find(r, contexts); err != nil {
		return err
	}
	for _, c := range contexts {
		doc.Requests = append(doc.Requests, Request{Context: c, Continuation: t.def.delimiter() + continuation, Choice: c})
	}
	return nil
}

// lastWord is one continuation.
func (t *Task) lastWord(r data.Row, doc *Doc) error {
	context, err := t.def.Context.render(r)
	if err != nil {
		return err
	}
	continuation, err := t.def.Continuation.render(r)
	if err != nil {
		return err
	}
	doc.Requests = []Request{{Context: context, Continuation: continuation, Choice: continuation}}
	return nil
}

// wholeText is a text, each token of which is scored.
func (t *Task) wholeText(r data.Row, doc *Doc) error {
	scored, err := t.def.Text.render(r)
	if err != nil {
		return err
	}
	page := scored
	if t.def.Page != nil {
		if page, err = t.def.Page.render(r); err != nil {
			return err
		}
	}
	doc.Requests, doc.Words, doc.Bytes = []Request{{Ask: WholeText, Text: scored}}, py.Words(page), len(page)
	return nil
}

// worked is a worked example: a question, its answer, and the text of both in a prompt without turns.
type worked struct{ context, answer, text string }

// choiceExample is a document with its right choice. With many contexts it has lm-evaluation-harness'
// quirk of wordExample.
func (t *Task) choiceExample(doc *Doc) worked {
	q := doc.Requests[doc.Gold]
	answer := strings.TrimPrefix(q.Continuation, t.def.delimiter())
	if t.def.Contexts == nil {
		return worked{q.Context, answer, q.Context + q.Continuation + exampleDelimiter}
	}
	return t.given(q.Context, answer)
}

// wordExample has lm-evaluation-harness' quirk that the delimiter stands here though the request has
// none (so LAMBADA's examples have two spaces before the word).
func (t *Task) wordExample(doc *Doc) worked {
	return t.given(doc.Requests[0].Context, doc.Requests[0].Continuation)
}

// given is an example whose answer is given as text: an empty one leaves out the delimiter and the
// blank line too, as in lm-evaluation-harness.
func (t *Task) given(context, answer string) worked {
	if answer == "" {
		return worked{context, "", context}
	}
	return worked{context, answer, context + t.def.delimiter() + answer + exampleDelimiter}
}
