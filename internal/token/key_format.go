package token

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
)

// Raw returns the public half in standard base64, as JWT_PUBLIC_KEY takes it.
func (k *Key) Raw() string { return base64.StdEncoding.EncodeToString(k.public) }

// PEM returns the public half in PEM (PKIX), as openssl reads it.
func (k *Key) PEM() string {
	der, err := x509.MarshalPKIXPublicKey(k.public)
	if err != nil {
		return "" // an Ed25519 key always encodes
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// JWK returns the public half as a JSON Web Key (RFC 7517).
func (k *Key) JWK() string {
	return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":"%s","kid":"%s","use":"sig","alg":"EdDSA"}`, encode(k.public), k.id)
}

// jwks returns a set of keys as they are published.
func jwks(keys []*Key) []byte {
	out := []byte(`{"keys":[`)
	for i, k := range keys {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, k.JWK()...)
	}
	return append(out, `]}`...)
}
