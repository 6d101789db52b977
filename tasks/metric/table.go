package metric

import (
	"math"
	"slices"
	"unicode/utf8"
)

// Table has the metrics, in the order in which a task shows them that names none.
var Table = []Metric{
	// perplexity: exp(-mean of the documents' loglikelihoods), each document weighing the same
	// whatever its tokens. lm-evaluation-harness: perplexity, bootstrapped.
	{Name: "perplexity", Formula: Perplexity, Kinds: []Kind{LastWord}, Value: logLikelihood, Harness: "perplexity"},

	// acc: share of documents whose right choice has the highest loglikelihood; for last_word, whose
	// continuation is the greedy one; for passkey, whose key is repeated token by token.
	// lm-evaluation-harness: acc, mean, mean_stderr.
	{Name: "acc", HigherIsBetter: true, Formula: Mean, Unit: Share, Kinds: []Kind{MultipleChoice, LastWord, Passkey},
		Column: "correct", Length: func(string) int { return 1 }, Value: rightOrGreedy, Harness: "mean"},

	// acc_norm: the same with each loglikelihood divided by its choice's length in Unicode code
	// points. lm-evaluation-harness: acc_norm.
	{Name: "acc_norm", HigherIsBetter: true, Formula: Mean, Unit: Share, Kinds: []Kind{MultipleChoice},
		Column: "correct_norm", Length: utf8.RuneCountInString, Value: right, Harness: "mean"},

	// acc_bytes: the same, divided by the choice's length in UTF-8 bytes, as papers that speak of
	// byte-normalised accuracy mean it. lm-evaluation-harness: acc_bytes.
	{Name: "acc_bytes", HigherIsBetter: true, Formula: Mean, Unit: Share, Kinds: []Kind{MultipleChoice},
		Column: "correct_bytes", Length: func(choice string) int { return len(choice) }, Value: right, Harness: "mean"},

	// acc_text: share of passkey trials whose generated text has the key's digits.
	{Name: "acc_text", HigherIsBetter: true, Formula: Mean, Unit: Share, Kinds: []Kind{Passkey}, Column: "right_text", Harness: "mean"},

	// exact_match: share of generated answers that are a right one, as the task's filters take them and
	// its options compare them.
	// lm-evaluation-harness: exact_match, mean.
	{Name: "exact_match", HigherIsBetter: true, Formula: Mean, Unit: Share, Kinds: []Kind{GenerateUntil}, Value: scored, Harness: "mean"},

	// f1: mean over generated answers of the harmonic mean of the shares of words in common with a
	// right answer: SQuAD's script. Of multiple choice with two choices the F1 score of choice 1, over all
	// documents: lm-evaluation-harness' f1, which is scikit-learn's.
	{Name: "f1", HigherIsBetter: true, Formula: Mean, Unit: Share, Kinds: []Kind{GenerateUntil, MultipleChoice}, Named: true, Value: scored, Harness: "mean",
		Part: classified, Whole: &Whole{Of: f1Of, Draws: WholeDraws}},

	// mcc: correlation of the right choices and those taken, from -1 to 1, over all documents.
	// lm-evaluation-harness: mcc, matthews_corrcoef of scikit-learn.
	{Name: "mcc", HigherIsBetter: true, Formula: Mean, Kinds: []Kind{MultipleChoice}, Named: true, Harness: "matthews_corrcoef",
		Part: classified, Whole: &Whole{Of: matthewsOf, Draws: WholeDraws}},

	// brier_score: mean over documents of Σ (p - r)², p being the choices' likelihoods made to add up to 1, r 1 for the
	// right choice. lm-evaluation-harness: brier_score (which gives no error).
	{Name: "brier_score", Formula: Mean, Kinds: []Kind{MultipleChoice}, Named: true, Value: brier, Harness: "brier_score"},

	// bleu, chrf, chrf++, ter: of all generated answers together, 0 to 100. sacrebleu's; lm-evaluation-harness: the same names.
	{Name: "bleu", HigherIsBetter: true, Formula: Mean, Kinds: []Kind{GenerateUntil}, Named: true, Harness: "bleu"},
	{Name: "chrf", HigherIsBetter: true, Formula: Mean, Kinds: []Kind{GenerateUntil}, Named: true, Harness: "chrf"},
	{Name: "chrf++", HigherIsBetter: true, Formula: Mean, Kinds: []Kind{GenerateUntil}, Named: true, Harness: "chrf++"},
	{Name: "ter", Formula: Mean, Kinds: []Kind{GenerateUntil}, Named: true, Harness: "ter"},

	// rouge1, rouge2, rougeL: means of rouge-score's F-measures.
	{Name: "rouge1", HigherIsBetter: true, Formula: Mean, Unit: Share, Kinds: []Kind{GenerateUntil}, Named: true, Value: scored, Harness: "mean"},
	{Name: "rouge2", HigherIsBetter: true, Formula: Mean, Unit: Share, Kinds: []Kind{GenerateUntil}, Named: true, Value: scored, Harness: "mean"},
	{Name: "rougeL", HigherIsBetter: true, Formula: Mean, Unit: Share, Kinds: []Kind{GenerateUntil}, Named: true, Value: scored, Harness: "mean"},

	// word_perplexity: exp(-Σ loglikelihood / Σ words of the original pages).
	// lm-evaluation-harness: word_perplexity, weighted_perplexity (which gives no error).
	{Name: "word_perplexity", Formula: Perplexity, Weight: Words, Kinds: []Kind{RollingPerplexity}, Value: logLikelihood, Harness: "weighted_perplexity"},

	// byte_perplexity: exp(-Σ loglikelihood / Σ bytes of the original pages).
	// lm-evaluation-harness: byte_perplexity, weighted_perplexity (which gives no error).
	{Name: "byte_perplexity", Formula: Perplexity, Weight: Bytes, Kinds: []Kind{RollingPerplexity}, Value: logLikelihood, Harness: "weighted_perplexity"},

	// bits_per_byte: -Σ loglikelihood / Σ bytes / ln 2, the logarithm to base 2 of byte_perplexity.
	// lm-evaluation-harness: bits_per_byte (which gives no error).
	{Name: "bits_per_byte", Formula: Bits, Weight: Bytes, Kinds: []Kind{RollingPerplexity}, Value: logLikelihood, Harness: "bits_per_byte"},
}

