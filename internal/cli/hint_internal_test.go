package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

func TestHintsSayWhatToDo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)
	answer := func(status int) error { return fmt.Errorf("do: %w", &client.Error{Status: status, Reason: "no"}) }
	tests := []struct {
		name  string
		login login
		err   error
		want  string // part of the hint, "" for none
	}{
		{"wrong usage", login{}, usagef("no"), "'cw-nodectl --help' shows the actions and options, 'cw-nodectl ACTION --help' those of one action"},
		{"not logged in", login{}, &loginError{socket: "/s"}, "log in as a user: -u USER"},
		{"no terminal", login{}, &loginError{reason: "no terminal"}, "give it as -u USER:PASSWD"},
		{
			"expired",
			login{},
			&client.ExpiredError{Source: "a.token", Since: now.Add(-time.Hour)},
			"that is 1:00:00 ago. A new one: cw-adminctl -i NAME token --lifetime 1d --outfile a.token, run by an administrator or with -u USER",
		},
		{
			"expired, made by somebody",
			login{},
			&client.ExpiredError{Source: "a.token", Since: now.Add(-49 * time.Hour), User: "ann", IssuedBy: "root"},
			"that is 2 days, 1:00:00 ago. A new one: cw-adminctl -i ann token --lifetime 1d --outfile a.token, run by root, who made the old one",
		},
		{"no head", login{}, &client.UnreachableError{Cause: errors.New("refused")}, "The address comes from --base-url, CW_BASE_URL or client.base_url"},
		{"refused token", login{tokenFile: "a.token"}, answer(401), "the token in a.token is revoked, expired or from another cluster"},
		{"refused on the socket", login{socket: "/s"}, answer(401), "the head does not know the user that you are on this machine"},
		{"refused password", login{user: "ann"}, answer(401), "the user name comes from -u or client.authuser"},
		{"denied", login{}, answer(403), "'cw-adminctl whoami' shows as whom"},
		{"not found", login{}, answer(404), "'cw-nodectl ls' shows what there is"},
		{"conflict", login{}, answer(409), ""},
		{"failure", login{}, answer(500), ""},
		{"candidates", login{}, &client.Error{Status: 409, Details: []string{"n1", "n2"}}, "n1, n2"},
		{"something else", login{}, errors.New("disk full"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tl := &tool{name: "cw-nodectl", login: tt.login, env: Env{Clock: clock.NewManual(now)}}
			got := tl.hint(tt.err)
			if !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("hint %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReportNamesEachFailureOnceAndMasksSecrets(t *testing.T) {
	t.Parallel()
	denied := &client.Error{Status: 403, Reason: "permission is required"}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"none", nil, ""},
		{"one", errors.New("disk full"), "ERROR: disk full\n"},
		{"a secret", errors.New("eyJhbGciOiJFZERTQSJ9.e30.c2ln is bad"), "ERROR: *** is bad\n"},
		{
			"one target", &targetsError{total: 1, failed: []targetError{{"n0", denied}}},
			"ERROR: permission is required\nhint: 'cw-adminctl whoami' shows as whom you are logged in, and the permissions\n",
		},
		{
			"two of three targets", &targetsError{total: 3, failed: []targetError{{"n0", denied}, {"n2", errors.New("gone")}}},
			"ERROR: n0: permission is required\nERROR: n2: gone\nhint: 'cw-adminctl whoami' shows as whom you are logged in, and the permissions\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var told bytes.Buffer
			tl := &tool{name: "cw-nodectl", env: Env{Stderr: &told}}
			tl.report(tt.err)
			if diff := cmp.Diff(tt.want, told.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCountOfFailedTargets(t *testing.T) {
	t.Parallel()
	one := &targetsError{total: 1, failed: []targetError{{"n0", errors.New("gone")}}}
	some := &targetsError{total: 5, failed: []targetError{{"n0", errors.New("gone")}, {"n1", context.DeadlineExceeded}}}
	if one.Error() != "gone" || some.Error() != "failed for 2 of 5" {
		t.Errorf("%q, %q", one, some)
	}
}
