package passkey

import (
	"strconv"
	"strings"

	"github.com/softbench/softbench/tasks"
)

// Outcome is a trial with what the model said.
type Outcome struct {
	Trial
	Generated []int32 // as many ids as Answer has, decoded greedily after Prompt
	Right     bool    // Generated equals Answer, id by id
	RightText bool    // the generated text is the key, however it is cut into tokens
}

// Documents are the trials as documents of a task, each numbered by its place: what decoding after
// the prompt says is the one request.
func Documents(trials []Trial) []tasks.Doc {
	docs := make([]tasks.Doc, len(trials))
	for i, t := range trials {
		docs[i] = tasks.Doc{
			ID: i, Hash: t.Name(), Cluster: t.Cluster(), Gold: -1,
			Requests: []tasks.Request{{Ask: tasks.Decoding, Prompt: t.Prompt, Tokens: len(t.Answer)}},
		}
	}
	return docs
}

// Cluster names what the trial shares with others: its key, which trials of the same number ask for at
// every length of a depth. Their outcomes are not independent; those of other keys are.
func (t Trial) Cluster() string {
	return strconv.FormatFloat(t.Depth, 'g', -1, 64) + "/" + strconv.Itoa(t.Trial)
}

// Score judges the ids generated after the trial's prompt.
func (t Trial) Score(tok Tokenizer, generated []int32) Outcome {
	o := Outcome{Trial: t, Generated: generated, Right: len(generated) == len(t.Answer)}
	for i := range min(len(generated), len(t.Answer)) {
		o.Right = o.Right && generated[i] == t.Answer[i]
	}
	// Another cut of the same digits is as right to a reader; a longer number is not.
	said := strings.TrimLeft(tok.Decode(generated, true), " \n")
	rest, ok := strings.CutPrefix(said, strconv.Itoa(t.Key))
	o.RightText = o.Right || ok && (rest == "" || rest[0] < '0' || rest[0] > '9')
	return o
}