// logLikelihood of the one request.
func logLikelihood(_ *Metric, d Document) (float64, bool) { return d.Answers[0].LogLikelihood, true }

// scored is the score that the answer was given.
func scored(m *Metric, d Document) (float64, bool) {
	v, ok := d.Scores[m.Name]
	return v, ok
}

// classified is the right choice and the one with the highest loglikelihood.
func classified(d Document) (any, bool) {
	if len(d.Choices) == 0 || len(d.Choices) != len(d.Answers) {
		return nil, false
	}
	scores := make([]float64, len(d.Answers))
	for i, a := range d.Answers {
		scores[i] = a.LogLikelihood
	}
	return Classified{d.Gold, argmax(scores)}, true
}

// classes counts parts of classified.
func classes(parts []any) *Classes {
	docs := make([]Classified, len(parts))
	for i, p := range parts {
		docs[i] = p.(Classified)
	}
	return CountClasses(docs)
}

func f1Of(parts []any) (float64, error)       { return classes(parts).F1("binary") }
func matthewsOf(parts []any) (float64, error) { return classes(parts).Matthews(), nil }

// brier is Σ (p - r)² over a document's choices.
func brier(_ *Metric, d Document) (float64, bool) {
	if len(d.Choices) == 0 || len(d.Choices) != len(d.Answers) || d.Gold < 0 {
		return 0, false
	}
	highest, sum, out := math.Inf(-1), 0.0, 0.0
	for _, a := range d.Answers {
		highest = max(highest, a.LogLikelihood)
	}
	for _, a := range d.Answers {
		sum += math.Exp(a.LogLikelihood - highest)
	}
	for i, a := range d.Answers {
		p := math.Exp(a.LogLikelihood-highest) / sum
		if i == d.Gold {
			p--
		}
		out += p * p
	}
	return out, true
}

// right is 1 where the choice taken is the right one.
func right(m *Metric, d Document) (float64, bool) {
	if d.Choices == nil {
		return 0, false
	}
	chosen := m.Chosen(d)
	return truth(chosen == d.Gold || slices.Contains(d.AlsoGold, chosen)), true
}

// rightOrGreedy is right; without choices, whether the continuation is the greedy one.
func rightOrGreedy(m *Metric, d Document) (float64, bool) {
	if d.Choices == nil && d.Gold < 0 {
		return truth(d.Answers[0].Greedy), true
	}
	return right(m, d)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
