package seal

import (
	"regexp"
	"strings"
)

// Masked is what Mask puts in a secret's place.
const Masked = "***"

// secret is a token (three parts that begin with a JSON object) or one of the secrets with a prefix: sessions, codes.
var secret = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*|bh[a-z]_[A-Za-z0-9_-]{20,}`)

// Mask takes what gives itself away as a credential out of a text that is going to be kept: people paste a whole token
// where its id belongs, and then it is in a path, in a log, in the audit trail.
func Mask(text string) string {
	if !strings.Contains(text, "eyJ") && !strings.Contains(text, "bh") {
		return text // nearly every text
	}
	return secret.ReplaceAllString(text, Masked)
}
