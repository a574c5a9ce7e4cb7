package token

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// ConvertPublicKey is the program convert-pem-pubkey (contract clustercockpit 1.2): it writes the public key in the file
// that args name as ClusterCockpit's environment takes it. It returns the exit code: 0 ok, 1 failed, 2 usage.
func ConvertPublicKey(args []string, stdout, stderr io.Writer) int {
	if len(args) != 1 || args[0] == "" || strings.HasPrefix(args[0], "-") {
		_, _ = fmt.Fprintln(stderr, "usage: convert-pem-pubkey FILE.pem")
		return 2
	}
	if err := convertFile(args[0], stdout); err != nil {
		_, _ = fmt.Fprintln(stderr, "convert-pem-pubkey:", err)
		return 1
	}
	return 0
}

func convertFile(name string, to io.Writer) error {
	f, err := os.Open(name) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	text, err := io.ReadAll(io.LimitReader(f, maxKeyText+1))
	if err != nil {
		return err
	}
	if err := WriteCrossLoginKey(to, text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// WriteCrossLoginKey reads a public key in PEM and writes the line by which ClusterCockpit's environment names it. It
// fails with what was found when that is no Ed25519 public key.
func WriteCrossLoginKey(w io.Writer, text []byte) error {
	k, err := ParseKey(text)
	if err != nil {
		return err
	}
	if k.CanSign() {
		return fault.New(fault.Invalid, "this is a private key, which stays where it is; its public half is written by: openssl pkey -pubout -in FILE")
	}
	if _, err := fmt.Fprintf(w, "CROSS_LOGIN_JWT_PUBLIC_KEY=%q\n", k.Raw()); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}
