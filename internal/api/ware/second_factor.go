package ware

import (
	"context"
	"encoding/base64"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Factors are second factors: generators of one-time codes. *authn.Factors is one.
type Factors interface {
	// Get returns the state of an account's factor; fault.Denied, fault.NotFound.
	Get(ctx context.Context, c identity.Caller, name string) (authn.FactorStatus, error)
	// List returns who has one; fault.Denied.
	List(ctx context.Context, c identity.Caller) ([]authn.Holder, error)
	// Begin makes a secret for the caller's own account; fault.Denied, fault.Invalid, fault.Conflict.
	Begin(ctx context.Context, c identity.Caller, name string) (authn.Enrolment, error)
	// Confirm switches it on and returns the recovery codes; fault.Denied, fault.Invalid, fault.Conflict.
	Confirm(ctx context.Context, c identity.Caller, name, code string) (recovery []string, err error)
	// Delete removes a factor; fault.Denied, fault.NotFound, fault.Invalid, fault.TooMany.
	Delete(ctx context.Context, c identity.Caller, name string, proof authn.Proof) error
}

func (d *door) factorRoutes() []api.Route {
	self := api.Needs(identity.AdminsWrite, identity.AdminsWriteSelf).OrEnrols()
	const one = base + "/admin/{id}/totp"
	return []api.Route{
		api.Row("GET", one, self, "Whether logins with a password need a one-time code.", d.getFactor),
		api.Row("GET", base+"/admins/totp", api.Needs(identity.AdminsWrite), "Which accounts have a second factor.", d.listFactors),
		api.Row("POST", one, self, "Begin with one-time codes for one's own account; the secret is shown once.", d.beginFactor),
		api.Row("DELETE", one, self, "Remove the second factor: one's own, with a code or the password, or that of somebody who has lost his.", d.deleteFactor),
		api.Row("POST", one+"/confirm", self, "Switch one-time codes on with a first one; the recovery codes are shown once.", d.confirmFactor),
	}
}

type factorObject struct {
	Enabled      bool     `json:"enabled" doc:"Logins with a password need a code."`
	Pending      bool     `json:"pending" doc:"Begun, and waits for its first code."`
	Since        *float64 `json:"since" doc:"When it was switched on, Unix seconds; null when it is off, or the time is not known."`
	RecoveryLeft int      `json:"recovery_left" doc:"How many recovery codes have not been used."`
}

func (d *door) getFactor(ctx context.Context, r api.Request[byID, api.None]) (reply[factorObject], error) {
	s, err := d.Factors.Get(ctx, r.Caller, r.Params.ID)
	return ok(factorObject{s.Enabled, s.Pending, epoch(s.Since), s.RecoveryLeft}), err
}

type holderObject struct {
	UID   string   `json:"uid" doc:"The account."`
	Since *float64 `json:"since" doc:"When it was switched on, Unix seconds; null when that is not known."`
}

func (d *door) listFactors(ctx context.Context, r api.Request[api.None, api.None]) (reply[[]holderObject], error) {
	holders, err := d.Factors.List(ctx, r.Caller)
	objects := make([]holderObject, len(holders))
	for i, h := range holders {
		objects[i] = holderObject{string(h.UserID), epoch(h.Since)}
	}
	return ok(objects), err
}

type enrolmentObject struct {
	Secret string `json:"secret" doc:"What codes are made from, in base32. It is shown once."`
	URI    string `json:"uri" doc:"The same for generators, otpauth://."`
	QR     string `json:"qr" doc:"The same as a picture, as data: URL of a PNG."`
}

func (d *door) beginFactor(ctx context.Context, r api.Request[byID, *struct{}]) (reply[enrolmentObject], error) {
	e, err := d.Factors.Begin(ctx, r.Caller, r.Params.ID)
	return ok(enrolmentObject{e.Secret, e.URL, "data:image/png;base64," + base64.StdEncoding.EncodeToString(e.QR)}), err
}

type codeBody struct {
	Code string `json:"code" required:"true" doc:"What the generator shows now."`
}

type recoveryObject struct {
	RecoveryCodes []string `json:"recovery_codes" doc:"Each is good once, in place of a code. They are shown once."`
}

func (d *door) confirmFactor(ctx context.Context, r api.Request[byID, codeBody]) (reply[recoveryObject], error) {
	codes, err := d.Factors.Confirm(ctx, r.Caller, r.Params.ID, r.Body.Code)
	return ok(recoveryObject{codes}), err
}

type proofBody struct {
	Code     string `json:"code" doc:"A one-time or recovery code."`
	Password string `json:"password" doc:"Or the password."`
}

func (d *door) deleteFactor(ctx context.Context, r api.Request[byID, *proofBody]) (reply[bool], error) {
	var proof authn.Proof
	if r.Body != nil {
		proof = authn.Proof{Code: r.Body.Code, Password: r.Body.Password}
	}
	return ok(true), d.Factors.Delete(ctx, r.Caller, r.Params.ID, proof)
}
