package tokenizer

import (
	"hash/maphash"
	"strings"
	"sync"
)

// wordCache remembers the ids of short words. It is safe for concurrent use and bounded: a shard that is
// full becomes the old generation, and words still in use move to the new one.
type wordCache struct {
	seed   maphash.Seed
	shards [cacheShards]cacheShard
}

const (
	cacheShards    = 16
	cacheShardSize = 4096 // words in a generation of a shard
	cacheMaxWord   = 128  // longer words are not kept, in bytes
)

type cacheShard struct {
	mu       sync.RWMutex
	now, old map[string][]int32
}

func newWordCache() *wordCache { return &wordCache{seed: maphash.MakeSeed()} }

func (c *wordCache) shard(word string) *cacheShard {
	return &c.shards[maphash.String(c.seed, word)%cacheShards]
}

// get returns the ids of word; they must not be changed.
func (c *wordCache) get(word string) ([]int32, bool) {
	if len(word) > cacheMaxWord {
		return nil, false
	}
	s := c.shard(word)
	s.mu.RLock()
	ids, ok := s.now[word]
	if ok {
		s.mu.RUnlock()
		return ids, true
	}
	ids, ok = s.old[word]
	s.mu.RUnlock()
	if ok {
		c.put(word, ids)
	}
	return ids, ok
}

// put keeps ids, which must not change afterwards.
func (c *wordCache) put(word string, ids []int32) {
	if len(word) > cacheMaxWord {
		return
	}
	s := c.shard(word)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil || len(s.now) >= cacheShardSize {
		s.old, s.now = s.now, make(map[string][]int32, 64)
	}
	s.now[strings.Clone(word)] = ids
}
