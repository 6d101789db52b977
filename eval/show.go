package eval

import (
	"context"
	"fmt"
	"strconv"

	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
)

// Shown is what a run would ask of a model: the first documents of each of its parts, as they will
// be fed. Its names in JSON are stable.
type Shown struct {
	MaxLength    int         `json:"max_length"`
	ChatTemplate string      `json:"chat_template,omitempty"` // its SHA-256, where one is applied
	Notes        []string    `json:"notes"`
	Parts        []ShownPart `json:"parts"`
}

// ShownPart is a task, a passkey grid or the diagnostics.
type ShownPart struct {
	Name      string     `json:"name"`
	Kind      tasks.Kind `json:"kind"`
	FewShot   int        `json:"fewshot"`
	Of        int        `json:"of"` // documents, trials or samples in all
	Documents []ShownDoc `json:"documents"`
}

// ShownDoc is a document with all that is asked of it.
type ShownDoc struct {
	ID       int            `json:"doc_id"`
	Hash     string         `json:"doc_hash"`
	Gold     []int          `json:"gold,omitempty"`    // the right requests, 0-based
	Targets  []string       `json:"targets,omitempty"` // of a generated answer: the right ones
	Requests []ShownRequest `json:"requests"`
}

// ShownRequest is one request: its texts as the task makes them, and the ids that the model gets.
type ShownRequest struct {
	Context      string          `json:"context"` // of a whole text, the text
	Continuation string          `json:"continuation,omitempty"`
	Until        []string        `json:"until,omitempty"`      // what ends a generated answer
	MaxTokens    int             `json:"max_tokens,omitempty"` // to decode, at most
	Windows      []ShownWindow   `json:"windows"`
	Truncated    int             `json:"truncated,omitempty"` // tokens cut off on the left
	Unscored     answer.Unscored `json:"unscored,omitempty"`
}

// ShownWindow is a token sequence: the ids after which, and those of which, something is asked.
type ShownWindow struct {
	Context []int32 `json:"context_ids"`
	Scored  []int32 `json:"scored_ids"`
}

// Show gathers what a run would ask, and shows the first n documents of each part. Of the model it
// takes config and tokenizer: the weights need not be there.
func Show(ctx context.Context, o RunOptions, n int) (*Shown, error) {
	if n < 1 {
		return nil, fmt.Errorf("--show %d: want at least 1, a number of documents", n)
	}
	suite, notes, err := resolve(ctx, o)
	if err != nil {
		return nil, err
	}
	o.Model.Download, o.Model.Note, o.Model.configAlone = o.Download, o.Note, true
	source := data.NewSource(o.Data)
	source.Download, source.Notify = o.Download, o.Note
	m, work, err := gatherFor(ctx, suite, notes, source, o)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	shown := &Shown{MaxLength: m.LM.MaxLength(), Notes: append([]string{}, work.Notes...)}
	if m.Chat != nil {
		shown.ChatTemplate = m.Chat.SHA256()
	}
	for _, p := range work.parts() {
		part, err := show(ctx, m, p, n)
		if err != nil {
			return nil, err
		}
		shown.Parts = append(shown.Parts, part)
	}
	return shown, m.Tokenizer.Err()
}

// show shows the first n documents of a part.
func show(ctx context.Context, m *Model, p part, n int) (ShownPart, error) {
	docs := p.documents()
	s := ShownPart{Name: p.name(), Kind: tasks.Kind(p.name()), Of: len(docs)}
	switch p := p.(type) {
	case *TaskWork:
		s.Kind, s.FewShot = p.Task.Kind, p.FewShot
	case *DiagnosticsWork:
		s.Of = len(p.Samples)
		for i, ids := range p.Samples[:min(n, len(p.Samples))] {
			s.Documents = append(s.Documents, ShownDoc{ID: p.Docs[i].ID, Hash: p.Docs[i].Hash, Requests: []ShownRequest{{
				Context: m.Tokenizer.Decode(ids, false), Windows: []ShownWindow{{Context: ids, Scored: []int32{}}},
			}}})
		}
		return s, nil
	}
	for i := range docs[:min(n, len(docs))] {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		d, err := showDoc(m, p, &docs[i])
		if err != nil {
			return s, err
		}
		s.Documents = append(s.Documents, d)
	}
	return s, nil
}

func showDoc(m *Model, p part, doc *tasks.Doc) (ShownDoc, error) {
	d := ShownDoc{ID: doc.ID, Hash: doc.Hash, Targets: doc.Targets}
	if doc.Gold >= 0 && len(doc.Requests) > 1 {
		d.Gold = append([]int{doc.Gold}, doc.AlsoGold...)
	}
	if grid, ok := p.(*PasskeyWork); ok {
		d.Targets = []string{strconv.Itoa(grid.Trials[doc.ID].Key)}
	}
	plan := m.LM.NewPlan()
	for k := range doc.Requests {
		q := &doc.Requests[k]
		if err := ask(plan, q, func(answer.Answer) error { return nil }); err != nil {
			return d, fmt.Errorf("%s: %w", p.calls(doc, k), err)
		}
		fed, err := plan.Fed(k)
		if err != nil {
			return d, fmt.Errorf("%s: %w", p.calls(doc, k), err)
		}
		r := ShownRequest{
			Context: q.Context + q.Text, Continuation: q.Continuation, Until: fed.Until, MaxTokens: q.Tokens,
			Windows: windowsOf(fed), Truncated: fed.Truncated, Unscored: fed.Unscored,
		}
		if q.Ask == tasks.Decoding {
			r.Context = m.Tokenizer.Decode(q.Prompt, false)
		}
		d.Requests = append(d.Requests, r)
	}
	return d, nil
}

func windowsOf(fed lm.Fed) []ShownWindow {
	out := []ShownWindow{}
	for _, w := range fed.Windows {
		out = append(out, ShownWindow{Context: w.Tokens[:w.From], Scored: w.Tokens[w.From:]})
	}
	return out
}
