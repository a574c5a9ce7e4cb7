package api_test

import (
	"bytes"
	"compress/gzip"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	tests := []struct{ name, path, contains string }{
		{"defaults", "/shelf/boxes", `{"Colour":null,"Limit":10,"Deep":null,"Weight":0,"Trace":"abc"}`},
		{"given", "/shelf/boxes?colour=red&colour=green&limit=3&deep=false&weight=1.5", `{"Colour":["red","green"],"Limit":3,"Deep":false,"Weight":1.5,"Trace":"abc"}`},
		{"no number", "/shelf/boxes?limit=many", `invalid value \"many\" for parameter limit: whole number expected`},
		{"no float", "/shelf/boxes?weight=x", `number expected`},
		{"no bool", "/shelf/boxes?deep=2", `true or false expected`},
		{"unknown", "/shelf/boxes?color=red&big=1", `invalid query parameter: big`},
		{"unreadable", "/shelf/boxes?limit=%zz", `cannot be read`},
		{"path no number", "/shelf/boxes/first", `invalid value \"first\" for parameter id`},
		{"required and missing", "/shelf/must", `parameter at is required`},
		{"required and there", "/shelf/must?at=5", `{"At":5}`},
	}
	mux := shelfMux(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := call{method: "GET", path: tt.path, as: "reader", header: http.Header{"X-Trace": {"abc"}}}.do(t, mux)
			if !strings.Contains(w.Body.String(), tt.contains) {
				t.Errorf("got %d %s, want %s", w.Code, w.Body, tt.contains)
			}
		})
	}
}

func TestJSONBodies(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	tests := []struct{ name, path, contentType, body, contains string }{
		{"as JSON", "/shelf/boxes", "application/json", `{"name":"a","size":2}`, `{"name":"a","size":2}`},
		{"as curl sends it", "/shelf/boxes", form, `{"name":"a","size":2}`, `{"name":"a","size":2}`},
		{"without content type", "/shelf/boxes", "", ` {"name":"a"} `, `{"name":"a","size":0}`},
		{"unknown member is ignored", "/shelf/boxes", "", `{"name":"a","lid":true}`, `{"name":"a","size":0}`},
		{"JSON where a form may be", "/shelf/form", form, `{"name":"a","tags":["x"]}`, `{"name":"a","size":0,"tags":["x"]}`},
		{"empty", "/shelf/boxes", "", ``, `a JSON body is required`},
		{"cut off", "/shelf/boxes", "", `{"name":`, `not the JSON that is expected`},
		{"two values", "/shelf/boxes", "", `{"name":"a"}{}`, `something behind the JSON value`},
		{"wrong type", "/shelf/boxes", "", `{"name":"a","size":"big"}`, `member size: a whole number expected, got string`},
		{"wrong nested type", "/shelf/boxes", "", `{"tags":{"a":1}}`, `member tags: an array expected, got object`},
		{"no object", "/shelf/boxes", "", `[1]`, `the body: an object expected, got array`},
		{"optional and empty", "/shelf/optional", "", ``, `nothing`},
		{"optional and there", "/shelf/optional", "", `{"name":"b"}`, `b`},
	}
	mux := shelfMux(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := call{method: "POST", path: tt.path, as: "writer", contentType: tt.contentType, body: tt.body}.do(t, mux)
			if !strings.Contains(w.Body.String(), tt.contains) {
				t.Errorf("got %d %s, want %s", w.Code, w.Body, tt.contains)
			}
		})
	}
}

