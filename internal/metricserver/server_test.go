package metricserver_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricserver"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// demoPrivateKey is the private half of the demonstration pair (contract clustercockpit 1.1).
const demoPrivateKey = "dtPC/6dWJFKZK7KZ78CvWuynylOmjBFyMsUWArwmodOTN9itjL5POlqdZkcnmpJ0yPm4pRaCrvgFaFAbpyik/Q=="

// sign makes a token as every JWT library would.
func sign(t *testing.T, private, payload string) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(private)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	text := enc([]byte(`{"typ":"JWT","alg":"EdDSA"}`)) + "." + enc([]byte(payload))
	return text + "." + enc(ed25519.Sign(ed25519.PrivateKey(key), []byte(text)))
}

// output is what the program writes. It tells the address as soon as the program says where it listens.
type output struct {
	mu      sync.Mutex
	b       bytes.Buffer
	address chan string
}

func newOutput() *output { return &output{address: make(chan string, 1)} }

var listening = regexp.MustCompile(` listening address=(\S+)`)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b.Write(p)
	if m := listening.FindSubmatch(o.b.Bytes()); m != nil && len(o.address) == 0 {
		o.address <- string(m[1])
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// wait returns the address at which the program listens.
func (o *output) wait(t *testing.T, ended <-chan int) string {
	t.Helper()
	select {
	case address := <-o.address:
		return address
	case code := <-ended:
		t.Fatalf("ended with %d: %s", code, o)
	case <-time.After(30 * time.Second):
		t.Fatalf("does not listen: %s", o)
	}
	return ""
}

// settings is a configuration file with a key and a folder.
func settings(t *testing.T, addr, key, dir string) string {
	t.Helper()
	return configFile(t, fmt.Sprintf(`{"main": {"addr": %q, "jwt-public-key": %q}, %s,
		"metric-store": {"retention-in-memory": "48h", "checkpoints": {"directory": %q}}}`, addr, key, metricsSection, dir))
}

// start runs the program and returns its address, and what stops it and returns the exit code.
func start(t *testing.T, args ...string) (url string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	log := newOutput()
	ended := make(chan int, 1)
	go func() {
		ended <- metricserver.Main(ctx, metricserver.Env{Args: append([]string{"-loglevel", "info"}, args...), Stdout: io.Discard, Stderr: log})
	}()
	var once sync.Once
	code := -1
	stop = func() int {
		once.Do(func() {
			cancel()
			code = <-ended
		})
		return code
	}
	t.Cleanup(func() { stop() })
	return "http://" + log.wait(t, ended), stop
}

func request(t *testing.T, method, url, bearer, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func query(at int64) string {
	return fmt.Sprintf(`{"cluster":"alpha","from":%d,"to":%d,"queries":[{"metric":"cpu_load","host":"n01"}],"with-padding":false}`, at-600, at+600)
}

// The documentation's token has neither sub nor exp, and clusters all over the world use it with the demonstration key.
func TestTokensOpenTheStore(t *testing.T) {
	documented := sign(t, demoPrivateKey, `{"user":"admin","roles":["ROLE_ADMIN","ROLE_ANALYST","ROLE_USER"]}`)
	url, _ := start(t, "-config", settings(t, "127.0.0.1:0", token.DemoPublicKey, t.TempDir()))
	at := time.Now().Unix() / 60 * 60
	line := fmt.Sprintf("cpu_load,cluster=alpha,hostname=n01 value=0.5 %d\n", at)
	if code, body := request(t, "POST", url+"/api/write/", documented, line); code != http.StatusOK || body != "" {
		t.Fatalf("write: %d %s", code, body)
	}
	code, body := request(t, "GET", url+"/api/query/?version=v2", documented, query(at))
	want := fmt.Sprintf(`{"results":[[{"data":[0.500],"from":%d,"to":%d,"resolution":60,"avg":0.50,"min":0.50,"max":0.50}]]}`+"\n", at, at+60)
	if code != http.StatusOK || body != want {
		t.Errorf("query: %d %s", code, body)
	}

	_, foreign, err := token.GenerateKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"none": "", "rubbish": "x.y.z", "expired": sign(t, demoPrivateKey, `{"sub":"x","exp":1000}`),
		"foreign": sign(t, foreign, `{"user":"admin"}`), "cut": documented[:len(documented)-3],
	} {
		code, body := request(t, "GET", url+"/api/query/", bad, query(at))
		want := "invalid token\n"
		if bad == "" {
			want = "Use JWT Authentication\n"
		}
		if code != http.StatusUnauthorized || body != want {
			t.Errorf("%s: %d %q", name, code, body)
		}
	}
}

func TestTokensThatSayLessMayLess(t *testing.T) {
	for _, c := range []struct {
		payload     string
		flags       []string
		read, write bool
	}{
		{`{"sub":"x","roles":["user"]}`, nil, true, true},
		{`{"sub":"x","roles":["user"]}`, []string{"-check-roles"}, false, false},
		{`{"sub":"x","roles":["user","api"]}`, []string{"-check-roles"}, false, true},
		{`{"sub":"x","roles":["api"]}`, []string{"-check-roles"}, true, true},
		{`{"sub":"x","roles":["api"],"read_only":true}`, nil, true, false},
		{`{"sub":"x","roles":["api"],"permissions":["MetricsWrite"]}`, nil, false, true},
	} {
		url, stop := start(t, append(c.flags, "-config", settings(t, "127.0.0.1:0", token.DemoPublicKey, t.TempDir()))...)
		bearer := sign(t, demoPrivateKey, c.payload)
		code, _ := request(t, "POST", url+"/api/write/", bearer, "cpu_load,cluster=alpha,hostname=n01 value=1")
		if (code == http.StatusOK) != c.write {
			t.Errorf("%s %v: write %d", c.payload, c.flags, code)
		}
		code, _ = request(t, "GET", url+"/api/query", bearer, query(0))
		if (code == http.StatusOK) != c.read {
			t.Errorf("%s %v: read %d", c.payload, c.flags, code)
		}
		stop()
	}
}

func TestStopWritesACheckpointAndStartReadsIt(t *testing.T) {
	dir := t.TempDir()
	config := settings(t, "127.0.0.1:0", "", dir)
	url, stop := start(t, "-config", config)
	at := time.Now().Unix() / 60 * 60
	if code, body := request(t, "POST", url+"/api/write?cluster=alpha", "", fmt.Sprintf("cpu_load,hostname=n01 value=1 %d", at)); code != http.StatusOK {
		t.Fatal(code, body)
	}
	if code := stop(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*.bhc")); len(files) != 1 {
		t.Errorf("checkpoints: %v", files)
	}
	url, _ = start(t, "-config", config, "-dev")
	if _, body := request(t, "GET", url+"/api/query", "", query(at)); !strings.Contains(body, `"data":[1.000]`) {
		t.Errorf("after the restart: %s", body)
	}
	if code, body := request(t, "GET", url+"/metrics", "", ""); code != http.StatusOK || !strings.Contains(body, "\nmetricstore_series 1\n") {
		t.Errorf("metrics: %d %s", code, body)
	}
	if code, body := request(t, "GET", url+"/swagger/doc.json", "", ""); code != http.StatusOK || !json.Valid([]byte(body)) {
		t.Errorf("document: %d %s", code, body)
	}
	if code, body := request(t, "GET", url+"/nosuch", "", ""); code != http.StatusNotFound || strings.HasPrefix(body, "{") {
		t.Errorf("unknown path: %d %s", code, body)
	}
}

// Collectors that are given an address with a slash at its end put another one behind it; a redirect would lose what they send.
func TestEverySpellingOfAPathIsAnsweredDirectly(t *testing.T) {
	url, _ := start(t, "-config", settings(t, "127.0.0.1:0", "", t.TempDir()))
	for _, path := range []string{"/api/write", "/api/write/", "//api/write", "/api//write//", "/metricstore//write"} {
		code, body := request(t, "POST", url+path+"?cluster=alpha", "", "# nothing")
		if code != http.StatusOK && code != http.StatusNoContent {
			t.Errorf("POST %s: %d %s", path, code, body)
		}
	}
	for _, path := range []string{"//metrics", "/metrics/", "/ping/", "//health"} {
		if code, body := request(t, "GET", url+path, "", ""); code != http.StatusOK && code != http.StatusNoContent {
			t.Errorf("GET %s: %d %s", path, code, body)
		}
	}
}

func TestWhatGoesWrongAtTheStartIsOneLine(t *testing.T) {
	busy, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	dir := t.TempDir()
	url, _ := start(t, "-config", settings(t, "127.0.0.1:0", "", dir))
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"port":          {[]string{"-config", settings(t, busy.Addr().String(), "", t.TempDir())}, "is in use by another program; stop it, or change the address"},
		"folder in use": {[]string{"-config", settings(t, "127.0.0.1:0", "", dir)}, "is in use by another metric store"},
		"folder":        {[]string{"-config", settings(t, "127.0.0.1:0", "", configFile(t, ""))}, "config.json"},
		"configuration": {[]string{"-config", configFile(t, "{")}, "not valid JSON"},
		"key":           {[]string{"-config", settings(t, "127.0.0.1:0", "AAAA", t.TempDir())}, "jwt-public-key"},
		"demo key":      {[]string{"-config", settings(t, "0.0.0.0:0", token.DemoPublicKey, t.TempDir())}, "make a pair with gen-keypair"},
		"cleanup's user": {[]string{"-cleanup-checkpoints", "-config", configFile(t, `{"main": {"user": "nosuch-user"}, `+metricsSection+`,
			"metric-store": {"retention-in-memory": "48h", "checkpoints": {"directory": "`+t.TempDir()+`"}}}`)}, "main.user: user: unknown user nosuch-user"},
		"level":    {[]string{"-loglevel", "loud"}, "-loglevel"},
		"argument": {[]string{"config.json"}, "options begin with a dash"},
	} {
		var stderr bytes.Buffer
		code := metricserver.Main(t.Context(), metricserver.Env{Args: c.args, Stdout: io.Discard, Stderr: &stderr})
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		last := lines[len(lines)-1]
		if code != 1 || !strings.HasPrefix(last, "<3>[ERROR]") || !strings.Contains(last, c.want) {
			t.Errorf("%s: code %d, %s", name, code, stderr.String())
		}
	}
	if code, _ := request(t, "GET", url+"/metrics", "", ""); code != http.StatusOK {
		t.Error("the store that was running has been disturbed")
	}
}

