package authn

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// params are argon2id's costs.
type params struct {
	memory uint32 // KiB
	time   uint32
	lanes  uint8
}

// current are the costs of new hashes: what OWASP names first. Older hashes keep theirs until their owner logs in.
var current = params{memory: 19 << 10, time: 2, lanes: 1}

const (
	saltLength = 16
	keyLength  = 32
)

// hash is an argon2id hash in parts.
type hash struct {
	params
	salt, key []byte
}

func (h hash) derive(password string, length uint32) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.lanes, length)
}

// phcPrefix begins every hash in the PHC string format that we write or read.
const phcPrefix = "$argon2id$v=19$"

// String returns the hash in the PHC string format.
func (h hash) String() string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("%sm=%d,t=%d,p=%d$%s$%s", phcPrefix, h.memory, h.time, h.lanes, enc.EncodeToString(h.salt), enc.EncodeToString(h.key))
}

// parseHash reads what String writes. The costs are bounded: whoever can put a hash into the database should not be able
// to stop the server with it.
func parseHash(encoded string) (hash, error) {
	bad := errors.New("verify password: the stored hash has a form that is not known")
	rest, ok := strings.CutPrefix(encoded, phcPrefix)
	parts := strings.Split(rest, "$")
	if !ok || len(parts) != 3 {
		return hash{}, bad
	}
	var h hash
	costs := strings.Split(parts[0], ",")
	if len(costs) != 3 {
		return hash{}, bad
	}
	m, okM := cost(costs[0], "m=", 256<<10)
	t, okT := cost(costs[1], "t=", 16)
	l, okL := cost(costs[2], "p=", 16)
	salt, errS := base64.RawStdEncoding.Strict().DecodeString(parts[1])
	key, errK := base64.RawStdEncoding.Strict().DecodeString(parts[2])
	if !okM || !okT || !okL || errS != nil || errK != nil || len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64 {
		return hash{}, bad
	}
	h.memory, h.time, h.lanes, h.salt, h.key = m, t, uint8(l), salt, key
	return h, nil
}

func cost(text, name string, most uint32) (uint32, bool) {
	digits, ok := strings.CutPrefix(text, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), ok && err == nil && n >= 1 && n <= uint64(most)
}
