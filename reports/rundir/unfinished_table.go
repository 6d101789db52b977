package rundir

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/text"
)

// PartlyDone says why a task of which a part is missing has no score.
const PartlyDone = "a task of which a part is missing has no score: its documents are computed in an order of their own, and those done are no fair sample of the rest"

// Title is what the run is: stopped or going on, and how much of it is done.
func (u *Unfinished) Title() string {
	s := "NOT FINISHED: this run was stopped"
	if u.State == Running {
		s = "NOT FINISHED: another process is writing this run"
	}
	if u.Part != "" {
		s += "; it is part " + text.Printable(u.Part) + " of a run that --merge makes whole"
	}
	done, of := u.Counts()
	if of == 0 {
		return s + ". " + text.Plural(done, "request is done", "requests are done")
	}
	return s + fmt.Sprintf(". %d of %s (%s)", done, text.Plural(of, "request is done", "requests are done"), text.Percent(float64(done)/float64(of)))
}

// Missing are the names of the parts that are not whole.
func (u *Unfinished) Missing() (names []string) {
	for _, p := range u.Parts {
		if !p.Whole {
			names = append(names, p.Name)
		}
	}
	return names
}

// WriteUnfinished writes, for people, how far a run is that is not finished: each task, what to do,
// and the results of the tasks that are whole.
func WriteUnfinished(out io.Writer, u *Unfinished) error {
	_, err := io.WriteString(out, unfinishedText(u, text.TerminalWidth(out)))
	return err
}

func unfinishedText(u *Unfinished, width int) string {
	var b strings.Builder
	b.WriteString(text.Wrap(u.Title(), width))
	if u.State == Interrupted {
		b.WriteString("To " + u.GoOn() + "\n") // not broken into lines: a command
	}
	b.WriteByte('\n')
	g := &text.Grid{}
	g.Column("task", text.Left, text.Keep)
	g.Column("documents begun", text.Right, 1)
	g.Column("requests done", text.Right, 2)
	g.Column("share", text.Right, text.Keep)
	g.Column("is", text.Left, text.Keep)
	for _, p := range u.Parts {
		g.Row(text.Printable(p.Name), of(p.Begun, p.Documents), of(p.Done, p.Requests), p.Share(), p.Is())
	}
	g.Fit(width).Write(&b)
	r := u.Run()
	if len(r.Tasks)+len(r.Passkey) > 0 {
		b.WriteString("\n" + text.Wrap("Of the tasks that are whole:", width))
	}
	if len(r.Tasks) > 0 {
		metricsTable(r).Fit(width).Write(&b)
		for _, n := range clusterNotes(r) {
			b.WriteString(text.Wrap(n, width))
		}
	}
	if len(r.Passkey) > 0 {
		b.WriteString(text.Wrap(passkeyTitle(r.Passkey), width))
		passkeyGrid(r.Passkey).Write(&b)
	}
	b.WriteByte('\n')
	if missing := u.Missing(); len(missing) > 0 {
		for i := range missing {
			missing[i] = text.Printable(missing[i])
		}
		b.WriteString(text.Wrap("missing: "+strings.Join(missing, ", ")+"; "+PartlyDone, width))
	} else {
		b.WriteString(text.Wrap("all results are there: what is missing is run.json and samples.parquet, which --resume writes", width))
	}
	return b.String()
}

// of is a count with what it is of; without that where it is not known.
func of(n, all int) string {
	if all == 0 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d of %d", n, all)
}

// Share is the share of the requests that are done; text.None where it is not known.
func (f *Far) Share() string {
	if f.Requests == 0 {
		return text.None
	}
	return text.Percent(min(1, float64(f.Done)/float64(f.Requests)))
}

// Is says how far a part is, in a word.
func (f *Far) Is() string {
	switch {
	case f.Whole:
		return "whole"
	case f.Done == 0:
		return "not begun"
	case f.Requests > 0 && f.Done >= f.Requests:
		return "computed"
	}
	return "partly done"
}
