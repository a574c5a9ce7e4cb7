package seal_test

import (
	"fmt"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/seal"
)

func TestMaskKnowsCredentials(t *testing.T) {
	t.Parallel()
	const jwt = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
	for text, want := range map[string]string{
		"":                            "",
		"GET /api/v1/token/" + jwt:    "GET /api/v1/token/***",
		"no token " + jwt + ", sorry": "no token ***, sorry",
		jwt + " " + jwt:               "*** ***",
		"eyJhbGciOiJFZERTQSJ9.eyJzdW": "***",
		"bhs_0123456789_-abcdefghijklmnopqrstuvwxyz01234": "***",
		"token/22d0d6f544e199aa2be38188dabcf0a5":          "token/22d0d6f544e199aa2be38188dabcf0a5",
		"user/bhs_short":                                  "user/bhs_short", "node/eyJ": "node/eyJ", "beyJond.": "beyJond.",
	} {
		if got := seal.Mask(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func ExampleMask() {
	fmt.Println(seal.Mask("DELETE /api/v1/token/eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"))
	// Output: DELETE /api/v1/token/***
}
