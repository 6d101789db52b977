package eval

import (
	"cmp"
	"fmt"
)

// sameTokens refuses side i where its distributions are not over the first one's tokens.
func (b *besideRun) sameTokens(i int) error {
	of := func(m *Model) tokensOf {
		return tokensOf{m.Tokenizer.ContentSHA256(), m.Checkpoint.Config.Vocab, m.LM.MaxLength()}
	}
	return of(b.models[0]).same(of(b.models[i]), b.sides[0].Name, b.sides[i].Name)
}

// SameTokens refuses two checkpoints whose distributions are not over the same tokens; maxLength,
// not 0, is what both are given for a context.
func SameTokens(a, b *Inspection, maxLength int, nameA, nameB string) error {
	of := func(in *Inspection) tokensOf {
		return tokensOf{in.TokenizerContent, in.Vocab, cmp.Or(maxLength, in.MaxLength)}
	}
	return of(a).same(of(b), nameA, nameB)
}

// tokensOf is what two models' distributions have to have in common.
type tokensOf struct {
	tokenizer     string // hash of what it says
	vocab, length int
}

func (a tokensOf) same(b tokensOf, nameA, nameB string) error {
	names := nameA + " and " + nameB
	const nothing = "; nothing was computed"
	switch {
	case a.tokenizer != b.tokenizer:
		return fmt.Errorf("%s have different tokenizers: their distributions of a next token are not over the same tokens%s", names, nothing)
	case a.vocab != b.vocab:
		return fmt.Errorf("%s have vocabularies of %d and %d tokens: a distribution over one is not one over the other%s", names, a.vocab, b.vocab, nothing)
	case a.length != b.length:
		return fmt.Errorf("%s have contexts of %d and %d tokens: --max-length %d gives both the same%s", names, a.length, b.length, min(a.length, b.length), nothing)
	}
	return nil
}