func TestStrictDialectRefusesUnknownMembers(t *testing.T) {
	d := shelfDialect()
	d.StrictJSON = true
	w := call{method: "POST", path: "/shelf/boxes", as: "writer", body: `{"lid":true}`}.do(t, muxOf(t, d))
	if !strings.Contains(w.Body.String(), `unknown field \"lid\"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestForms(t *testing.T) {
	var parts bytes.Buffer
	mw := multipart.NewWriter(&parts)
	for _, field := range [][2]string{{"name", "a b"}, {"size", "3"}, {"tag", "x"}, {"tag", "y"}, {"submit", "go"}} {
		if err := mw.WriteField(field[0], field[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := mw.Close(); err != nil {
		t.Fatal(err)
	}
	const want = `{"name":"a b","size":3,"tags":["x","y"]}`
	const urlencoded = "application/x-www-form-urlencoded"
	tests := []struct{ name, method, contentType, body, contains string }{
		{"urlencoded", "POST", urlencoded, "name=a+b&size=3&tag=x&tag=y&submit=go", want},
		{"multipart", "POST", mw.FormDataContentType(), parts.String(), want},
		{"urlencoded in DELETE", "DELETE", urlencoded + "; charset=utf-8", "name=a+b&size=3&tag=x&tag=y", want},
		{"multipart in DELETE", "DELETE", mw.FormDataContentType(), parts.String(), want},
		{"twice where one can be", "POST", urlencoded, "name=a&name=b", "field name is given more than once"},
		{"bad number", "POST", urlencoded, "size=big", "invalid value for field size: whole number expected"},
		{"bad escape", "POST", urlencoded, "name=%zz", "the form could not be read"},
		{"no boundary", "POST", "multipart/form-data", parts.String(), "the form could not be read"},
		{"cut off", "POST", mw.FormDataContentType(), parts.String()[:80], "the form could not be read"},
		{"too large", "POST", urlencoded, "name=" + strings.Repeat("a", 1000), "larger than 1000 bytes"},
	}
	mux := shelfMux(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := call{method: tt.method, path: "/shelf/form", as: "writer", contentType: tt.contentType, body: tt.body}.do(t, mux)
			if !strings.Contains(w.Body.String(), tt.contains) {
				t.Errorf("got %d %s, want %s", w.Code, w.Body, tt.contains)
			}
		})
	}
}

func TestCompressedBodies(t *testing.T) {
	zip := func(s string) string {
		var buf bytes.Buffer
		zw := gzip.NewWriter(&buf)
		_, _ = zw.Write([]byte(s))
		if err := zw.Close(); err != nil {
			t.Fatal(err)
		}
		return buf.String()
	}
	tests := []struct{ name, encoding, body, contains string }{
		{"plain", "", "a,b", "a,b"},
		{"gzip", "gzip", zip("a,b"), "a,b"},
		{"gzip in capitals", "GZip", zip("a,b"), "a,b"},
		{"gzip by its old name", "x-gzip", zip("a,b"), "a,b"},
		{"no gzip", "gzip", "a,b", "is not gzip"},
		{"cut gzip", "gzip", zip("a,b")[:20], "could not be read: it ends too early"},
		{"other", "br", "a,b", `Content-Encoding \"br\" is not supported`},
		{"plain too large", "", strings.Repeat("a", 101), "larger than 100 bytes"},
		{"gzip that grows too large", "gzip", zip(strings.Repeat("a", 101)), "larger than 100 bytes"},
		{"just fits", "gzip", zip(strings.Repeat("a", 100)), strings.Repeat("a", 100)},
	}
	mux := shelfMux(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := call{method: "POST", path: "/shelf/raw", as: "writer", body: tt.body}
			if tt.encoding != "" {
				c.header = http.Header{"Content-Encoding": {tt.encoding}}
			}
			if w := c.do(t, mux); !strings.Contains(w.Body.String(), tt.contains) {
				t.Errorf("got %d %s, want %s", w.Code, w.Body, tt.contains)
			}
		})
	}
}

func FuzzRequestNeverPanics(f *testing.F) {
	f.Add("POST", "/shelf/form", "multipart/form-data; boundary=x", "--x\r\n")
	f.Add("GET", "/shelf//boxes/%2f/?limit=1;2", "", "")
	f.Add("POST", "/shelf/boxes", "application/json", `{"inside":{"a":{"inside":{}}}}`)
	f.Fuzz(func(t *testing.T, method, path, contentType, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		if err != nil {
			t.Skip("not a request")
		}
		call{method: r.Method, path: "/", as: "writer", contentType: contentType, body: body, url: r.URL}.do(t, shelfMux(t))
	})
}
