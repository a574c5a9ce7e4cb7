package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
)

// hash returns under what the session of a secret is stored: without the key, a stolen database says nothing about the
// secrets, and rows put into it open nothing.
func (s *Sessions) hash(secret string) string {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte(secret))
	return hex.EncodeToString(mac.Sum(nil))
}

// A session's secret is the prefix, 256 random bits, and a checksum. Prefix and checksum let scanners find leaked
// secrets without false alarms, and let us refuse garbage without asking the store.
const secretPrefix = "bhs_"

func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return secretOf(b[:])
}

// secretOf returns the secret that is these 32 bytes.
func secretOf(b []byte) string {
	body := secretPrefix + encode(b)
	return body + checksum(body)
}

func isSecret(s string) bool {
	const length = len(secretPrefix) + 43 + 8
	return len(s) == length && strings.HasPrefix(s, secretPrefix) && s[length-8:] == checksum(s[:length-8])
}

func checksum(body string) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body)))
}
