package api_test

import (
	"net/http"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

func TestEveryKindOfFailureHasItsStatus(t *testing.T) {
	t.Parallel()
	tests := map[fault.Kind]int{
		fault.Internal:        http.StatusInternalServerError,
		fault.Invalid:         http.StatusBadRequest,
		fault.NotFound:        http.StatusNotFound,
		fault.Conflict:        http.StatusConflict,
		fault.Unauthenticated: http.StatusUnauthorized,
		fault.Denied:          http.StatusForbidden,
		fault.TooMany:         http.StatusTooManyRequests,
		fault.TooLarge:        http.StatusRequestEntityTooLarge,
		fault.Unavailable:     http.StatusServiceUnavailable,
	}
	for kind, want := range tests {
		if got := api.StatusOf(kind); got != want {
			t.Errorf("%s: status %d, want %d", kind, got, want)
		}
	}
	if got := api.StatusOf(fault.Unavailable + 1); got != http.StatusInternalServerError {
		t.Errorf("a kind that is not known: status %d", got)
	}
}
