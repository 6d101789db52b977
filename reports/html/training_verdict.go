package html

import (
	"cmp"
	"slices"

	"github.com/softbench/softbench/reports/text"
)

// verdict writes the first lines of a training's page.
func (b *trainingBuilder) verdict(v *trainingView) {
	if len(b.runs) > 1 {
		b.verdictOfMany(v)
	} else {
		b.verdictOfOne(v)
	}
	for i, r := range b.doc.Trainings {
		whose := say()
		if len(b.runs) > 1 {
			whose = say(name(b.runs[i].Name), ": ")
		}
		warn := func(p prose) { v.Warnings = append(v.Warnings, append(slices.Clone(whose), p...)) }
		if r.Stopped != "" {
			warn(say("stopped: ", verbatimPlain(r.Stopped)))
		}
		for k, l := range r.Lines {
			if m := l.Measure; m != nil && !text.Finite(float64(m.Loss)) {
				warn(say("at step ", count(b, &r.Lines[k].Step), " the loss was not a number in the diagnostics"))
				break
			}
		}
		if slices.ContainsFunc(r.Lines, func(l trainingRow) bool { return l.Measure != nil && !l.Measure.HeldOut }) {
			warn(say("diagnostics are of text that it learns from, as none was held out"))
		}
	}
}

func (b *trainingBuilder) verdictOfOne(v *trainingView) {
	r, who := &b.doc.Trainings[0], name(b.runs[0].Name)
	if len(r.Lines) == 0 {
		v.Headline = say(who, " has no line of history yet")
		return
	}
	last := len(r.Lines) - 1
	diagnosed := b.diagnosed(0)
	tokens := count(b, &r.Lines[last].Tokens)
	switch {
	case len(diagnosed) == 0:
		v.Headline = say(who, ": training loss ", b.cell(0, last, trainingLoss), " after ", tokens, " tokens")
	default:
		at := diagnosed[len(diagnosed)-1]
		on := " on held\u2011out text after " // not to be parted at the hyphen
		if !r.Lines[at].Measure.HeldOut {
			on = " after "
		}
		v.Headline = say(who, ": loss ", b.cell(0, at, heldOutLoss), on, count(b, &r.Lines[at].Tokens), " tokens")
	}
	v.Lead = append(v.Lead, b.progress(0, func(s string) string { return s }))
	if len(diagnosed) == 0 {
		return
	}
	at := diagnosed[len(diagnosed)-1]
	measures := say("The last diagnostics:")
	for k, q := range diagnosticsQuantities[:5] {
		part := say(" ", lowerFirst(q.short)+" ", b.cell(0, at, q))
		if k > 0 {
			part = append(say(","), part...)
		}
		measures = append(measures, part...)
	}
	v.Lead = append(v.Lead, append(measures, say(".")...))
	for _, x := range []struct {
		most  int
		q     quantity
		none  string
		named string
	}{
		{r.MostDead, diagnosticsQuantities[1], "No head was dead at any of ", "Dead heads"},
		{r.MostSinks, diagnosticsQuantities[0], "No head was a sink at any of ", "Sinks"},
	} {
		switch {
		case x.most < 0:
		case x.q.of(&r.Lines[x.most]) == 0:
			noun := " diagnosed steps."
			if r.Diagnosed == 1 {
				noun = " diagnosed step."
			}
			v.Lead = append(v.Lead, say(x.none, count(b, &r.Diagnosed), noun))
		case x.most != at:
			v.Lead = append(v.Lead, say(x.named+" were most at step ", count(b, &r.Lines[x.most].Step), ": ", b.cell(0, x.most, x.q), "; now ", b.cell(0, at, x.q), "."))
		}
	}
	if r.BestLoss >= 0 && r.BestLoss != at {
		v.Lead = append(v.Lead, say("The loss was lowest at step ", count(b, &r.Lines[r.BestLoss].Step), ": ", b.cell(0, r.BestLoss, heldOutLoss), "."))
	}
}

// progress says how far training i is, its first word as begin writes it.
func (b *trainingBuilder) progress(i int, begin func(string) string) prose {
	r := &b.doc.Trainings[i]
	last := len(r.Lines) - 1
	step := count(b, &r.Lines[last].Step)
	took := say(" in ", b.cell(i, last, placeQuantities[2]), "\u00a0s.")
	switch {
	case r.Steps == 0:
		return append(say(begin("Step "), step), took...)
	case r.Lines[last].Step >= r.Steps:
		return append(say(begin("Finished after "), count(b, &r.Steps), " steps"), took...)
	}
	return append(say(begin("Step "), step, " of ", count(b, &r.Steps)), took...)
}

func (b *trainingBuilder) verdictOfMany(v *trainingView) {
	const most = 4 // named in the headline
	type at struct{ run, line int }
	var ends []at
	tokens := map[int64]bool{}
	for i, r := range b.doc.Trainings {
		if diagnosed := b.diagnosed(i); len(diagnosed) > 0 {
			k := diagnosed[len(diagnosed)-1]
			tokens[r.Lines[k].Tokens] = true
			if text.Finite(float64(r.Lines[k].Measure.Loss)) {
				ends = append(ends, at{i, k})
			}
		}
	}
	slices.SortStableFunc(ends, func(x, y at) int {
		return cmp.Compare(b.doc.Trainings[x.run].Lines[x.line].Measure.Loss, b.doc.Trainings[y.run].Lines[y.line].Measure.Loss)
	})
	if len(ends) == 0 {
		v.Headline = say(name(text.Visible(b.doc.Title)))
		v.Lead = append(v.Lead, say("None has diagnostics yet."))
		return
	}
	v.Headline = say("Loss in the last diagnostics: ")
	for k, e := range ends {
		if k == most {
			v.Headline = append(v.Headline, say("; more below")...)
			break
		}
		if k > 0 {
			v.Headline = append(v.Headline, say(", ")...)
		}
		v.Headline = append(v.Headline, say(name(b.runs[e.run].Name), " ", b.cell(e.run, e.line, heldOutLoss))...)
	}
	for i, r := range b.doc.Trainings {
		if len(r.Lines) == 0 {
			v.Lead = append(v.Lead, say(name(b.runs[i].Name), ": no line of history yet."))
			continue
		}
		v.Lead = append(v.Lead, append(say(name(b.runs[i].Name), ": "), b.progress(i, lowerFirst)...))
	}
	v.Lead = append(v.Lead, say("One training of each: what a difference owes to the seed is not known."))
	if len(tokens) > 1 {
		v.Warnings = append(v.Warnings, say("the losses are not after the same number of tokens"))
	}
}

func lowerFirst(s string) string { return string(s[0]|0x20) + s[1:] }
