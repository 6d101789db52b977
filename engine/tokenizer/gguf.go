package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/gguf"
)

// The tokenizer of a GGUF file: its metadata, put as the tokenizer.json that
// transformers makes of them (integrations/gguf/gguf_tokenizer_mapping.py), and
// split by the rule that llama.cpp has for the name in tokenizer.ggml.pre.

// loadGGUF reads the tokenizer of a GGUF file: the one beside it where there is
// one, else the one in it.
func loadGGUF(r *reader, path string) (*Tokenizer, error) {
	path = gguf.First(path)
	dir := filepath.Dir(path)
	for _, name := range []string{"tokenizer.json", "tokenizer.model"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return loadDir(r, dir)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w", path, underlying(err))
	}
	r.seen = append(r.seen, seenFile{path, info})
	f, err := gguf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	g := &ggufTokenizer{File: f}
	data, config, err := g.files()
	if err != nil {
		return nil, fmt.Errorf("%s: its tokenizer: %w", path, err)
	}
	var t *Tokenizer
	if err := intoError(func() (err error) { t, err = parseJSON(data); return err }); err != nil {
		return nil, fmt.Errorf("%s: its tokenizer: %w", path, err)
	}
	t.path = path
	s := settings{path: path, Added: map[int32]addedToken{}}
	if err := s.readSpecial(config, further{}); err != nil {
		return nil, fmt.Errorf("%s: its tokenizer: %w", path, err)
	}
	if err := intoError(func() error { return t.configure(s) }); err != nil {
		return nil, fmt.Errorf("%s: its tokenizer: %w", path, err)
	}
	t.kind += ", from GGUF metadata"
	t.files = r.seen
	return t, t.identify(data, s)
}

type ggufTokenizer struct {
	*gguf.File
	tokens []string
	types  []float64 // of the tokens; nil where the file does not say
}

// Types of tokens, by llama.cpp's numbers.
const (
	ggufControl     = 3
	ggufUserDefined = 4
)

// files returns a tokenizer.json and the special tokens that a
// tokenizer_config.json would name.
func (g *ggufTokenizer) files() (data []byte, special map[string]json.RawMessage, err error) {
	if g.tokens, err = g.Texts("tokenizer.ggml.tokens"); err != nil {
		return nil, nil, errors.New("the metadata have none (tokenizer.ggml.tokens): put the model's tokenizer.json beside the file")
	}
	if len(g.tokens) > maxTokens {
		return nil, nil, fmt.Errorf("%d tokens, more than %d", len(g.tokens), maxTokens)
	}
	if g.Has("tokenizer.ggml.token_type") {
		if g.types, err = g.Numbers("tokenizer.ggml.token_type"); err != nil || len(g.types) != len(g.tokens) {
			return nil, nil, fmt.Errorf("tokenizer.ggml.token_type does not have one number for each of %d tokens", len(g.tokens))
		}
	}
	if special, err = g.special(); err != nil {
		return nil, nil, err
	}
	var file map[string]any
	model, _ := g.Text("tokenizer.ggml.model")
	switch model {
	case "gpt2":
		file, err = g.byteLevel()
	case "llama":
		file, err = g.sentencePiece()
	default:
		return nil, nil, fmt.Errorf("tokenizer.ggml.model %q is not supported (known: gpt2, llama): put the model's tokenizer.json beside the file", model)
	}
	if err != nil {
		return nil, nil, err
	}
	file["version"] = "1.0"
	file["added_tokens"] = g.added()
	if file["post_processor"], err = g.template(model); err != nil {
		return nil, nil, err
	}
	data, err = json.Marshal(file)
	return data, special, err
}

// special names the tokens that the metadata give ids of.
func (g *ggufTokenizer) special() (map[string]json.RawMessage, error) {
	named := map[string]json.RawMessage{"pad_token": json.RawMessage("null")}
	for name, key := range map[string]string{"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"} {
		token, ok, err := g.named(key)
		if err != nil {
			return nil, err
		}
		if ok {
			named[name], _ = json.Marshal(token) // a string is never refused
		}
	}
	return named, nil
}

func (g *ggufTokenizer) named(key string) (token string, ok bool, err error) {
	id, ok := g.Integer("tokenizer.ggml." + key + "_token_id")
	if !ok {
		return "", false, nil
	}
	if id < 0 || id >= int64(len(g.tokens)) {
		return "", false, fmt.Errorf("tokenizer.ggml.%s_token_id is %d of %d tokens", key, id, len(g.tokens))
	}
	return g.tokens[id], true, nil
}

// kind is a token's type; 0 where the file does not say.
func (g *ggufTokenizer) kind(id int) int {
	if g.types == nil {
		return 0
	}
	return int(g.types[id])
}

// added lists the control tokens, which are special, and the user-defined ones.
func (g *ggufTokenizer) added() []any {
	all := []any{}
	for _, kind := range []int{ggufControl, ggufUserDefined} {
		for id, token := range g.tokens {
			if g.kind(id) == kind && token != "" {
				all = append(all, map[string]any{
					"id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": kind == ggufControl,
				})
			}
		}
	}
	return all
}

