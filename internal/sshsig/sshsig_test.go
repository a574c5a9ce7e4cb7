package sshsig_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/bridgehead-hpc/bridgehead/internal/sshsig"
)

const message = "head h\nuser u\nnonce n\n"

// keygen makes a key with the real ssh-keygen.
func keygen(t *testing.T, options ...string) (file string, signer ssh.Signer) {
	t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("ssh-keygen is not installed; on Debian: apt-get install openssh-client")
	}
	file = filepath.Join(t.TempDir(), "id")
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", append([]string{"-q", "-N", "", "-f", file}, options...)...).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if signer, err = ssh.ParsePrivateKey(pem); err != nil {
		t.Fatal(err)
	}
	return file, signer
}

// armour signs as people do who have no tool of ours.
func armour(t *testing.T, file, namespace string, options ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ssh-keygen", append([]string{"-Y", "sign", "-q", "-f", file, "-n", namespace}, options...)...)
	cmd.Stdin = strings.NewReader(message)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestBothFormsOfSignatureAreGoodForEveryKindOfKey(t *testing.T) {
	t.Parallel()
	for _, kind := range [][]string{{"-t", "ed25519"}, {"-t", "ecdsa", "-b", "256"}, {"-t", "ecdsa", "-b", "384"}, {"-t", "ecdsa", "-b", "521"}, {"-t", "rsa", "-b", "2048"}} {
		file, signer := keygen(t, kind...)
		ours, err := sshsig.Sign(signer, message)
		if err != nil {
			t.Fatal(err)
		}
		for what, text := range map[string]string{"ours": ours, "ssh-keygen's": armour(t, file, sshsig.Namespace)} {
			sig, err := sshsig.Parse(text)
			if err != nil {
				t.Errorf("%s %v: %v", what, kind, err)
				continue
			}
			if err := sshsig.Verify(signer.PublicKey(), message, sig); err != nil {
				t.Errorf("%s %v: %v", what, kind, err)
			}
			if sshsig.Verify(signer.PublicKey(), message+" ", sig) == nil {
				t.Errorf("%s %v: good for another message", what, kind)
			}
		}
	}
}

// ssh-keygen itself finds our signature good, once it has the wrapping that it expects.
func TestSSHKeygenVerifiesOurs(t *testing.T) {
	t.Parallel()
	file, signer := keygen(t, "-t", "ed25519")
	text, err := sshsig.Sign(signer, message)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	wrapped := append([]byte("SSHSIG\x00\x00\x00\x01"), ssh.Marshal(struct{ Key, Namespace, Reserved, Hash, Signature string }{
		string(signer.PublicKey().Marshal()), sshsig.Namespace, "", "sha512", string(blob),
	})...)
	dir := t.TempDir()
	sigFile, signers := filepath.Join(dir, "m.sig"), filepath.Join(dir, "signers")
	public, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		sigFile: fmt.Sprintf("-----BEGIN SSH SIGNATURE-----\n%s\n-----END SSH SIGNATURE-----\n", base64.StdEncoding.EncodeToString(wrapped)), signers: "u " + string(public),
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "ssh-keygen", "-Y", "verify", "-f", signers, "-I", "u", "-n", sshsig.Namespace, "-s", sigFile)
	cmd.Stdin = strings.NewReader(message)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestWeakAndForeignSignaturesAreRefused(t *testing.T) {
	t.Parallel()
	_, rsa := keygen(t, "-t", "rsa", "-b", "2048")
	_, small := keygen(t, "-t", "rsa", "-b", "1024")
	file, ed := keygen(t, "-t", "ed25519")
	_, other := keygen(t, "-t", "ed25519")
	sign := func(s ssh.Signer, data []byte, algorithm string) *ssh.Signature {
		t.Helper()
		as, ok := s.(ssh.AlgorithmSigner)
		if !ok {
			t.Fatal("no AlgorithmSigner")
		}
		sig, err := as.SignWithAlgorithm(nil, data, algorithm)
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	bytesOf := sshsig.Bytes(message)
	for what, c := range map[string]struct {
		key ssh.PublicKey
		sig *ssh.Signature
	}{
		"SHA-1":                    {rsa.PublicKey(), sign(rsa, bytesOf, ssh.KeyAlgoRSA)},
		"1024 bits":                {small.PublicKey(), sign(small, bytesOf, ssh.KeyAlgoRSASHA256)},
		"another key":              {other.PublicKey(), sign(ed, bytesOf, ssh.KeyAlgoED25519)},
		"the message alone":        {ed.PublicKey(), sign(ed, []byte(message), ssh.KeyAlgoED25519)},
		"Ed25519 for an RSA key":   {rsa.PublicKey(), sign(ed, bytesOf, ssh.KeyAlgoED25519)},
		"a format that is made up": {ed.PublicKey(), &ssh.Signature{Format: "ssh-ed448", Blob: bytes.Repeat([]byte{1}, 64)}},
		"empty":                    {ed.PublicKey(), &ssh.Signature{Format: ssh.KeyAlgoED25519}},
	} {
		if sshsig.Verify(c.key, message, c.sig) == nil {
			t.Errorf("%s is accepted", what)
		}
	}
	for want, text := range map[string]string{
		`made for "file"`:         armour(t, file, "file"),
		`with "sha256"`:           armour(t, file, sshsig.Namespace, "-O", "hashalg=sha256"),
		"not base64":              "!!!",
		"not in SSH's form":       "AAAA",
		"too long":                strings.Repeat("A", 20<<10),
		"what ssh-keygen -Y sign": "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----",
	} {
		if _, err := sshsig.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQ==\n-----END SSH SIGNATURE-----\n")
	f.Add(base64.StdEncoding.EncodeToString(ssh.Marshal(ssh.Signature{Format: "ssh-ed25519", Blob: []byte("x")})))
	f.Fuzz(func(t *testing.T, text string) {
		if sig, err := sshsig.Parse(text); err == nil && sig == nil {
			t.Error("neither signature nor error")
		}
	})
}

func ExampleMessage() {
	fmt.Print(sshsig.Message("head1", "alice", "AbC"))
	// Output:
	// head head1
	// user alice
	// nonce AbC
}
