package world

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Forms lists the forms of questions, by the names of the tasks that read them.
var Forms = []string{"arc_easy", "hellaswag", "piqa", "lambada_openai"}

// Document is one held-out question.
type Document struct {
	Fields  any      // as the dataset's JSON lines have it
	Context string   // what a model is shown, without the answer
	Choices []string // what may follow, after a space; one for lambada_openai
	Gold    int      // index of the right choice
	// Needs are the rules that decide it, each as words that stand within two neighbouring sentences
	// of training text. Empty where the passage itself has all that is needed.
	Needs [][]string
}

// MarshalJSON writes the document as its dataset has it.
func (d Document) MarshalJSON() ([]byte, error) { return json.Marshal(d.Fields) }

// Fields of the datasets on the hub, in their order there.
type (
	arcFields struct {
		ID       string `json:"id"`
		Question string `json:"question"`
		Choices  struct {
			Text  []string `json:"text"`
			Label []string `json:"label"`
		} `json:"choices"`
		AnswerKey string `json:"answerKey"`
	}
	hellaswagFields struct {
		Ind           int      `json:"ind"`
		ActivityLabel string   `json:"activity_label"`
		CtxA          string   `json:"ctx_a"`
		CtxB          string   `json:"ctx_b"`
		Ctx           string   `json:"ctx"`
		Endings       []string `json:"endings"`
		Label         string   `json:"label"`
	}
	piqaFields struct {
		Goal  string `json:"goal"`
		Sol1  string `json:"sol1"`
		Sol2  string `json:"sol2"`
		Label int    `json:"label"`
	}
	lambadaFields struct {
		Text string `json:"text"`
	}
)

// question is a question before it has the shape of a dataset.
type question struct {
	label  string // hellaswag's activity
	prompt string // question, goal, scene or passage
	who    string // hellaswag: the subject of the ending
	right  string
	wrong  []string
	needs  [][]string
}

// Questions returns n different held-out questions of a form ("arc_easy", "hellaswag", "piqa",
// "lambada_openai"), in the field names of the hub's datasets, the same for the same arguments. Fewer
// come back only where the world does not hold n different ones; none for an unknown form.
func (k Kind) Questions(seed uint64, form string, n int) []Document {
	r := newRNG(seed, "questions "+form)
	var out []Document
	seen := map[string]bool{}
	for tries := 0; len(out) < n && tries < 20*n+1000; tries++ {
		q, ok := k.ask(r, form)
		if !ok {
			return nil
		}
		options := slices.Sorted(slices.Values(append([]string{q.right}, q.wrong...)))
		key := q.label + "\n" + q.prompt + "\n" + q.who + "\n" + strings.Join(options, "\n")
		if seen[key] {
			continue
		}
		seen[key] = true
		out = append(out, document(r, form, len(out), q))
	}
	return out
}

// ask draws a question of a form.
func ask(r *rng, form string, s split) (question, bool) {
	switch form {
	case "arc_easy":
		if s == heldOut && r.n(2) == 0 {
			return pick(r, []func(*rng, split) question{askFoodAmong, askPlaceAmong})(r, s), true
		}
		return pick(r, []func(*rng, split) question{askFood, askHome, askSound, askFoodBySound, askTool, askWorkplace,
			askJob, askDuty, askMaterial, askMaterial})(r, s), true
	case "hellaswag":
		return pick(r, []func(*rng, split) question{askNextStep, askReaction, askOutcome, askColleague, askColleague, askOwner})(r, s), true
	case "piqa":
		if s == heldOut && r.n(3) == 0 {
			return solveFeedingAmong(r, s), true
		}
		return pick(r, []func(*rng, split) question{solveTool, solveMaterial, solveMaterial, solveFeeding, solveCommute})(r, s), true
	case "lambada_openai":
		st := tell(r, s)
		return question{prompt: st.passage, right: st.last, needs: st.needs}, true
	}
	return question{}, false
}

// document gives a question its dataset's shape, the right option in a place drawn uniformly.
func document(r *rng, form string, id int, q question) Document {
	choices := append([]string(nil), q.wrong...)
	shuffle(r, choices)
	gold := r.n(len(choices) + 1)
	choices = slices.Insert(choices, gold, q.right)
	d := Document{Choices: choices, Gold: gold, Needs: q.needs}
	switch form {
	case "arc_easy":
		f := arcFields{ID: fmt.Sprintf("world-%d", id), Question: q.prompt, AnswerKey: "ABCD"[gold : gold+1]}
		f.Choices.Text, f.Choices.Label = choices, []string{"A", "B", "C", "D"}
		d.Fields, d.Context = f, "Question: "+q.prompt+"\nAnswer:"
	case "hellaswag":
		d.Fields = hellaswagFields{Ind: id, ActivityLabel: q.label, CtxA: q.prompt, CtxB: q.who, Ctx: q.prompt + " " + q.who,
			Endings: choices, Label: fmt.Sprint(gold)}
		d.Context = q.label + ": " + q.prompt + " " + q.who
	case "piqa":
		d.Fields = piqaFields{Goal: q.prompt, Sol1: choices[0], Sol2: choices[1], Label: gold}
		d.Context = "Question: " + q.prompt + "\nAnswer:"
	case "lambada_openai":
		d.Fields, d.Context = lambadaFields{q.prompt + " " + q.right}, q.prompt
	}
	return d
}

// others draws k different values of pool that are not v.
func others(r *rng, pool []string, v string, k int) []string {
	var rest []string
	for _, p := range pool {
		if p != v && !slices.Contains(rest, p) {
			rest = append(rest, p)
		}
	}
	return sample(r, rest, k)
}

// column is one field of a table's rows, without repeats and without "".
func column[T any](rows []T, of func(T) string) []string {
	var out []string
	for _, row := range rows {
		if v := of(row); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

var (
	foods      = column(animals, func(a animal) string { return a.food })
	homes      = column(animals, func(a animal) string { return a.home })
	sounds     = column(animals, func(a animal) string { return a.sound })
	toolNames  = column(tools, func(t tool) string { return t.name })
	jobNames   = column(jobs, func(j job) string { return an(j.name) })
	workplaces = column(jobs, func(j job) string { return j.place })
	duties     = column(jobs, func(j job) string { return j.does })
	reactions  = column(causes, func(c cause) string { return c.did })
)

// pickAsked draws a row of a table that a text of this split may ask about.
func pickAsked[T any](r *rng, s split, rows []T) T {
	for {
		if i := r.n(len(rows)); asked(s, i) {
			return rows[i]
		}
	}
}

// an is a noun with its indefinite article.
func an(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}
