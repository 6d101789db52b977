package tokenizer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// byteLevel is BPE over bytes, as GPT-2's. Tokens that are not spelled in its
// alphabet are put in it, but for those that are matched in the text.
func (g *ggufTokenizer) byteLevel() (map[string]any, error) {
	pre, err := g.preTokenizer()
	if err != nil {
		return nil, err
	}
	foreign := func(c rune) bool { return int(c) >= len(charByte) || charByte[c] < 0 }
	vocab := make(map[string]int, len(g.tokens))
	for id, token := range g.tokens {
		kind := g.kind(id)
		if kind != ggufControl && kind != ggufUserDefined && strings.ContainsFunc(token, foreign) {
			token = toByteLevel(token)
		}
		vocab[token] = id
	}
	merges, err := g.Texts("tokenizer.ggml.merges")
	if err != nil {
		return nil, errors.New("the metadata have no merges (tokenizer.ggml.merges): put the model's tokenizer.json beside the file")
	}
	name, _ := g.Text("tokenizer.ggml.pre")
	return map[string]any{
		"pre_tokenizer": pre,
		"decoder":       map[string]any{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
		"model":         map[string]any{"type": "BPE", "vocab": vocab, "merges": merges, "ignore_merges": slices.Contains(llama3Names, name) || slices.Contains(tekkenNames, name)},
	}, nil
}

// sentencePiece is the BPE of a SentencePiece model, with the merges that its
// scores imply, as transformers' LlamaTokenizer and GemmaTokenizer have it.
func (g *ggufTokenizer) sentencePiece() (map[string]any, error) {
	arch, _ := g.Text("general.architecture")
	gemma := strings.HasPrefix(arch, "gemma")
	scores, err := g.Numbers("tokenizer.ggml.scores")
	if (err != nil || len(scores) != len(g.tokens)) && !gemma {
		return nil, fmt.Errorf("tokenizer.ggml.scores does not have one number for each of %d tokens", len(g.tokens))
	}
	tokens := slices.Clone(g.tokens)
	if gemma { // its files spell spaces as such, and its scores do not follow the merges
		scores = make([]float64, len(tokens))
		for i, t := range tokens {
			scores[i] = -float64(i)
			if strings.Contains(t, " ") && strings.TrimSpace(t) == "" {
				tokens[i] = strings.Repeat(spaceMark, len([]rune(t)))
			}
		}
	}
	vocab := make(map[string]int, len(tokens))
	for id, t := range tokens {
		vocab[t] = id
	}
	var merges [][2]string
	if list, err := g.Texts("tokenizer.ggml.merges"); err == nil {
		for i, m := range list {
			left, right, ok := strings.Cut(m, " ")
			if !ok {
				return nil, fmt.Errorf("tokenizer.ggml.merges[%d], %q, is not two tokens", i, m)
			}
			merges = append(merges, [2]string{left, right})
		}
	} else {
		merges, err = impliedMerges(tokens, vocab, scores)
		if err != nil {
			return nil, err
		}
	}
	if len(merges) > maxTokens {
		return nil, fmt.Errorf("%d merges, more than %d", len(merges), maxTokens)
	}
	replace := func(from, to string) any {
		return map[string]any{"type": "Replace", "pattern": map[string]any{"String": from}, "content": to}
	}
	decoders := []any{replace(spaceMark, " "), map[string]any{"type": "ByteFallback"}, map[string]any{"type": "Fuse"}}
	model := map[string]any{"type": "BPE", "vocab": vocab, "merges": merges, "fuse_unk": true, "byte_fallback": true}
	file := map[string]any{"model": model}
	prefix, said := g.Flag("tokenizer.ggml.add_space_prefix")
	prefix = prefix || !said
	switch {
	case gemma:
		model["unk_token"] = "<unk>"
		file["normalizer"] = replace(" ", spaceMark)
		file["pre_tokenizer"] = map[string]any{"type": "Split", "pattern": map[string]any{"String": " "}, "behavior": "MergedWithPrevious", "invert": false}
		prefix = false
	case arch == "phi3":
		file["normalizer"] = map[string]any{"type": "Sequence", "normalizers": []any{map[string]any{"type": "Prepend", "prepend": spaceMark}, replace(" ", spaceMark)}}
	default:
		scheme := "first"
		if !prefix {
			scheme = "never"
		}
		file["pre_tokenizer"] = map[string]any{"type": "Metaspace", "replacement": spaceMark, "prepend_scheme": scheme, "split": false}
	}
	if prefix {
		decoders = append(decoders, map[string]any{"type": "Strip", "content": " ", "start": 1, "stop": 0})
	}
	file["decoder"] = map[string]any{"type": "Sequence", "decoders": decoders}
	return file, nil
}

// impliedMerges lists every way to make a token of two, the best score first, as
// transformers' generate_merges orders them.
func impliedMerges(tokens []string, vocab map[string]int, scores []float64) ([][2]string, error) {
	type merge struct {
		pair  [2]string
		score float64
		lens  [2]int
	}
	var all []merge
	for id, token := range tokens {
		if vocab[token] != id || len(token) > maxPieceBytes {
			continue
		}
		from, letters, cut := len(all), utf8.RuneCountInString(token), 0
		for at := range token {
			if at > 0 {
				left, right := token[:at], token[at:]
				_, ok1 := vocab[left]
				_, ok2 := vocab[right]
				if ok1 && ok2 {
					all = append(all, merge{[2]string{left, right}, scores[id], [2]int{cut, letters - cut}})
				}
			}
			cut++
		}
		if len(all) > maxImplied {
			return nil, errManyMerges
		}
		slices.SortStableFunc(all[from:], func(a, b merge) int {
			return cmp.Or(vocab[a.pair[0]]-vocab[b.pair[0]], vocab[a.pair[1]]-vocab[b.pair[1]])
		})
	}
	slices.SortStableFunc(all, func(a, b merge) int {
		return cmp.Or(cmp.Compare(b.score, a.score), b.lens[0]-a.lens[0], b.lens[1]-a.lens[1])
	})
	pairs := make([][2]string, len(all))
	for i, m := range all {
		pairs[i] = m.pair
	}
	return pairs, nil
}
