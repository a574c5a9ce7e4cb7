// Command gen-keypair prints a fresh Ed25519 key pair for signing and validating tokens. It takes no arguments.
package main

import (
	"crypto/rand"
	"fmt"
	"os"

	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func main() {
	if err := token.WriteKeyPair(os.Stdout, rand.Reader); err != nil {
		fmt.Fprintln(os.Stderr, "gen-keypair:", err)
		os.Exit(1)
	}
}
