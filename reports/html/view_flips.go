package html

import "github.com/softbench/softbench/reports/text"

type flipsView struct {
	Text prose
	Any  bool
}

// flips says how many documents flipped; the page's script lists them.
func (b *builder) flips() *flipsView {
	f := b.doc.Flips
	if f == nil {
		return nil
	}
	first, last := b.runs[0].Letter, b.runs[len(b.runs)-1].Letter
	if f.Total == 0 {
		return &flipsView{Text: say("None: " + first + " and " + last + " are right and wrong on the same documents.")}
	}
	total := b.numbers.at(text.Count, of(&f.Total))
	v := &flipsView{Any: true, Text: say(total, " documents that one of "+first+" and "+last+" got right and the other wrong. Scores are sums of log-likelihoods in nats (for acc_norm over the characters of the option, for acc_bytes over its bytes); each run's answer is underlined, the right one is bold. Of generated answers the texts stand here, with what each filter took of them.")}
	if len(f.Shown) < f.Total {
		v.Text = append(v.Text, say(" The page carries ", b.numbers.at(text.Count, of(&f.Carried)), " of them, the first of each task, to stay small; samples.parquet has all.")...)
	}
	return v
}
