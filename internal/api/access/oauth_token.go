package access

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// tokenForm is a request for a token. Lists are written with spaces between their items.
type tokenForm struct {
	GrantType    string `json:"grant_type" form:"grant_type" doc:"refresh_token, or urn:ietf:params:oauth:grant-type:token-exchange."`
	RefreshToken string `json:"refresh_token" form:"refresh_token" doc:"For refresh_token: the refresh token. It stays good."`

	SubjectToken     string `json:"subject_token" form:"subject_token" doc:"For an exchange: an access or service token of who asks, or of the user to act as."`
	SubjectTokenType string `json:"subject_token_type" form:"subject_token_type" doc:"urn:ietf:params:oauth:token-type:access_token or ...:jwt."`
	ActorToken       string `json:"actor_token" form:"actor_token" doc:"A token of who is to act as the subject."`
	ActorTokenType   string `json:"actor_token_type" form:"actor_token_type" doc:"As subject_token_type; only with actor_token."`
	RequestedSubject string `json:"requested_subject" form:"requested_subject" doc:"Extension: the name of the user as whom the holder of subject_token is to act."`
	RequestedType    string `json:"requested_token_type" form:"requested_token_type" doc:"As subject_token_type."`

	Audience []string `json:"audience" form:"audience" doc:"bridgehead, or the issuer's URL."`
	Resource []string `json:"resource" form:"resource" doc:"The issuer's URL."`
	Scope    string   `json:"scope" form:"scope" doc:"Permissions that the token is narrowed to."`

	Nodes    string `json:"nodes" form:"nodes" doc:"Extension: the nodes that the token is narrowed to, as in n[1-16]."`
	Clusters string `json:"clusters" form:"clusters" doc:"Extension: the clusters that the token is narrowed to."`
	CIDR     string `json:"cidr" form:"cidr" doc:"Extension: the addresses or ranges that the token is good from."`
	ReadOnly bool   `json:"read_only" form:"read_only" doc:"Extension: narrows the token to permissions that read."`
	Lifetime string `json:"lifetime" form:"lifetime" doc:"Extension: seconds, or a number with s, m, h, d or w."`
	Name     string `json:"name" form:"name" doc:"Extension: a label for people; client_id when absent."`
	Purpose  string `json:"purpose" form:"purpose" doc:"Extension: what the token is for."`

	ClientID string `json:"client_id" form:"client_id" doc:"Clients are public: recorded, not checked."`
}

// tokenReply is a fresh token (RFC 6749, 5.1; RFC 8693, 2.2.1).
type tokenReply struct {
	AccessToken string `json:"access_token" doc:"The token. It is shown once."`
	IssuedType  string `json:"issued_token_type,omitempty" doc:"Of an exchange: urn:ietf:params:oauth:token-type:access_token."`
	TokenType   string `json:"token_type" doc:"Always Bearer."`
	ExpiresIn   int64  `json:"expires_in" doc:"Seconds that it lives."`
	Scope       string `json:"scope" doc:"The permissions that it has now."`
}

// Respond writes the token for nobody to keep but the client.
func (t tokenReply) Respond(w http.ResponseWriter, _ *http.Request) error {
	noStore(w.Header())
	return api.JSON(w, http.StatusOK, t)
}

func (d door) token(ctx context.Context, r api.Request[api.None, tokenForm]) (tokenReply, error) {
	switch r.Body.GrantType {
	case grantRefresh:
		return d.renew(ctx, r)
	case grantExchange:
		return d.exchange(ctx, r)
	case "":
		return tokenReply{}, refuseOAuth("invalid_request", "the parameter grant_type is missing")
	default:
		return tokenReply{}, refuseOAuth("unsupported_grant_type", "grant_type is %s or %s here", grantRefresh, grantExchange)
	}
}

func (d door) renew(ctx context.Context, r api.Request[api.None, tokenForm]) (tokenReply, error) {
	if r.Body.RefreshToken == "" {
		return tokenReply{}, refuseOAuth("invalid_request", "the parameter refresh_token is missing")
	}
	wish, err := r.Body.request("")
	if err != nil {
		return tokenReply{}, err
	}
	g, err := d.OAuth.Renew(ctx, r.Body.RefreshToken, wish.Narrowing, d.Gate.ClientAddr(r.HTTP), RequestID(ctx))
	switch {
	case fault.Is(err, fault.Invalid):
		return tokenReply{}, &oauthError{"invalid_scope", err}
	case err != nil:
		return tokenReply{}, &oauthError{"invalid_grant", err}
	}
	return d.reply(g), nil
}

