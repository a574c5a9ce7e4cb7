package test_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// signJWT is a program that has nothing of ours: it signs a token as any other does that has the private key.
//
//	sign-jwt PRIVATE-KEY CLAIM=VALUE...
//
// exp=1h is an hour from now, roles=a,b is a list, everything else is text.
func signJWT() {
	text, err := signed(os.Args[1:])
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "sign-jwt:", err)
		os.Exit(1)
	}
	_, _ = fmt.Fprintln(os.Stdout, text)
}

func signed(args []string) (string, error) {
	if len(args) < 2 {
		return "", errors.New("a private key and at least one claim are needed")
	}
	private, err := base64.StdEncoding.DecodeString(args[0])
	if err != nil || len(private) != ed25519.PrivateKeySize {
		return "", fmt.Errorf("no private key: %w", err)
	}
	now := clock.System{}.Now()
	claims := jwt.MapClaims{"iat": now.Unix()}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "roles":
			claims[name] = strings.Split(value, ",")
		case "exp":
			d, err := time.ParseDuration(value)
			if err != nil {
				return "", err
			}
			claims[name] = now.Add(d).Unix()
		default:
			claims[name] = value
		}
	}
	return jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims).SignedString(ed25519.PrivateKey(private))
}
