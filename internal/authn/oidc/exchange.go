package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	oidclib "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// arrival exchanges the code that the browser has brought, checks what the provider says, and makes of it who has come.
func (l *Logins) arrival(ctx context.Context, s state, query url.Values) (authn.Arrival, error) {
	switch code := query.Get("code"); {
	case subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(s.State)) != 1:
		return authn.Arrival{}, refuse(errors.New("the state is not that of this browser"))
	case query.Has("error"):
		return authn.Arrival{}, refuse(fmt.Errorf("the provider says %.100q", query.Get("error")))
	case code == "":
		return authn.Arrival{}, refuse(errors.New("the provider has sent no code"))
	}
	p, err := l.discovered(ctx)
	if err != nil {
		return authn.Arrival{}, err
	}
	ctx = oidclib.ClientContext(ctx, l.client)
	tokens, err := l.oauth(p, s.Back).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(s.Verifier))
	if err != nil {
		return authn.Arrival{}, unlessSilent("exchange the code", err)
	}
	id, claims, err := l.identify(ctx, p, tokens, s.Nonce)
	if err != nil {
		return authn.Arrival{}, err
	}
	a := l.arrivalOf(claims)
	a.Binding = identity.Binding{Issuer: id.Issuer, Subject: id.Subject}
	if a.Name == "" {
		return authn.Arrival{}, refuse(fmt.Errorf("the provider does not say %s", l.Claims.Username))
	}
	switch err := l.used.Use(s.State, s.Until); {
	case fault.Is(err, fault.Conflict):
		return authn.Arrival{}, refuse(errors.New("the login has been used before"))
	case err != nil:
		return authn.Arrival{}, err
	}
	return a, nil
}

// unlessSilent tells a provider that says no from one that says nothing.
func unlessSilent(doing string, err error) error {
	var no *oauth2.RetrieveError
	if errors.As(err, &no) && no.Response != nil && no.Response.StatusCode < 500 {
		return refuse(fmt.Errorf("%s: the provider answers %d %.100q", doing, no.Response.StatusCode, no.ErrorCode))
	}
	return fault.Because(fault.Unavailable, fmt.Errorf("%s: %w", doing, err), "the login provider does not answer; try again in a moment")
}

// identify returns a good ID token and its claims, completed by what the provider says about its user.
func (l *Logins) identify(ctx context.Context, p *oidclib.Provider, tokens *oauth2.Token, nonce string) (*oidclib.IDToken, map[string]any, error) {
	raw, _ := tokens.Extra("id_token").(string) // a wrong type is none
	id, err := p.Verifier(&oidclib.Config{ClientID: l.ClientID, Now: l.clock.Now}).Verify(ctx, raw)
	if err != nil {
		return nil, nil, refuse(fmt.Errorf("id token: %w", err))
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return nil, nil, refuse(fmt.Errorf("id token: %w", err))
	}
	switch party, given := claims["azp"].(string); {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return nil, nil, refuse(errors.New("id token: the nonce is not that of this browser"))
	case given && party != l.ClientID, !given && len(slices.Compact(id.Audience)) > 1:
		return nil, nil, refuse(errors.New("id token: it was issued to somebody else"))
	case id.Subject == "" || len(id.Subject) > maxSubject:
		return nil, nil, refuse(errors.New("id token: it does not say whom it is about"))
	case id.AccessTokenHash != "" && id.VerifyAccessToken(tokens.AccessToken) != nil:
		return nil, nil, refuse(errors.New("id token: the access token does not belong to it"))
	}
	if p.UserInfoEndpoint() == "" {
		return id, claims, nil
	}
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return nil, nil, unlessSilent("ask about the user", err)
	}
	if info.Subject != id.Subject {
		return nil, nil, refuse(errors.New("what the provider says about the user is about another one"))
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return nil, nil, refuse(fmt.Errorf("user info: %w", err))
	}
	maps.Copy(claims, more)
	return id, claims, nil
}

// maxSubject is how long a subject may be, says OpenID Connect.
const maxSubject = 255
