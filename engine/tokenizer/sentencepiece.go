package tokenizer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
	"unicode/utf8"
)

// sentencePiece is a SentencePiece BPE model: adjacent symbols whose joined text is a piece are joined, the
// best score first, the leftmost of equals. Behavior: sentencepiece's bpe::Model::Encode and
// SentencePieceProcessor::Encode.
type sentencePiece struct {
	proto      *protoModel
	normalizer spNormalizer
	ids        map[string]int32 // as PieceToId: control, unknown and byte pieces before normal ones
	pieces     []string
	table      *mergeTable
	extra      map[rune]int32 // characters that are not a piece but part of one, from len(pieces) up
	extraText  []string
	symbols    *matcher // user-defined pieces, taken whole
	byteID     [256]int32
	unk        int32
	boundary   string   // as in bpe
	uni        *unigram // instead of the merges, for a Unigram model
	cache      *wordCache
	scratches  sync.Pool
}

// parseSentencePiece builds a tokenizer from a tokenizer.model.
func parseSentencePiece(data []byte) (*Tokenizer, error) {
	proto, err := parseProto(data)
	if err != nil {
		return nil, err
	}
	if proto.modelType != 1 && proto.modelType != 2 {
		name := map[int]string{3: "Word", 4: "Char"}[proto.modelType]
		return nil, fmt.Errorf("SentencePiece model type %d %s is not supported (known: BPE, Unigram); convert it to a tokenizer.json", proto.modelType, name)
	}
	if proto.asSuffix {
		return nil, fmt.Errorf("treat_whitespace_as_suffix is not supported")
	}
	if proto.denormalizes {
		return nil, fmt.Errorf("a denormalizer is not supported")
	}
	s, err := newSentencePiece(proto)
	if err != nil {
		return nil, err
	}
	t := &Tokenizer{sp: s, added: newAddedVocab(), template: plainTemplate, bos: -1, eos: -1, vocabSize: len(s.pieces)}
	var special []addedToken
	for _, p := range proto.pieces {
		if p.kind == pieceControl || p.kind == pieceUnknown {
			special = append(special, addedToken{content: p.text, special: true})
		}
	}
	if err := t.addTokens(special); err != nil {
		return nil, err
	}
	t.decode = llamaDecoder(proto.dummyPrefix)
	t.kind = "SentencePiece BPE"
	if s.uni != nil {
		t.kind = "SentencePiece Unigram"
	}
	if proto.byteFallback {
		t.kind += " (byte fallback)"
	}
	return t, nil
}

// llamaDecoder is the decoder transformers gives Llama tokenizers.
func llamaDecoder(stripFirst bool) decoder {
	spaces := decodeReplace(replace{literal(spaceMark), " "})
	first := decodeStrip(" ", 1, 0)
	return func(tokens []string) []string {
		tokens = decodeFuse(decodeByteFallback(spaces(tokens)))
		if stripFirst {
			tokens = first(tokens)
		}
		return tokens
	}
}

func newSentencePiece(proto *protoModel) (*sentencePiece, error) {
	if len(proto.pieces) >= maxTokenID {
		return nil, fmt.Errorf("has %d pieces, more than %d", len(proto.pieces), maxTokenID)
	}
	s := &sentencePiece{proto: proto, ids: make(map[string]int32, len(proto.pieces)), unk: -1, cache: newWordCache(), extra: map[rune]int32{}}
	for i := range s.byteID {
		s.byteID[i] = -1
	}
	for i, p := range proto.pieces {
		if err := s.addPiece(int32(i), p); err != nil {
			return nil, err
		}
	}
	if s.unk < 0 {
		return nil, fmt.Errorf("has no unknown piece")
	}
	if proto.byteFallback {
		if i := slices.Index(s.byteID[:], -1); i >= 0 {
			return nil, fmt.Errorf("byte_fallback is set but there is no piece <0x%02X>", i)
		}
	}
	rules, err := parseCharsmap(proto.charsmap)
	if err != nil {
		return nil, err
	}
	s.normalizer = spNormalizer{rules, s.symbols, proto.dummyPrefix, proto.trimSpaces, proto.escapeSpaces}
	if proto.modelType == 1 {
		s.uni, err = newSPUnigram(proto, s.unk)
		return s, err
	}
	if err := s.addMerges(); err != nil {
		return nil, err
	}
	s.findBoundary()
	s.scratches.New = func() any { return &merger{table: s.table} }
	return s, nil
}

func (s *sentencePiece) addPiece(id int32, p protoPiece) error {
	s.pieces = append(s.pieces, p.text)
	if p.text == "" || !utf8.ValidString(p.text) {
		return fmt.Errorf("piece %d, %q, is empty or not UTF-8", id, p.text)
	}
	if _, ok := s.ids[p.text]; ok {
		return fmt.Errorf("piece %d, %q, occurs twice", id, p.text)
	}
	if math.IsNaN(float64(p.score)) {
		return fmt.Errorf("piece %d, %q, has score NaN", id, p.text)
	}
	s.ids[p.text] = id
	switch p.kind {
	case pieceNormal, pieceControl:
	case pieceUnknown:
		if s.unk >= 0 {
			return fmt.Errorf("piece %d, %q, is a second unknown piece", id, p.text)
		}
		s.unk = id
	case pieceUserDefined:
		if s.symbols == nil {
			s.symbols = &matcher{}
		}
		s.symbols.add(p.text, id)
	case pieceByte:
		b, ok := byteToken(p.text)
		if !ok {
			return fmt.Errorf("piece %d, %q, is not a byte like <0x0A>", id, p.text)
		}
		s.byteID[b] = id
	case pieceUnused:
		if s.proto.modelType == 1 {
			break // never found in a text
		}
		return fmt.Errorf("piece %d, %q: unused pieces are not supported", id, p.text)
	default:
		return fmt.Errorf("piece %d, %q, has unknown type %d", id, p.text, p.kind)
	}
	return nil
}

