package tokenizer

import (
	"cmp"
	"fmt"
	"slices"
)

// configureSP applies tokenizer_config.json to a tokenizer.model: which special tokens are added, and
// whether text gets its leading space.
func (t *Tokenizer) configureSP(s settings) error {
	proto := t.sp.proto
	if s.BOS == nil {
		t.bos = t.named(&addedToken{content: proto.bos})
	}
	if s.EOS == nil {
		t.eos = t.named(&addedToken{content: proto.eos})
	}
	t.template = nil
	if t.bos >= 0 && (s.AddBOS == nil || *s.AddBOS) {
		t.template = append(t.template, templateItem{ids: []int32{t.bos}})
	}
	t.template = append(t.template, templateItem{sequence: true})
	if t.eos >= 0 && s.AddEOS != nil && *s.AddEOS {
		t.template = append(t.template, templateItem{ids: []int32{t.eos}})
	}
	prefix := proto.dummyPrefix
	if s.PrefixSpace != nil {
		prefix = *s.PrefixSpace
	}
	t.sp.normalizer.dummyPrefix = prefix
	t.decode = llamaDecoder(prefix)
	if s.Legacy != nil && !*s.Legacy {
		return t.useMetaspace(prefix)
	}
	return nil
}

// useMetaspace rebuilds the tokenizer as transformers' LlamaTokenizer does with legacy=False: the pieces as
// a BPE model with merges in the order of the ids they make, and a space before the first stretch only,
// unless one stands there.
func (t *Tokenizer) useMetaspace(prefix bool) error {
	proto := t.sp.proto
	if t.sp.uni != nil {
		return fmt.Errorf(`"legacy": false beside a Unigram tokenizer.model is not supported; convert it to a tokenizer.json`)
	}
	if len(proto.charsmap) > 0 || t.sp.symbols != nil {
		return fmt.Errorf(`"legacy": false beside a tokenizer.model with normalization rules or user-defined symbols is not supported; convert it to a tokenizer.json`)
	}
	type merge struct {
		left, right string
		result      int32
		lens        [2]int
	}
	var merges []merge
	for id, p := range proto.pieces {
		chars := []rune(p.text)
		for cut := 1; cut < len(chars); cut++ {
			left, right := string(chars[:cut]), string(chars[cut:])
			_, ok1 := t.sp.ids[left]
			_, ok2 := t.sp.ids[right]
			if ok1 && ok2 {
				merges = append(merges, merge{left, right, int32(id), [2]int{cut, len(chars) - cut}})
			}
		}
	}
	slices.SortStableFunc(merges, func(a, b merge) int {
		return cmp.Or(cmp.Compare(a.result, b.result), cmp.Compare(a.lens[0], b.lens[0]), cmp.Compare(a.lens[1], b.lens[1]))
	})
	c := bpeConfig{vocab: t.sp.ids, fuseUnk: true, byteFallback: true, merges: make([][2]string, len(merges))}
	for i, m := range merges {
		c.merges[i] = [2]string{m.left, m.right}
	}
	model, err := newBPE(c)
	if err != nil {
		return err
	}
	space := metaspace{replacement: spaceMark, scheme: prependFirst}
	if !prefix {
		space.scheme = prependNever
	}
	t.sp, t.model, t.preTokenizers = nil, model, []preTokenizer{space}
	return nil
}
