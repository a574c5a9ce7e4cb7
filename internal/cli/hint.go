package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func (e *loginError) hint() string {
	if e.reason != "" {
		return "give it as -u USER:PASSWD, or use a token file: client.authtkn in ~/.scyldcw/settings.ini, or CW_TOKEN_FILE"
	}
	why := e.socket + " is not there"
	if elsewhere(e.baseURL) {
		why = "it does not reach the head at " + e.baseURL
	}
	return "log in as a user: -u USER, or client.authuser = USER in ~/.scyldcw/settings.ini;\n" +
		"      or with a token file: client.authtkn = FILE in ~/.scyldcw/settings.ini, or CW_TOKEN_FILE;\n" +
		"      or on the head itself through its local socket: client.socket or CW_SOCKET (" + why + ")"
}

// report prints an error, and what can be done about it.
func (t *tool) report(err error) {
	if err == nil {
		return
	}
	var targets *targetsError
	if errors.As(err, &targets) && targets.total > 1 {
		for _, f := range targets.failed {
			t.tell("ERROR: %s: %s\n", f.label, mask(f.err.Error()))
		}
		err = targets.failed[0].err
	} else {
		t.tell("ERROR: %s\n", mask(err.Error()))
	}
	if errors.As(err, &targets) {
		err = targets.failed[0].err
	}
	if hint := t.hint(err); hint != "" {
		t.tell("hint: %s\n", hint)
	}
}

// hint says what can be done about an error, "" when that is not known.
func (t *tool) hint(err error) string {
	var (
		usage       *usageError
		noLogin     *loginError
		expired     *client.ExpiredError
		unreachable *client.UnreachableError
		told        *client.Error
	)
	switch {
	case errors.As(err, &told) && len(told.Details) > 0:
		return strings.Join(told.Details, ", ")
	case errors.As(err, &usage):
		return fmt.Sprintf("'%s --help' shows the actions and options, '%s ACTION --help' those of one action", t.name, t.name)
	case errors.As(err, &noLogin):
		return noLogin.hint()
	case errors.As(err, &expired):
		return t.expiredHint(expired)
	case errors.As(err, &unreachable):
		return "is it running there? The address comes from --base-url, CW_BASE_URL or client.base_url in settings.ini"
	case errors.Is(err, client.ErrUnauthenticated):
		return t.refusedHint()
	case errors.Is(err, client.ErrDenied):
		return "'cw-adminctl whoami' shows as whom you are logged in, and the permissions"
	case errors.Is(err, client.ErrNotFound):
		return fmt.Sprintf("'%s ls' shows what there is", t.name)
	default:
		return ""
	}
}

func (t *tool) expiredHint(e *client.ExpiredError) string {
	who := "NAME"
	if e.User != "" {
		who = e.User
	}
	hint := fmt.Sprintf("that is %s. A new one: cw-adminctl -i %s token --lifetime 1d --outfile %s",
		age(t.env.Clock.Now(), e.Since), who, e.Source)
	if e.IssuedBy != "" {
		return hint + ", run by " + e.IssuedBy + ", who made the old one"
	}
	return hint + ", run by an administrator or with -u USER"
}

func (t *tool) refusedHint() string {
	switch {
	case t.login.tokenFile != "":
		return "the token in " + t.login.tokenFile + " is revoked, expired or from another cluster; a new one: cw-adminctl -i NAME token --lifetime 1d --outfile FILE"
	case t.login.socket != "":
		return "the head does not know the user that you are on this machine; ask an administrator: cw-adminctl create name=USER roles=ROLE"
	default:
		return "the user name comes from -u or client.authuser in settings.ini"
	}
}