// addMerges lists, for every piece, each way to cut it into two symbols, with the rank of its score.
func (s *sentencePiece) addMerges() error {
	scores := make([]float32, 0, len(s.proto.pieces))
	n := 0
	for _, p := range s.proto.pieces {
		if p.kind == pieceNormal {
			scores = append(scores, p.score)
			n += len(p.text)
		}
	}
	slices.SortFunc(scores, func(a, b float32) int { return cmp.Compare(b, a) })
	scores = slices.Compact(scores)
	rank := make(map[float32]uint32, len(scores))
	for i, score := range scores {
		rank[score] = uint32(i)
	}
	type rule struct {
		left, right int32
		mergeRule
	}
	rules := make([]rule, 0, min(n/2, maxImplied))
	for id, p := range s.proto.pieces {
		if p.kind != pieceNormal || firstRuneLen(p.text) == len(p.text) {
			continue
		}
		for cut := range p.text {
			if cut == 0 {
				continue
			}
			left, ok1 := s.part(p.text[:cut])
			right, ok2 := s.part(p.text[cut:])
			if ok1 && ok2 {
				rules = append(rules, rule{left, right, mergeRule{rank[p.score], int32(id)}})
			}
		}
		if len(rules) > maxImplied {
			return errManyMerges
		}
	}
	s.table = newMergeTable(len(rules))
	for _, r := range rules {
		s.table.set(r.left, r.right, r.mergeRule)
	}
	return nil
}

// part returns the symbol for a part of a piece: a normal piece, or a character that is none.
func (s *sentencePiece) part(text string) (int32, bool) {
	if id, ok := s.ids[text]; ok {
		return id, s.proto.pieces[id].kind == pieceNormal
	}
	r, size := utf8.DecodeRuneInString(text)
	if size < len(text) {
		return 0, false
	}
	id, ok := s.extra[r]
	if !ok {
		id = int32(len(s.pieces) + len(s.extraText))
		s.extra[r] = id
		s.extraText = append(s.extraText, text)
	}
	return id, true
}

// findBoundary is bpe.findBoundary for this model.
func (s *sentencePiece) findBoundary() {
	if id, ok := s.ids[spaceMark]; !ok || s.proto.pieces[id].kind != pieceNormal {
		return
	}
	for _, p := range s.proto.pieces {
		if (p.kind == pieceNormal || p.kind == pieceUserDefined) && boundaryIn(p.text, spaceMark) >= 0 {
			return
		}
	}
	s.boundary = spaceMark
}

// encode appends the ids of text, a stretch without special tokens.
func (s *sentencePiece) encode(ids []int32, text string) []int32 {
	rest := s.normalizer.normalize(text)
	if s.uni != nil {
		return s.uni.encode(ids, rest)
	}
	m := s.scratches.Get().(*merger)
	defer s.scratches.Put(m)
	for rest != "" {
		end := -1
		if s.boundary != "" {
			end = boundaryIn(rest, s.boundary)
		}
		if end < 0 {
			end = len(rest)
		}
		ids = s.encodeWord(ids, rest[:end], m)
		rest = rest[end:]
	}
	return ids
}

func (s *sentencePiece) encodeWord(ids []int32, word string, m *merger) []int32 {
	if known, ok := s.cache.get(word); ok {
		return append(ids, known...)
	}
	m.ids = m.ids[:0]
	for i := 0; i < len(word); {
		if s.symbols != nil {
			if size, id := s.symbols.longest(word[i:]); size > 0 {
				m.ids = append(m.ids, id)
				i += size
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(word[i:])
		text := word[i : i+size]
		i += size
		if id, ok := s.ids[text]; ok {
			m.ids = append(m.ids, id)
		} else if id, ok := s.extra[r]; ok {
			m.ids = append(m.ids, id)
		} else {
			m.ids = s.unknown(m.ids, text)
		}
	}
	m.run()
	start := len(ids)
	for _, id := range m.ids {
		switch {
		case int(id) >= len(s.pieces):
			ids = s.unknown(ids, s.extraText[int(id)-len(s.pieces)])
		case id == s.unk && len(ids) > start && ids[len(ids)-1] == s.unk:
			// Unknown characters in a row are one unknown piece.
		default:
			ids = append(ids, id)
		}
	}
	s.cache.put(word, slices.Clone(ids[start:]))
	return ids
}

// unknown appends what stands for a character that is not a piece: its bytes, or the unknown piece, which no
// merge takes up. An unknown piece right after another is dropped.
func (s *sentencePiece) unknown(ids []int32, text string) []int32 {
	if !s.proto.byteFallback {
		if len(ids) > 0 && ids[len(ids)-1] == s.unk {
			return ids
		}
		return append(ids, s.unk)
	}
	for i := range len(text) {
		ids = append(ids, s.byteID[text[i]])
	}
	return ids
}

// piece returns the spelling of an id.
func (s *sentencePiece) piece(id int32) (string, bool) {
	if id < 0 || int(id) >= len(s.pieces) {
		return "", false
	}
	return s.pieces[id], true
}