// template is what is put around every text.
func (g *ggufTokenizer) template(model string) (any, error) {
	pre, _ := g.Text("tokenizer.ggml.pre")
	bos, said := g.Flag("tokenizer.ggml.add_bos_token")
	if !said { // what llama.cpp does with files that do not say
		bos = model == "llama" || llama3Names[pre]
	}
	eos, _ := g.Flag("tokenizer.ggml.add_eos_token")
	single := []any{map[string]any{"Sequence": map[string]any{"id": "A", "type_id": 0}}}
	tokens := map[string]any{}
	put := func(key string) (any, bool, error) {
		id, _ := g.Integer("tokenizer.ggml." + key + "_token_id")
		token, ok, err := g.named(key)
		tokens[token] = map[string]any{"id": token, "ids": []int64{id}, "tokens": []string{token}}
		return map[string]any{"SpecialToken": map[string]any{"id": token, "type_id": 0}}, ok, err
	}
	if bos {
		item, ok, err := put("bos")
		if err != nil {
			return nil, err
		}
		if ok {
			single = slices.Insert(single, 0, item)
		}
	}
	if eos {
		item, ok, err := put("eos")
		if err != nil {
			return nil, err
		}
		if ok {
			single = append(single, item)
		}
	}
	return map[string]any{"type": "TemplateProcessing", "single": single, "pair": []any{}, "special_tokens": tokens}, nil
}

// Names in tokenizer.ggml.pre, by the pattern that llama.cpp has for them.
var (
	gpt2Names   = nameSet("gpt-2", "mpt", "olmo", "jais", "phi-2", "trillion", "granite-docling", "roberta-bpe", "gigachat", "jina-v2-en", "jina-v2-es", "jina-v2-de", "jina-v1-en", "a.x-4.0", "mellum", "modern-bert")
	digitNames  = nameSet("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")
	llama3Names = nameSet("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano")
	like3Names  = nameSet("dbrx", "smaug-bpe", "chatglm-bpe", "glm4")
	qwen2Names  = nameSet("qwen2", "deepseek-r1-qwen", "stablelm2", "kormo", "f2llmv2", "megrez", "hunyuan", "solar-open")
	tekkenNames = nameSet("tekken")
	gpt4oNames  = nameSet("gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2")
)

func nameSet(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, n := range names {
		set[n] = true
	}
	return set
}

const (
	splitTekken = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	splitGPT4o  = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// preTokenizer is the section of that name for tokenizer.ggml.pre.
func (g *ggufTokenizer) preTokenizer() (any, error) {
	pre, said := g.Text("tokenizer.ggml.pre")
	arch, _ := g.Text("general.architecture")
	level := func(regex bool) any {
		return map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": regex}
	}
	sequence := func(steps ...any) any { return map[string]any{"type": "Sequence", "pretokenizers": steps} }
	split := func(pattern string) any {
		return sequence(map[string]any{"type": "Split", "pattern": map[string]any{"Regex": pattern}, "behavior": "Isolated", "invert": false}, level(false))
	}
	switch {
	case gpt2Names[pre], !said && (arch == "gpt2" || arch == "gptneox"):
		return level(true), nil
	case digitNames[pre]:
		return sequence(map[string]any{"type": "Digits", "individual_digits": true}, level(true)), nil
	case llama3Names[pre] || like3Names[pre]:
		return split(patternLlama3), nil
	case qwen2Names[pre]:
		return split(patternQwen2), nil
	case tekkenNames[pre]:
		return split(splitTekken), nil
	case gpt4oNames[pre]:
		return split(splitGPT4o), nil
	}
	var known []string
	for _, names := range []map[string]bool{gpt2Names, digitNames, llama3Names, like3Names, qwen2Names, tekkenNames, gpt4oNames} {
		known = slices.AppendSeq(known, maps.Keys(names))
	}
	slices.Sort(known)
	return nil, fmt.Errorf("tokenizer.ggml.pre %q does not say how text is split (known: %s): put the model's tokenizer.json beside the file", pre, strings.Join(known, ", "))
}

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
		"model":         map[string]any{"type": "BPE", "vocab": vocab, "merges": merges, "ignore_merges": llama3Names[name] || tekkenNames[name]},
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
		merges = impliedMerges(tokens, vocab, scores)
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
func impliedMerges(tokens []string, vocab map[string]int, scores []float64) [][2]string {
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
		chars := []rune(token)
		from := len(all)
		for cut := 1; cut < len(chars); cut++ {
			left, right := string(chars[:cut]), string(chars[cut:])
			_, ok1 := vocab[left]
			_, ok2 := vocab[right]
			if ok1 && ok2 {
				all = append(all, merge{[2]string{left, right}, scores[id], [2]int{cut, len(chars) - cut}})
			}
		}
		slices.SortStableFunc(all[from:], func(a, b merge) int {
			return compare(vocab[a.pair[0]], vocab[b.pair[0]], vocab[a.pair[1]], vocab[b.pair[1]])
		})
	}
	slices.SortStableFunc(all, func(a, b merge) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return compare(b.lens[0], a.lens[0], b.lens[1], a.lens[1])
	})
	pairs := make([][2]string, len(all))
	for i, m := range all {
		pairs[i] = m.pair
	}
	return pairs
}

// compare orders by two pairs of numbers.
func compare(a1, b1, a2, b2 int) int {
	if a1 != b1 {
		return a1 - b1
	}
	return a2 - b2
}
