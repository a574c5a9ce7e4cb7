package authn_test

import (
	"bytes"
	"encoding/base32"
	"image/png"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
)

// withFactors gives a world second factors.
func withFactors(t *testing.T, w *world) {
	t.Helper()
	box, err := seal.New([]byte("0123456789abcdef"), "second factor")
	if err != nil {
		t.Fatal(err)
	}
	w.Factors = authn.NewFactors(authn.FactorsConfig{
		Store: w.store.Factors(), Users: w.users, Passwords: w.passwords, Limiter: w.Limiter, Box: box, Clock: w.clock, Issuer: "head1",
	})
}

// callerOf is the user with all that he may do.
func (w *world) callerOf(t *testing.T, name string) identity.Caller {
	t.Helper()
	st, err := w.users.Resolve(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	c := st.Caller(identity.ViaSession)
	c.Addr = "192.0.2.1"
	return c
}

// code is what a generator shows, so many seconds from now. It is another program's idea of it.
func (w *world) code(t *testing.T, secret string, seconds int) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, w.clock.Now().Add(time.Duration(seconds)*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func (w *world) enrolled(t *testing.T, name string) (secret string, recovery []string) {
	t.Helper()
	e, err := w.Factors.Begin(t.Context(), w.callerOf(t, name), name)
	if err != nil {
		t.Fatal(err)
	}
	recovery, err = w.Factors.Confirm(t.Context(), w.callerOf(t, name), name, w.code(t, e.Secret, 0))
	if err != nil {
		t.Fatal(err)
	}
	return e.Secret, recovery
}

func (w *world) loginCode(t *testing.T, password, code string) string {
	t.Helper()
	_, err := w.Login(t.Context(), identity.Attempt{Name: "alice", Password: password, Code: code, Addr: "192.0.2.1", RequestID: "r1"})
	if err == nil {
		return ""
	}
	return fault.Message(err)
}

const (
	needed = "a one-time code is required"
	bad    = "the one-time code is wrong or has been used"
	wrong  = "wrong user name or password"
)

func TestSecondFactorIsAskedForAfterTheRightPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	withFactors(t, w)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Password: "s3cret"})
	if got := w.loginCode(t, "s3cret", ""); got != "" {
		t.Errorf("before: %s", got)
	}
	secret, _ := w.enrolled(t, "alice")
	w.clock.Advance(time.Minute)
	for _, c := range []struct{ password, code, want string }{
		{"s3cret", "", needed},
		{"guess", "", wrong},
		{"guess", w.code(t, secret, 0), wrong},
		{"s3cret", "000000", bad},
		{"s3cret", w.code(t, secret, -60), bad},
		{"s3cret", w.code(t, secret, 60), bad},
		{"s3cret", w.code(t, secret, 0), ""},
		{"s3cret", w.code(t, secret, 0), bad}, // used
	} {
		if got := w.loginCode(t, c.password, c.code); got != c.want {
			t.Errorf("%q %q: %q, want %q", c.password, c.code, got, c.want)
		}
		w.Limiter.Return("alice", "192.0.2.1") // another test is about the limiter
	}
	if got := w.loginCode(t, "s3cret", w.code(t, secret, 30)); got != "" {
		t.Errorf("a clock that is ahead: %s", got)
	}
	if got := w.loginCode(t, "s3cret", w.code(t, secret, 0)); got != bad {
		t.Errorf("an earlier step after a later one: %s", got)
	}
	w.clock.Advance(2 * time.Minute)
	if got := w.loginCode(t, "s3cret", " "+w.code(t, secret, -30)[:3]+" "+w.code(t, secret, -30)[3:]); got != "" {
		t.Errorf("a clock that is behind, and blanks: %s", got)
	}
}

func TestWrongCodesCountAndMissingOnesDoNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	withFactors(t, w)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Password: "s3cret"})
	secret, _ := w.enrolled(t, "alice")
	w.clock.Advance(time.Minute)
	for range 10 {
		if got := w.loginCode(t, "s3cret", ""); got != needed {
			t.Fatal(got)
		}
	}
	for range 5 {
		if got := w.loginCode(t, "s3cret", "123"); got != bad {
			t.Fatal(got)
		}
	}
	if got := w.loginCode(t, "s3cret", w.code(t, secret, 0)); got != "too many login attempts" {
		t.Errorf("after five wrong codes: %s", got)
	}
}

func TestRecoveryCodesAreGoodOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	withFactors(t, w)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Password: "s3cret"})
	since := w.clock.Now()
	_, recovery := w.enrolled(t, "alice")
	if len(recovery) != 10 || len(recovery[0]) != 19 || len(slices.Compact(slices.Sorted(slices.Values(recovery)))) != 10 {
		t.Fatalf("%q", recovery)
	}
	if got := w.loginCode(t, "s3cret", recovery[3]); got != "" {
		t.Errorf("first: %s", got)
	}
	rec := w.trail(t)
	if !slices.ContainsFunc(rec, func(r audit.Record) bool { return r.Action == "factor.recovery" && r.Actor == "alice" }) {
		t.Error("the use is not in the trail")
	}
	if got := w.loginCode(t, "s3cret", recovery[3]); got != bad {
		t.Errorf("second: %s", got)
	}
	if got := w.loginCode(t, "s3cret", strings.ToUpper(strings.ReplaceAll(recovery[4], "-", ""))); got != "" {
		t.Errorf("typed another way: %s", got)
	}
	status, err := w.Factors.Get(t.Context(), w.callerOf(t, "alice"), "alice")
	if err != nil || status != (authn.FactorStatus{Enabled: true, Since: since, RecoveryLeft: 8}) {
		t.Errorf("%+v, %v", status, err)
	}
}

func TestEnrolmentShowsTheSecretOnceAndStoresItSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	withFactors(t, w)
	u := w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Password: "s3cret"})
	alice := w.callerOf(t, "alice")
	e, err := w.Factors.Begin(t.Context(), alice, "alice")
	if err != nil {
		t.Fatal(err)
	}
	link, err := url.Parse(e.URL)
	if err != nil || link.Scheme != "otpauth" || link.Host != "totp" || link.Path != "/head1:alice" || link.Query().Get("secret") != e.Secret {
		t.Errorf("%s, %v", e.URL, err)
	}
	if picture, err := png.Decode(bytes.NewReader(e.QR)); err != nil || picture.Bounds().Dx() != 240 {
		t.Errorf("picture: %v", err)
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(e.Secret)
	if err != nil || len(raw) != 20 {
		t.Errorf("secret of %d bytes, %v", len(raw), err)
	}
	have, err := w.store.Factors().GetFactor(t.Context(), u.ID)
	if err != nil || strings.Contains(have.Secret, e.Secret) || have.Confirmed {
		t.Errorf("%+v, %v", have, err)
	}
	if got := w.loginCode(t, "s3cret", ""); got != "" {
		t.Errorf("asked for before it is confirmed: %s", got)
	}
	if _, err := w.Factors.Confirm(t.Context(), alice, "alice", "000000"); !fault.Is(err, fault.Invalid) {
		t.Errorf("confirmed with a wrong code: %v", err)
	}
	again, err := w.Factors.Begin(t.Context(), alice, "alice")
	if err != nil || again.Secret == e.Secret {
		t.Errorf("begin again: %v", err)
	}
	if _, err := w.Factors.Confirm(t.Context(), alice, "alice", w.code(t, e.Secret, 0)); !fault.Is(err, fault.Invalid) {
		t.Errorf("confirmed with the secret of before: %v", err)
	}
	code := w.code(t, again.Secret, 0)
	if _, err := w.Factors.Confirm(t.Context(), alice, "alice", code); err != nil {
		t.Error(err)
	}
	if got := w.loginCode(t, "s3cret", code); got != bad {
		t.Errorf("the code that confirmed it: %s", got)
	}
	if _, err := w.Factors.Begin(t.Context(), alice, "alice"); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second one: %v", err)
	}
	if _, err := w.Factors.Confirm(t.Context(), alice, "alice", code); !fault.Is(err, fault.Conflict) {
		t.Errorf("confirmed twice: %v", err)
	}
	for _, r := range w.trail(t) {
		for k, v := range r.Details {
			if strings.Contains(v, e.Secret) || strings.Contains(v, again.Secret) {
				t.Errorf("the trail has the secret in %s", k)
			}
		}
	}
}

func TestWhoMayTouchASecondFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	withFactors(t, w)
	for name, role := range map[string]identity.Role{"alice": "user", "bob": "user", "boss": "role.FullAdmin", "chef": "role.Manager", "script": "role.NoAccess"} {
		w.add(t, identity.NewUser{Name: name, Roles: []identity.Role{role}, Password: "s3cret"})
	}
	w.add(t, identity.NewUser{Name: "lena", Roles: []identity.Role{"user"}, Source: identity.AuthLDAP})
	secret, recovery := w.enrolled(t, "alice")
	w.enrolled(t, "boss")
	acting := w.callerOf(t, "alice")
	acting.Actor = &identity.Actor{Name: "boss"}
	ctx := t.Context()
	begin := func(c identity.Caller, name string) error { _, err := w.Factors.Begin(ctx, c, name); return err }
	remove := func(c identity.Caller, name string, p authn.Proof) error { return w.Factors.Delete(ctx, c, name, p) }
	for what, c := range map[string]struct {
		err  error
		kind fault.Kind
	}{
		"set up for another":           {begin(w.callerOf(t, "boss"), "bob"), fault.Denied},
		"set up by a peer":             {begin(w.callerOf(t, "alice"), "bob"), fault.Denied},
		"set up while acting":          {begin(acting, "alice"), fault.Denied},
		"set up without rights":        {begin(w.callerOf(t, "script"), "script"), fault.Denied},
		"set up for the directory's":   {begin(w.callerOf(t, "lena"), "lena"), fault.Invalid},
		"set up for nobody":            {begin(w.callerOf(t, "boss"), "nobody"), fault.NotFound},
		"nobody, asked by a user":      {begin(w.callerOf(t, "bob"), "nobody"), fault.Denied},
		"removed by a peer":            {remove(w.callerOf(t, "bob"), "alice", authn.Proof{}), fault.Denied},
		"removed while acting":         {remove(acting, "alice", authn.Proof{Password: "s3cret"}), fault.Denied},
		"removed without proof":        {remove(w.callerOf(t, "alice"), "alice", authn.Proof{}), fault.Invalid},
		"removed with a wrong one":     {remove(w.callerOf(t, "alice"), "alice", authn.Proof{Password: "guess"}), fault.Invalid},
		"removed with a used code":     {remove(w.callerOf(t, "alice"), "alice", authn.Proof{Code: w.code(t, secret, 0)}), fault.Invalid},
		"removed above one's head":     {remove(w.callerOf(t, "chef"), "boss", authn.Proof{}), fault.Denied},
		"removed where there is none":  {remove(w.callerOf(t, "boss"), "bob", authn.Proof{}), fault.NotFound},
		"an administrator's own, bare": {remove(w.callerOf(t, "boss"), "boss", authn.Proof{}), fault.Invalid},
	} {
		if !fault.Is(c.err, c.kind) {
			t.Errorf("%s: %v", what, c.err)
		}
	}
	if err := remove(w.callerOf(t, "alice"), "alice", authn.Proof{Code: recovery[0]}); err != nil {
		t.Errorf("with a recovery code: %v", err)
	}
	w.enrolled(t, "alice")
	if err := remove(w.callerOf(t, "alice"), "alice", authn.Proof{Password: "s3cret"}); err != nil {
		t.Errorf("with the password: %v", err)
	}
	w.enrolled(t, "alice")
	if err := remove(w.callerOf(t, "boss"), "alice", authn.Proof{}); err != nil {
		t.Errorf("by an administrator: %v", err)
	}
	if rec := w.trail(t)[0]; rec.Action != "factor.delete" || rec.Actor != "boss" || rec.Object != "user/alice" {
		t.Errorf("trail: %+v", rec)
	}
	for range 10 {
		_ = remove(w.callerOf(t, "boss"), "boss", authn.Proof{Code: "000000"})
	}
	if err := remove(w.callerOf(t, "boss"), "boss", authn.Proof{Password: "s3cret"}); !fault.Is(err, fault.TooMany) {
		t.Errorf("after many guesses: %v", err)
	}
}
