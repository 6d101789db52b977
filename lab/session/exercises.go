package session

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/lab/world"
)

// mixture is train.Exercises: windows of a mix of text and exercises.
type mixture struct {
	phases    world.Curriculum
	name      string
	exercises *world.Exercises // nil where the mix has none of invented words
	text      passages
	known     []world.Target
}

// passages draws passages of a text.
type passages struct {
	corpus
	context int // tokens of a training's window, which decides where passages begin
}

// fill fills dst with the text from a document's beginning on, or from anywhere as
// windows are, and on from its own beginning where it ends.
func (p *passages) fill(r *rand.Rand, dst []int32) {
	at := 0
	if starts := p.windowStarts(p.context); starts != nil {
		at = int(starts[r.IntN(len(starts))])
	} else {
		at = r.IntN(len(p.tokens))
	}
	for len(dst) > 0 {
		n := copy(dst, p.tokens[at%len(p.tokens):])
		dst, at = dst[n:], at+n
	}
}

// curriculum is the mix's phases, nil where there is none.
func (s *Settings) curriculum() (world.Curriculum, error) {
	if s.Mix == "" {
		return nil, nil
	}
	phases, err := world.ParseCurriculum(s.Mix)
	if err != nil {
		return nil, err
	}
	return phases, phases.Check(s.Steps)
}

// newMixture is nil where settings ask for none.
func newMixture(s *Settings, tok *tokenizer.Tokenizer, text corpus) (*mixture, error) {
	if s.Mix == "" {
		return nil, nil
	}
	phases, err := s.curriculum()
	if err != nil {
		return nil, err
	}
	m := &mixture{phases: phases, name: s.Mix, text: passages{text, s.Context}}
	if !phases.Any(func(m world.Mix) bool { return m.Part(world.TextSource) < 1 }) {
		return m, nil
	}
	if s.Context < world.LeastWindow {
		return nil, fmt.Errorf("windows of %d tokens are too short for exercises: want at least %d", s.Context, world.LeastWindow)
	}
	if !phases.Any(world.Mix.Words) {
		return m, nil
	}
	words := ownWords(tok)
	if len(words) < world.LeastWords {
		return nil, fmt.Errorf("mix %q: the tokenizer has %d words for exercises, %d are needed: make a world with --own-words", s.Mix, len(words), world.LeastWords)
	}
	m.name = fmt.Sprintf("%s of %d words", s.Mix, len(words))
	if m.exercises, err = world.NewExercises(words); err != nil {
		return nil, err
	}
	return m, nil
}

// ownWords are the ids of the invented words that are one token each.
func ownWords(tok *tokenizer.Tokenizer) (ids []int32) {
	for i := range world.MaxOwnWords {
		id := tok.Encode(" "+world.OwnWord(i), false)
		if len(id) != 1 {
			break
		}
		ids = append(ids, id[0])
	}
	return ids
}

// Name, Text and Fill are train.Exercises.
func (m *mixture) Name() string { return m.name }

func (m *mixture) Text() bool { return m.phases.Any(world.Mix.Text) }

func (m *mixture) Fill(done int, r *rand.Rand, window []int32) bool {
	source := m.phases.At(done).Draw(r)
	if source == world.TextSource {
		return false
	}
	if len(m.known) < len(window) {
		m.known = make([]world.Target, len(window))
	}
	m.draw(r, source, m.text, window, m.known[:len(window)])
	return true
}

// draw fills a window from a source that is not the text as it stands.
func (m *mixture) draw(r *rand.Rand, source string, text passages, window []int32, known []world.Target) {
	if source == world.AgainSource {
		world.Again(r, window, known, func(first []int32) { text.fill(r, first) })
		return
	}
	m.exercises.Draw(r, world.Exercise(source), window, known)
}

// heldOutSeed draws the windows of diagnostics: no training's batch has its
// stream.
const heldOutSeed = 1 << 63

// newDiagnostics draws count windows of length tokens from the last phase's mix, so
// that all of a training's are alike; those of text are the first of c.
func (m *mixture) newDiagnostics(c corpus, bos int32, count, length int) (*diagnostics, error) {
	l := &diagnostics{heldOut: true}
	r := rand.New(rand.NewPCG(heldOutSeed, heldOutSeed))
	at := 0
	for range count {
		source := m.phases.Last().Draw(r)
		window := make([]int32, length)
		window[0] = bos
		s := sample{window, nil, source}
		if source == world.TextSource {
			if at+length-1 > len(c.tokens) {
				continue
			}
			at += copy(window[1:], c.tokens[at:])
		} else {
			s.known = make([]world.Target, length)
			m.draw(r, source, passages{c, m.text.context}, window[1:], s.known[1:])
		}
		l.samples = append(l.samples, s)
	}
	if len(l.samples) == 0 {
		return nil, errors.New("the held-out text is shorter than one sample: give more text, or shorter samples")
	}
	return l, nil
}
