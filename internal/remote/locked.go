package remote

import (
	"fmt"
	"io"

	"golang.org/x/crypto/ssh"
)

// lockedKey is an encrypted private key that is opened when a node first wants a signature of it, so that nobody types
// a passphrase for a key that no node knows.
type lockedKey struct {
	dialer *Dialer // its mutex guards signer
	file   string
	pem    []byte
	public ssh.PublicKey
	signer ssh.Signer // nil until opened
}

// PublicKey returns the public half, which is not encrypted.
func (k *lockedKey) PublicKey() ssh.PublicKey { return k.public }

// Sign opens the key if need be and signs with its default algorithm.
func (k *lockedKey) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	signer, err := k.open()
	if err != nil {
		return nil, err
	}
	return signer.Sign(rand, data)
}

// SignWithAlgorithm opens the key if need be and signs with the algorithm that the node asked for.
func (k *lockedKey) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	signer, err := k.open()
	if err != nil {
		return nil, err
	}
	if as, ok := signer.(ssh.AlgorithmSigner); ok {
		return as.SignWithAlgorithm(rand, data, algorithm)
	}
	return signer.Sign(rand, data)
}

func (k *lockedKey) open() (ssh.Signer, error) {
	k.dialer.mu.Lock()
	defer k.dialer.mu.Unlock()
	if k.signer != nil {
		return k.signer, nil
	}
	passphrase, err := k.dialer.passphrase(k.file)
	if err != nil {
		return nil, fmt.Errorf("open SSH key %s: %w", k.file, err)
	}
	signer, err := ssh.ParsePrivateKeyWithPassphrase(k.pem, passphrase)
	if err != nil {
		return nil, fmt.Errorf("open SSH key %s: the passphrase does not fit", k.file)
	}
	k.signer = signer
	return signer, nil
}
