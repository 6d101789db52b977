package metric

// Whole is how a metric follows from all documents together, where it is no mean over them.
type Whole struct {
	// Of is the metric of the documents' parts.
	Of func(parts []any) (float64, error)
	// Draws of the bootstrap behind its standard error; 0: lm-evaluation-harness gives none.
	Draws int
}

// WholeDraws are those of a metric whose every draw looks at all documents; lm-evaluation-harness takes 100,000, and
// 10,000 are within about 0.7 % of that. CorpusDraws are its own number for bleu, chrf and ter.
const (
	WholeDraws  = 10_000
	CorpusDraws = 100
)
