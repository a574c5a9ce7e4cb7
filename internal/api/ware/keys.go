package ware

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// SigningKeys is the keys that sign tokens. *token.Keys is one.
type SigningKeys interface {
	// List returns the keys that verify, the active one first; fault.Denied.
	List(ctx context.Context, c identity.Caller) ([]token.KeyInfo, error)
	// Get returns one of them; fault.NotFound, fault.Denied.
	Get(ctx context.Context, c identity.Caller, id string) (token.KeyInfo, error)
	// Rotate has the next key sign from now on and returns it; fault.Denied, fault.Conflict.
	Rotate(ctx context.Context, c identity.Caller) (token.KeyInfo, error)
	// Import brings a key in; fault.Denied, fault.Invalid, fault.Conflict.
	Import(ctx context.Context, c identity.Caller, text []byte, as token.KeyState) (token.KeyInfo, error)
	// Remove removes a key and returns how many live tokens fell with it; fault.Denied, fault.NotFound, fault.Conflict, and
	// fault.Invalid without confirmation.
	Remove(ctx context.Context, c identity.Caller, r token.Removal) (int, error)
}

func (d *door) keyRoutes() []api.Route {
	read, write := api.Needs(identity.CertsRead), api.Needs(identity.CertsWrite)
	return []api.Route{
		api.Row("GET", base+"/keys", read, "List the keys that verify tokens, the one that signs first.", d.listKeys),
		api.Row("GET", base+"/key/{kid}", read, "Read one key, with its public half in every form.", d.getKey),
		api.Row("POST", base+"/keys/rotate", write, "Have the next key sign; the one that signed still verifies.", d.rotateKeys),
		api.Row("POST", base+"/keys/import", write, "Bring a key in. It takes all permissions.", d.importKey).WithMaxBody(maxKeyBody),
		api.Row("DELETE", base+"/key/{kid}", write, "Remove a key that does not sign, and revoke the tokens that it has signed; data is how many.", d.removeKey),
	}
}

// maxKeyBody is room for the text of a key.
const maxKeyBody = 64 << 10

type keyRecord struct {
	ID        string   `json:"kid" doc:"Names the key in tokens: its RFC 7638 thumbprint."`
	State     string   `json:"state" doc:"active signs, next will, retired only verifies."`
	Origin    string   `json:"origin" doc:"environment, generated or imported."`
	Created   *float64 `json:"created" doc:"Unix seconds."`
	Activated *float64 `json:"activated" doc:"When it began to sign, Unix seconds; null for never."`
	Retired   *float64 `json:"retired" doc:"When it ceased to sign, Unix seconds; null when it has not."`
	CanSign   bool     `json:"can_sign" doc:"Whether the head has the private half at hand."`
	Raw       string   `json:"public" doc:"The public half in base64, as JWT_PUBLIC_KEY takes it."`
	PEM       string   `json:"pem" doc:"The public half in PEM."`
	JWK       string   `json:"jwk" doc:"The public half as a JSON Web Key, as text."`
}

func newKeyRecord(k token.KeyInfo) keyRecord {
	return keyRecord{
		ID: k.ID(), State: string(k.State), Origin: string(k.Origin), Created: epoch(k.Created), Activated: epoch(k.Activated),
		Retired: epoch(k.Retired), CanSign: k.Signs, Raw: k.Raw(), PEM: k.PEM(), JWK: k.JWK(),
	}
}

func (d *door) listKeys(ctx context.Context, r api.Request[api.None, api.None]) (reply[[]keyRecord], error) {
	keys, err := d.Keys.List(ctx, r.Caller)
	records := make([]keyRecord, len(keys))
	for i, k := range keys {
		records[i] = newKeyRecord(k)
	}
	return ok(records), err
}

type byKeyID struct {
	ID string `path:"kid" doc:"The key's id."`
}

func (d *door) getKey(ctx context.Context, r api.Request[byKeyID, api.None]) (reply[keyRecord], error) {
	return d.keyReply(d.Keys.Get(ctx, r.Caller, r.Params.ID))
}

func (d *door) rotateKeys(ctx context.Context, r api.Request[api.None, *nothing]) (reply[keyRecord], error) {
	return d.keyReply(d.Keys.Rotate(ctx, r.Caller))
}

type keyBody struct {
	Key string `json:"key" doc:"PEM, or base64 as gen-keypair prints it."`
	As  string `json:"as" doc:"next, for which the private half is needed, or retired, which only verifies." enum:"next,retired"`
}

func (d *door) importKey(ctx context.Context, r api.Request[api.None, keyBody]) (reply[keyRecord], error) {
	return d.keyReply(d.Keys.Import(ctx, r.Caller, []byte(r.Body.Key), token.KeyState(r.Body.As)))
}

func (d *door) keyReply(k token.KeyInfo, err error) (reply[keyRecord], error) {
	if err != nil {
		return reply[keyRecord]{}, err
	}
	return ok(newKeyRecord(k)), nil
}

type removeKeyParams struct {
	ID      string `path:"kid" doc:"The key's id."`
	DryRun  bool   `query:"dry_run" doc:"Only count the tokens that would be revoked."`
	Confirm bool   `query:"confirm" doc:"Has to be said, since tokens fall with their key."`
}

func (d *door) removeKey(ctx context.Context, r api.Request[removeKeyParams, api.None]) (reply[int], error) {
	n, err := d.Keys.Remove(ctx, r.Caller, token.Removal{ID: r.Params.ID, DryRun: r.Params.DryRun, Confirmed: r.Params.Confirm})
	return ok(n), err
}
