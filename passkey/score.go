package passkey

import (
	"strconv"
	"strings"

	"github.com/softbench/softbench/stats"
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

// Cell is the result of one length at one depth.
type Cell struct {
	Length    int     `json:"length"`
	Depth     float64 `json:"depth"`
	N         int     `json:"n"`
	Right     int     `json:"right"`      // trials right by ids
	RightText int     `json:"right_text"` // trials right by text; at least Right
	Accuracy  float64 `json:"accuracy"`   // Right / N
	Low       float64 `json:"low"`        // 95% Wilson interval of Accuracy
	High      float64 `json:"high"`
}

// Cells gathers outcomes by length and depth, in the order in which they first appear.
func Cells(outcomes []Outcome) []Cell {
	type place struct {
		length int
		depth  float64
	}
	at := map[place]int{}
	var cells []Cell
	for _, o := range outcomes {
		p := place{o.Length, o.Depth}
		i, ok := at[p]
		if !ok {
			i = len(cells)
			at[p] = i
			cells = append(cells, Cell{Length: o.Length, Depth: o.Depth})
		}
		cells[i].N++
		if o.Right {
			cells[i].Right++
		}
		if o.RightText {
			cells[i].RightText++
		}
	}
	for i := range cells {
		c := &cells[i]
		c.Accuracy = float64(c.Right) / float64(c.N)
		c.Low, c.High, _ = stats.Wilson(c.Right, c.N, 0.05) // a cell has trials, and no more right ones
	}
	return cells
}