func (d door) exchange(ctx context.Context, r api.Request[api.None, tokenForm]) (tokenReply, error) {
	if err := d.checkExchange(r.HTTP, r.Body); err != nil {
		return tokenReply{}, err
	}
	wish, err := r.Body.request(clientID(r.HTTP))
	if err != nil {
		return tokenReply{}, err
	}
	g, err := d.OAuth.Exchange(ctx, token.Exchange{
		Subject: r.Body.SubjectToken, Actor: r.Body.ActorToken, MintRequest: wish,
		Addr: d.Gate.ClientAddr(r.HTTP), RequestID: RequestID(ctx),
	})
	if err != nil {
		return tokenReply{}, &oauthError{"invalid_request", err}
	}
	reply := d.reply(g)
	reply.IssuedType = typeAccessToken
	return reply, nil
}

func (d door) reply(g token.Granted) tokenReply {
	return tokenReply{
		AccessToken: g.Text, TokenType: "Bearer", ExpiresIn: int64(g.Expires.Sub(d.Clock.Now()).Seconds()),
		Scope: strings.Join(g.Permissions.Names(), " "),
	}
}

// checkExchange reports what is wrong with an exchange before anybody looks at its tokens.
func (d door) checkExchange(r *http.Request, f tokenForm) error {
	types := []string{typeAccessToken, typeJWT}
	switch {
	case f.SubjectToken == "":
		return refuseOAuth("invalid_request", "the parameter subject_token is missing")
	case !slices.Contains(types, f.SubjectTokenType):
		return refuseOAuth("invalid_request", "subject_token_type is %s or %s here", typeAccessToken, typeJWT)
	case (f.ActorToken == "") != (f.ActorTokenType == ""):
		return refuseOAuth("invalid_request", "actor_token and actor_token_type belong together; one of them is missing")
	case f.ActorToken != "" && !slices.Contains(types, f.ActorTokenType):
		return refuseOAuth("invalid_request", "actor_token_type is %s or %s here", typeAccessToken, typeJWT)
	case f.RequestedType != "" && !slices.Contains(types, f.RequestedType):
		return refuseOAuth("invalid_request", "requested_token_type is %s or %s here", typeAccessToken, typeJWT)
	}
	for _, target := range slices.Concat(f.Audience, f.Resource) {
		if issuer, err := d.issuer(r); target != token.Audience && (err != nil || strings.TrimRight(target, "/") != issuer) {
			return refuseOAuth("invalid_target", "tokens for %q are not made here; the audience is %s", target, token.Audience)
		}
	}
	return nil
}

// request returns what is wanted of the new token.
func (f tokenForm) request(client string) (token.MintRequest, error) {
	r := token.MintRequest{
		For: f.RequestedSubject, Name: cmp.Or(f.Name, f.ClientID, client), Purpose: f.Purpose,
		Narrowing: token.Narrowing{ReadOnly: f.ReadOnly, Nodes: f.Nodes, CIDRs: words(f.CIDR), Clusters: words(f.Clusters), Permissions: words(f.Scope)},
	}
	if _, err := identity.ParsePermissions(r.Permissions...); err != nil {
		return r, &oauthError{"invalid_scope", err}
	}
	if f.Lifetime == "" {
		return r, nil
	}
	var err error
	if r.Lifetime, err = token.ParseLifetime(f.Lifetime); err != nil {
		return r, &oauthError{"invalid_request", err}
	}
	return r, nil
}

// words splits a list at spaces and commas; nil for an empty one.
func words(list string) []string {
	items := strings.FieldsFunc(list, func(c rune) bool { return c == ' ' || c == ',' })
	if len(items) == 0 {
		return nil
	}
	return items
}

// clientID returns the id with which a client authenticates by HTTP Basic, as many do without being asked.
func clientID(r *http.Request) string {
	id, _, _ := r.BasicAuth()
	return id
}

// isRefusal reports whether a token is no good, rather than that something failed.
func isRefusal(err error) bool { return fault.Is(err, fault.Unauthenticated) }