func TestOptionsEndAsOptionsDo(t *testing.T) {
	for _, c := range []struct {
		args        []string
		code        int
		stdout, err string
	}{
		{[]string{"-version"}, 0, "Version:\t", ""},
		{[]string{"-h"}, 0, "", "Usage of cc-metric-store"},
		{[]string{"-nosuch"}, 2, "", "flag provided but not defined: -nosuch"},
		{[]string{"-config", settings(t, "127.0.0.1:0", "", t.TempDir()), "-gops", "-logdate", "-cleanup-checkpoints"}, 0, "", ""},
	} {
		var stdout, stderr bytes.Buffer
		code := metricserver.Main(t.Context(), metricserver.Env{Args: c.args, Stdout: &stdout, Stderr: &stderr})
		if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.err) {
			t.Errorf("%v: %d %q %q", c.args, code, stdout.String(), stderr.String())
		}
	}
}

// serveConfig names the configuration with which the test binary plays the program.
const serveConfig = "METRICSERVER_CONFIG"

func TestMain(m *testing.M) {
	if path := os.Getenv(serveConfig); path != "" {
		metricserver.Main(context.Background(), metricserver.Env{Args: []string{"-loglevel", "info", "-config", path}, Stdout: os.Stdout, Stderr: os.Stderr})
		return
	}
	os.Exit(m.Run())
}

// What was answered with 200 is there after kill -9.
func TestKilledServerLosesNothingAnswered(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	config := settings(t, "127.0.0.1:0", "", t.TempDir())
	at := time.Now().Unix()/60*60 - 3600
	for round := range 3 {
		log := newOutput()
		cmd := exec.CommandContext(t.Context(), exe)
		cmd.Env = append(os.Environ(), serveConfig+"="+config)
		cmd.Stderr = log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		url := "http://" + log.wait(t, nil)
		code, body := request(t, "GET", url+"/api/query", "", query(at))
		if got := strings.Count(body, ".000"); code != http.StatusOK || got != 5*round {
			t.Errorf("round %d: %d samples: %s", round, got, body)
		}
		for i := range 5 {
			line := fmt.Sprintf("cpu_load,cluster=alpha,hostname=n01 value=7 %d\n", at-540+60*int64(5*round+i))
			if code, body := request(t, "POST", url+"/api/write", "", line); code != http.StatusOK {
				t.Fatal(code, body)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
	}
}
