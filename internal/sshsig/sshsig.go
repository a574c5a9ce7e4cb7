// Package sshsig knows what is signed with an SSH key to log in, and reads signatures in the forms that clients send.
//
// What is signed has the form that ssh-keygen -Y sign gives it, with a namespace of our own: a signature that was made to
// log in somewhere by SSH, or for a file or a commit, is none of ours, and the other way round.
package sshsig

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Namespace is what a login is signed for.
const Namespace = "bridgehead-login"

const (
	magic    = "SSHSIG"
	hashName = "sha512"
)

// maxText is how long a signature may be in any form; that of a key of 16,384 bits is 4 kB.
const maxText = 16 << 10

// Message returns the text of a login: who logs in at which head, and the nonce that the head gave out for it.
func Message(head, user, nonce string) string {
	return "head " + head + "\nuser " + user + "\nnonce " + nonce + "\n"
}

// signed is what ssh-keygen puts around a message before it signs.
type signed struct {
	Namespace string
	Reserved  string
	HashName  string
	Hash      string
}

// Bytes returns what is signed for a message.
func Bytes(message string) []byte {
	sum := sha512.Sum512([]byte(message))
	return append([]byte(magic), ssh.Marshal(signed{Namespace: Namespace, HashName: hashName, Hash: string(sum[:])})...)
}

// armoured is what stands in base64 between the lines that ssh-keygen writes.
type armoured struct {
	Magic     [6]byte
	Version   uint32
	PublicKey string
	Namespace string
	Reserved  string
	HashName  string
	Signature string
}

// Parse reads a signature: the armoured text of ssh-keygen -Y sign, or the bytes that an SSH agent returns in base64.
func Parse(text string) (*ssh.Signature, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxText {
		return nil, errors.New("the signature is too long")
	}
	if strings.HasPrefix(text, "-----BEGIN") {
		return parseArmoured(text)
	}
	blob, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("the signature is not base64")
	}
	return parseBlob(blob)
}

func parseArmoured(text string) (*ssh.Signature, error) {
	block, rest := pem.Decode([]byte(text))
	var a armoured
	if block == nil || block.Type != "SSH SIGNATURE" || len(rest) > 0 || ssh.Unmarshal(block.Bytes, &a) != nil || string(a.Magic[:]) != magic || a.Version != 1 {
		return nil, errors.New("the signature is not what ssh-keygen -Y sign writes")
	}
	if a.Namespace != Namespace || a.HashName != hashName {
		return nil, fmt.Errorf("the signature is made for %q with %q; ssh-keygen -Y sign -n %s makes the right one", a.Namespace, a.HashName, Namespace)
	}
	return parseBlob([]byte(a.Signature))
}

func parseBlob(blob []byte) (*ssh.Signature, error) {
	var sig ssh.Signature
	if err := ssh.Unmarshal(blob, &sig); err != nil || len(sig.Rest) > 0 {
		return nil, errors.New("the signature is not in SSH's form")
	}
	return &sig, nil
}

// Verify reports whether sig is the signature of a message by key. Ed25519, ECDSA and RSA from 2048 bits with SHA-2 are
// good; DSA and SHA-1 are not.
func Verify(key ssh.PublicKey, message string, sig *ssh.Signature) error {
	var good bool
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		good = sig.Format == key.Type()
	case ssh.KeyAlgoRSA:
		good = (sig.Format == ssh.KeyAlgoRSASHA256 || sig.Format == ssh.KeyAlgoRSASHA512) && bits(key) >= 2048
	}
	if !good {
		return fmt.Errorf("a signature of kind %q with a key of kind %q is not accepted", sig.Format, key.Type())
	}
	return key.Verify(Bytes(message), sig)
}

// bits returns the size of an RSA key, 0 of others.
func bits(key ssh.PublicKey) int {
	if k, ok := key.(ssh.CryptoPublicKey); ok {
		if public, ok := k.CryptoPublicKey().(*rsa.PublicKey); ok {
			return public.N.BitLen()
		}
	}
	return 0
}

// Sign signs a message and returns the signature in base64. signer is a key from a file or from an agent.
func Sign(signer ssh.Signer, message string) (string, error) {
	var sig *ssh.Signature
	var err error
	if s, ok := signer.(ssh.AlgorithmSigner); ok && signer.PublicKey().Type() == ssh.KeyAlgoRSA {
		sig, err = s.SignWithAlgorithm(rand.Reader, Bytes(message), ssh.KeyAlgoRSASHA512) // the default would be SHA-1
	} else {
		sig, err = signer.Sign(rand.Reader, Bytes(message))
	}
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", ssh.FingerprintSHA256(signer.PublicKey()), err)
	}
	return base64.StdEncoding.EncodeToString(ssh.Marshal(sig)), nil
}
