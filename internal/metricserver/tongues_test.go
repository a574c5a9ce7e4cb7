package metricserver_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// The stand-alone store takes what Telegraf and Prometheus send, with the tokens that it takes from everybody.
func TestOthersWriteIntoTheStore(t *testing.T) {
	url, _ := start(t, "-config", settings(t, "127.0.0.1:0", token.DemoPublicKey, t.TempDir()))
	writer := sign(t, demoPrivateKey, `{"sub":"telegraf","roles":["api"]}`)
	reader := sign(t, demoPrivateKey, `{"sub":"x","roles":["api"],"read_only":true}`)
	at := time.Now().Unix() / 60 * 60
	influx := fmt.Sprintf("cpu,host=n01 load=0.25 %d", at*1e9)
	for _, c := range []struct {
		method, path, authorization, body string
		code                              int
		want                              string
	}{
		{"GET", "/ping", "", "", 204, ""},
		{"GET", "/health", "", "", 200, `"status":"pass"`},
		{"GET", "/ready", "", "", 200, `{"status":"ready"}`},
		{"POST", "/api/v2/write?bucket=alpha&org=x", "Token " + writer, influx, 204, ""},
		{"POST", "/api/v2/write?bucket=alpha&org=x", "Bearer " + writer, influx, 204, ""},
		{"POST", "/api/v2/write?bucket=alpha&org=x", "Token " + reader, influx, 403, `{"code":"forbidden"`},
		{"POST", "/api/v2/write?bucket=alpha&org=x", "", influx, 401, `{"code":"unauthorized"`},
		{"POST", "/api/write?cluster=alpha", "Token " + writer, "cpu_load,hostname=n01 value=1", 401, "Use JWT"},
		{"POST", "/api/v2/write?bucket=..%2Fx", "Token " + writer, influx, 400, "contains a slash"},
		{"POST", "/api/write?cluster=..%2Fx", "Bearer " + writer, "cpu_load,hostname=n01 value=1", 400, "contains a slash"},
		{"POST", "/write?db=alpha", "Basic " + base64.StdEncoding.EncodeToString([]byte("any:"+writer)), influx, 204, ""},
		{"POST", "/write?db=alpha", "Token " + writer, influx, 204, ""},
		{"POST", "/write?db=alpha", "Basic " + base64.StdEncoding.EncodeToString([]byte("any:"+reader)), influx, 403, `"error":"permission MetricsWrite`},
		{"POST", "/write?db=alpha&u=any&p=" + writer, "", influx, 401, "does not belong in an address"},
		{"POST", "/query?q=CREATE+DATABASE+alpha", "Token " + writer, "", 200, `{"results":[{"statement_id":0}]}`},
		{"POST", "/prometheus/api/v1/write", "Bearer " + writer, remoteWrite("n02", at), 204, ""},
		{"POST", "/prometheus/api/v1/write", "Bearer " + reader, remoteWrite("n02", at), 403, `"errorType":"forbidden"`},
		{"POST", "/prometheus/api/v1/write", "", remoteWrite("n02", at), 401, `"errorType":"unauthorized"`},
		{"GET", "/api/query", "Bearer " + reader, query(at), 200, `"data":[0.250]`},
		{"GET", "/api/query", "Bearer " + reader, strings.ReplaceAll(query(at), "n01", "n02"), 200, `"data":[7.000]`},
	} {
		code, body := call(t, c.method, url+c.path, c.authorization, c.body)
		if code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %s", c.method, c.path, code, body)
		}
	}
}

func call(t *testing.T, method, url, authorization, body string) (code int, reply string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// remoteWrite is one sample of a host, as remote write has it.
func remoteWrite(host string, at int64) string {
	var series []byte
	for _, label := range [][2]string{{"__name__", "cpu_load"}, {"cluster", "alpha"}, {"instance", host + ":9100"}} {
		l := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), label[0])
		l = protowire.AppendString(protowire.AppendTag(l, 2, protowire.BytesType), label[1])
		series = protowire.AppendBytes(protowire.AppendTag(series, 1, protowire.BytesType), l)
	}
	sample := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), 0x401c000000000000) // 7
	sample = protowire.AppendVarint(protowire.AppendTag(sample, 2, protowire.VarintType), uint64(at*1000))
	series = protowire.AppendBytes(protowire.AppendTag(series, 2, protowire.BytesType), sample)
	return string(snappy.Encode(nil, protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), series)))
}
