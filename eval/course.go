package eval

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"

	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/lm"
)

// Course is what the runs of several checkpoints have in common: documents are read once, and
// a text is tokenised once for all that have the same tokenizer, by content. It changes no
// result. Runs of a Course follow each other.
type Course struct {
	encodings *encodings
	works     map[string]*Work // by what prompts are put into
}

// NewCourse returns an empty Course.
func NewCourse() *Course { return &Course{works: map[string]*Work{}} }

// encodingBytes bounds what the ids of a Course take: what is beyond is tokenised again.
const encodingBytes = 256 << 20

// work is the documents that were read for an earlier checkpoint with the same prompts, or
// what read returns.
func (c *Course) work(prompts string, read func() (*Work, error)) (*Work, error) {
	if c == nil {
		return read()
	}
	w := c.works[prompts]
	if w == nil {
		var err error
		if w, err = read(); err != nil {
			return nil, err
		}
		c.works[prompts] = w
	}
	own := *w // to which a model adds its prompts and notes
	own.Tasks, own.Notes = slices.Clone(w.Tasks), slices.Clone(w.Notes)
	return &own, nil
}

// remember is the tokenizer with what an earlier checkpoint's of the same content encoded.
func (c *Course) remember(t *tokenizer.Tokenizer) lm.Tokenizer {
	if c == nil {
		return t
	}
	if content := t.ContentSHA256(); c.encodings == nil || c.encodings.content != content {
		c.encodings = &encodings{content: content, left: encodingBytes, ids: map[[16]byte][]int32{}}
	}
	return remembering{t, c.encodings}
}

// encodings are the ids of texts.
type encodings struct {
	content string // of the tokenizer
	mu      sync.RWMutex
	left    int // bytes
	ids     map[[16]byte][]int32
}

// remembering is a tokenizer that encodes no text twice, while there is room.
type remembering struct {
	*tokenizer.Tokenizer
	known *encodings
}

// Encode is the tokenizer's. Its result is shared: nobody may write to it.
func (r remembering) Encode(text string, addSpecial bool) []int32 {
	h := sha256.New()
	fmt.Fprintf(h, "%t ", addSpecial)
	h.Write([]byte(text))
	key := [16]byte(h.Sum(nil))
	r.known.mu.RLock()
	ids, ok := r.known.ids[key]
	r.known.mu.RUnlock()
	if ok {
		return ids
	}
	ids = slices.Clip(slices.Clone(r.Tokenizer.Encode(text, addSpecial)))
	r.known.mu.Lock()
	const each = 100 // bytes of the map, about
	if size := 4*len(ids) + each; size <= r.known.left {
		r.known.left -= size
		r.known.ids[key] = ids
	}
	r.known.mu.Unlock()
	return ids
}
