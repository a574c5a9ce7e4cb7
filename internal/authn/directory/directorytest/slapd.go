// Package directorytest runs a real LDAP directory, OpenLDAP's slapd, for tests.
package directorytest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/authn/directory"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/porttest"
)

const slapd = "/usr/sbin/slapd"

// Installed reports whether there is a slapd to run.
func Installed() bool {
	_, err := os.Stat(slapd)
	return err == nil
}

// The names in the directory.
const (
	Base     = "dc=example,dc=org"
	UserBase = "ou=people," + Base
	SearchDN = "cn=admin," + Base
	UserBind = "uid={username}," + UserBase
	Filter   = "(&(objectClass=posixAccount)(gidNumber=100))"
	Password = "s3arch-s3cret"
)

// Server is a running directory on a loopback port. The user of name NAME has the password "pw-NAME".
type Server struct {
	URL    string // ldap://
	URLTLS string // ldaps://
	CAFile string
	dir    string
	stop   func()
	tb     testing.TB
}

// Start runs a directory with those users until the test ends. The test is skipped where slapd is not installed.
func Start(tb testing.TB, users ...string) *Server {
	tb.Helper()
	if !Installed() {
		tb.Skipf("OpenLDAP's server is not installed (%s); on Debian: apt-get install slapd", slapd)
	}
	s := &Server{dir: tb.TempDir(), tb: tb}
	s.writeCertificate()
	s.write("slapd.conf", s.config())
	if err := os.Mkdir(filepath.Join(s.dir, "db"), 0o700); err != nil {
		tb.Fatal(err)
	}
	s.write("base.ldif", base())
	var people strings.Builder
	for i, name := range users {
		people.WriteString(Entry(name, 1000+i))
	}
	s.write("people.ldif", people.String())
	for _, file := range []string{"base.ldif", "people.ldif"} {
		cmd := exec.CommandContext(tb.Context(), slapd, "-T", "add", "-f", s.path("slapd.conf"), "-l", s.path(file)) //nolint:gosec // paths of the test
		if out, err := cmd.CombinedOutput(); err != nil {
			tb.Fatalf("slapadd %s: %v\n%s", file, err, out)
		}
	}
	s.URL, s.URLTLS = "ldap://"+porttest.Addr(tb), "ldaps://"+porttest.Addr(tb)
	s.Run()
	return s
}

// Config returns the directory as tests use it.
func (s *Server) Config() directory.Config {
	return directory.Config{URL: s.URL, UserBase: UserBase, UserFilter: Filter, UserBind: UserBind, SearchDN: SearchDN, Password: Password}
}

// Run starts the server again after Stop.
func (s *Server) Run() {
	s.tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.tb.Context()))
	cmd := exec.CommandContext(ctx, slapd, "-d", "0", "-f", s.path("slapd.conf"), "-h", s.URL+" "+s.URLTLS) //nolint:gosec // paths of the test
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		cancel()
		s.tb.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed at the end
		close(ended)
	}()
	s.stop = func() { cancel(); <-ended }
	s.tb.Cleanup(s.Stop)
	var wall clock.System
	for deadline := wall.Now().Add(20 * time.Second); wall.Now().Before(deadline); <-wall.After(20 * time.Millisecond) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(s.URL, "ldap://"))
		if err == nil {
			_ = conn.Close() // it only had to open
			return
		}
		select {
		case <-ended:
			s.tb.Fatalf("slapd ended: %s", &out)
		default:
		}
	}
	s.tb.Fatalf("slapd does not answer: %s", &out)
}

// Stop ends the server.
func (s *Server) Stop() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}

// Modify applies changes in LDIF.
func (s *Server) Modify(ldif string) {
	s.tb.Helper()
	cmd := exec.CommandContext(s.tb.Context(), "ldapmodify", "-a", "-x", "-H", s.URL, "-D", SearchDN, "-w", Password) //nolint:gosec // a test's own password
	cmd.Stdin = strings.NewReader(ldif)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.tb.Fatalf("ldapmodify: %v\n%s", err, out)
	}
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

func (s *Server) write(name, content string) {
	s.tb.Helper()
	if err := os.WriteFile(s.path(name), []byte(content), 0o600); err != nil {
		s.tb.Fatal(err)
	}
}

func (s *Server) config() string {
	return fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/slapd.pid
TLSCACertificateFile %[1]s/cert.pem
TLSCertificateFile %[1]s/cert.pem
TLSCertificateKeyFile %[1]s/key.pem
sizelimit 600
database mdb
maxsize 10485760
suffix "%[2]s"
rootdn "%[3]s"
rootpw %[4]s
directory %[1]s/db
index uid eq
access to attrs=userPassword by anonymous auth by * none
access to * by users read
`, s.dir, Base, SearchDN, Password)
}

func base() string {
	return "dn: " + Base + "\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n" +
		"dn: " + UserBase + "\nobjectClass: organizationalUnit\nou: people\n\n"
}

// Entry returns a user in LDIF.
func Entry(name string, number int) string {
	return fmt.Sprintf("dn: uid=%[1]s,%[2]s\nobjectClass: account\nobjectClass: posixAccount\nuid: %[1]s\ncn: %[1]s\ngecos: Full %[1]s\n"+
		"uidNumber: %[3]d\ngidNumber: 100\nhomeDirectory: /home/x\nuserPassword: pw-%[1]s\n\n", name, UserBase, number)
}

// writeCertificate makes a certificate for the loopback address that vouches for itself.
func (s *Server) writeCertificate() {
	s.tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.tb.Fatal(err)
	}
	now := clock.System{}.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "directory"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		s.tb.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	s.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	s.CAFile = s.path("cert.pem")
}
