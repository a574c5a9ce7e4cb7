package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

func TestKindAndMessageSurviveWrapping(t *testing.T) {
	refused := fault.Because(fault.NotFound, io.ErrUnexpectedEOF, "no node %q", "n1")
	tests := []struct {
		name    string
		err     error
		kind    fault.Kind
		message string
		text    string
	}{
		{"new", fault.New(fault.Invalid, "bad %d", 7), fault.Invalid, "bad 7", "bad 7"},
		{"with cause", refused, fault.NotFound, `no node "n1"`, `no node "n1": unexpected EOF`},
		{"wrapped", fmt.Errorf("get: %w", refused), fault.NotFound, `no node "n1"`, `get: no node "n1": unexpected EOF`},
		{"joined", errors.Join(io.EOF, refused), fault.NotFound, `no node "n1"`, "EOF\n" + `no node "n1": unexpected EOF`},
		{"foreign", io.EOF, fault.Internal, "internal error", "EOF"},
		{"internal text stays inside", fault.New(fault.Internal, "disk /dev/sda is gone"), fault.Internal, "internal error", "disk /dev/sda is gone"},
		{"cause without message", &fault.Error{Kind: fault.Invalid, Cause: io.EOF}, fault.Invalid, "internal error", "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fault.KindOf(tt.err); got != tt.kind {
				t.Errorf("kind %s, want %s", got, tt.kind)
			}
			if got := fault.Message(tt.err); got != tt.message {
				t.Errorf("message %q, want %q", got, tt.message)
			}
			if got := tt.err.Error(); got != tt.text {
				t.Errorf("text %q, want %q", got, tt.text)
			}
		})
	}
	if !errors.Is(refused, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	if fault.Is(nil, fault.Internal) {
		t.Error("no error is of no kind")
	}
}

func TestWrapLeavesSuccessAlone(t *testing.T) {
	do := func(fail error) (err error) {
		defer fault.Wrap(&err, "read %s", "x")
		return fail
	}
	if err := do(nil); err != nil {
		t.Errorf("success became %v", err)
	}
	if err := do(io.EOF); err.Error() != "read x: EOF" || !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}

func TestEveryKindHasAName(t *testing.T) {
	seen := map[string]bool{}
	for k := fault.Internal; k <= fault.Unavailable; k++ {
		if seen[k.String()] || k.String() == "" {
			t.Errorf("kind %d is called %q", k, k)
		}
		seen[k.String()] = true
	}
	if got := fault.Kind(200).String(); got != "kind(200)" {
		t.Errorf("unknown kind is called %q", got)
	}
}

func ExampleBecause() {
	err := fault.Because(fault.Conflict, errors.New("UNIQUE constraint failed: user.name"), "there is a user alice already")
	fmt.Println(fault.KindOf(err), "-", fault.Message(err))
	// Output: conflict - there is a user alice already
}
