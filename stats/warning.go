package stats

import "fmt"

// A Code names a kind of warning.
type Code string

// The warnings. None of them changes a number.
const (
	Identical     Code = "identical"      // the answers are equal to the bit on every document
	SameOutcomes  Code = "same-outcomes"  // right and wrong on the same documents
	Arithmetic    Code = "arithmetic"     // the difference is what rounding may make
	SmallN        Code = "small-n"        // fewer than 30 documents
	FewDiscordant Code = "few-discordant" // fewer than 10 documents differ in a 0/1 metric
	Ceiling       Code = "ceiling"        // a run gets over 98% right
	Floor         Code = "floor"          // a run gets under 2% right
	FewClusters   Code = "few-clusters"   // fewer than 20 clusters
	Skewed        Code = "skewed"         // the differences are so skewed that tests do not keep their level
	Dominated     Code = "dominated"      // one document or cluster carries nearly all of the variance
	Overflow      Code = "overflow"       // a metric is more than a float64 holds
	NoInterval    Code = "no-interval"    // too little to compute an interval from
	NoBCa         Code = "no-bca"         // BCa undefined, the percentile interval stands instead
	NoSpread      Code = "no-spread"      // every document differs by the same amount
	Disagree      Code = "disagree"       // test and interval fall on different sides of the level
	NoMDE         Code = "no-mde"         // no difference would be detected at the asked power
)

const (
	smallN        = 30
	fewDiscordant = 10
	fewClusters   = 20
	nearCeiling   = 0.98
	dominance     = 0.8
)

// A Warning tells what makes a value less worth than it looks.
type Warning struct {
	Code Code   `json:"code"`
	Text string `json:"text"`
}

func (w Warning) String() string { return w.Text }

func warn(code Code, format string, args ...any) Warning {
	return Warning{code, fmt.Sprintf(format, args...)}
}

// Texts are the warnings' texts, in order; nil where there are none.
func Texts(ws []Warning) []string {
	var out []string
	for _, w := range ws {
		out = append(out, w.Text)
	}
	return out
}

// Has says whether there is a warning of that kind.
func Has(ws []Warning, code Code) bool {
	for _, w := range ws {
		if w.Code == code {
			return true
		}
	}
	return false
}
