package token

import (
	"crypto/sha256"
	"sync"
)

// cache remembers claims of tokens whose signature and form have been found good, by the hash of their exact bytes. It
// answers nothing about time or revocation, which are looked at on every use. It keeps two generations: when the young
// one is full it becomes the old one, and what is used moves back. The zero value is ready.
type cache struct {
	mu         sync.Mutex // guards both
	young, old map[[sha256.Size]byte]Claims
}

const cacheGeneration = 2048 // tokens; a few megabytes for both generations

// cacheKey returns the key of a token. It is a hash so that the cache holds no token that could be used.
func cacheKey(raw string) [sha256.Size]byte {
	if len(raw) > maxLength {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256([]byte(raw))
}

func (c *cache) get(key [sha256.Size]byte) (Claims, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	claims, ok := c.young[key]
	if ok {
		return claims, true
	}
	if claims, ok = c.old[key]; ok {
		c.add(key, claims)
	}
	return claims, ok
}

func (c *cache) put(key [sha256.Size]byte, claims Claims) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(key, claims)
}

// add needs mu.
func (c *cache) add(key [sha256.Size]byte, claims Claims) {
	if len(c.young) >= cacheGeneration {
		c.old, c.young = c.young, nil
	}
	if c.young == nil {
		c.young = make(map[[sha256.Size]byte]Claims)
	}
	c.young[key] = claims
}
