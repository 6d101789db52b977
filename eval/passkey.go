package eval

import (
	"context"
	"fmt"

	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/passkey"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
	"github.com/softbench/softbench/tasks"
)

// PasskeyWork is a grid's trials.
type PasskeyWork struct {
	Grid   passkey.Grid
	Trials []passkey.Trial
	docs   []tasks.Doc // of the trials
}

// addPasskey builds the grid's prompts. Lengths that leave no room for the
// answer within the model's context are left out with a note.
func (w *Work) addPasskey(ctx context.Context, g passkey.Grid, m *Model) error {
	g, notes, err := fitting(g, m.LM.MaxLength())
	if err != nil {
		return err
	}
	w.Notes = append(w.Notes, notes...)
	trials, err := await(ctx, func() ([]passkey.Trial, error) { return g.Build(m.encoder) })
	if err != nil {
		return err
	}
	if err := m.Tokenizer.Err(); err != nil {
		return err
	}
	w.Passkey = &PasskeyWork{g, trials, passkey.Documents(trials)}
	return nil
}

// fitting is the grid with the lengths that leave room for the answer in a context.
func fitting(g passkey.Grid, context int) (_ passkey.Grid, notes []string, err error) {
	var fit []int
	const answer = 8 // tokens: more than any key of five digits has
	for _, n := range g.Lengths {
		if n+answer <= context+1 {
			fit = append(fit, n)
			continue
		}
		notes = append(notes, fmt.Sprintf("passkey at %d tokens was not run: the model's context holds %d, the answer included", n, context))
	}
	if len(fit) == 0 {
		return g, nil, fmt.Errorf("passkey: no length fits the model's context of %d tokens, the answer included; give shorter lengths in a suite file", context)
	}
	g.Lengths = fit
	return g, notes, nil
}

func (p *PasskeyWork) name() string { return string(tasks.Passkey) }

func (p *PasskeyWork) documents() []tasks.Doc { return p.docs }

func (p *PasskeyWork) calls(d *tasks.Doc, _ int) string {
	t := p.Trials[d.ID]
	return fmt.Sprintf("passkey length %d depth %g trial %d", t.Length, t.Depth, t.Trial)
}

func (p *PasskeyWork) settings(s *rundir.Settings) { s.Passkey = gridSettings(&p.Grid) }

func gridSettings(g *passkey.Grid) *rundir.PasskeySettings {
	return &rundir.PasskeySettings{Lengths: g.Lengths, Depths: g.Depths, Trials: g.Trials, Seed: g.Seed}
}

func (p *PasskeyWork) report(run *rundir.Run, m *Model, answers func(*tasks.Doc) ([]answer.Answer, error)) ([]rundir.Sample, error) {
	var outcomes []passkey.Outcome
	var samples []rundir.Sample
	for i := range p.docs {
		given, err := answers(&p.docs[i])
		if err != nil {
			return nil, err
		}
		o := p.Trials[i].Score(m.Tokenizer, given[0].Generated)
		outcomes = append(outcomes, o)
		samples = append(samples, passkeyRow(&p.docs[i], given, o, m))
	}
	run.Passkey = cells(outcomes)
	return samples, nil
}

// passkeyRow is a trial's row.
func passkeyRow(d *tasks.Doc, given []answer.Answer, o passkey.Outcome, m *Model) rundir.Sample {
	s := rowsOf(string(tasks.Passkey), tasks.Passkey, d, given)[0]
	s.Correct, s.RightText, s.Length, s.Depth, s.Key = ptr(o.Right), ptr(o.RightText), ptr(int32(o.Length)), ptr(o.Depth), ptr(int32(o.Key))
	s.Generated = ptr(m.Tokenizer.Decode(o.Generated, false))
	return s
}

// cells gathers outcomes by length and depth, in the order in which they first appear.
func cells(outcomes []passkey.Outcome) []rundir.Cell {
	type place struct {
		length int
		depth  float64
	}
	at := map[place]int{}
	var out []rundir.Cell
	for _, o := range outcomes {
		p := place{o.Length, o.Depth}
		i, ok := at[p]
		if !ok {
			i = len(out)
			at[p] = i
			out = append(out, rundir.Cell{Length: o.Length, Depth: o.Depth})
		}
		out[i].N++
		if o.Right {
			out[i].Right++
		}
		if o.RightText {
			out[i].RightText++
		}
	}
	for i := range out {
		c := &out[i]
		low, high, _ := stats.Wilson(c.Right, c.N, 0.05) // a cell has trials, and no more right ones
		c.Accuracy, c.Low, c.High = rundir.Number(float64(c.Right)/float64(c.N)), rundir.Number(low), rundir.Number(high)
	}
	return out
}
