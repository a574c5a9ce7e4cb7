// Command convert-pem-pubkey reads a PEM file with an Ed25519 public key and prints it as cc-backend's environment takes
// it.
package main

import (
	"os"

	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func main() {
	os.Exit(token.ConvertPublicKey(os.Args[1:], os.Stdout, os.Stderr))
}
