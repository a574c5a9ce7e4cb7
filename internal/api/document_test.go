package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); -update rewrites it:\n%s", path, diff)
	}
}

func TestDocumentIsTheTable(t *testing.T) {
	doc, err := shelfDialect().Document()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "openapi.json", doc)

	var parsed struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Security   *[]any
			Parameters []struct{ Name, In string }
			Permission []string `json:"x-permission"`
		}
		Components struct {
			Schemas map[string]struct {
				Required             []string
				AdditionalProperties any
			}
		}
	}
	if err := json.Unmarshal(doc, &parsed); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(parsed.OpenAPI, "3.1") {
		t.Errorf("version is %q", parsed.OpenAPI)
	}
	if _, twice := parsed.Paths["/old/boxes"]; twice {
		t.Error("an alias is a path of its own")
	}
	if _, ok := parsed.Paths["/shelf/boxes/"]["put"]; !ok {
		t.Error("the second method of a row is missing")
	}
	if got := parsed.Paths["/shelf/boxes/"]["delete"].Permission; len(got) != 1 || got[0] != "NodesWrite" {
		t.Errorf("x-permission is %v", got)
	}
	if s := parsed.Paths["/shelf/who"]["get"].Security; s == nil || len(*s) != 0 {
		t.Error("a public route asks for a token")
	}
	if got := parsed.Components.Schemas["Box"]; len(got.Required) != 1 || got.AdditionalProperties != nil {
		t.Errorf("schema of a lenient request: %+v", got)
	}
}

func TestDocumentIsTheSameEveryTime(t *testing.T) {
	first, err := shelfDialect().Document()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if again, _ := shelfDialect().Document(); !bytes.Equal(first, again) {
			t.Fatal("two documents of the same table differ")
		}
	}
}

func TestStrictDialectsDocumentForbidsUnknownMembers(t *testing.T) {
	d := shelfDialect()
	d.StrictJSON = true
	doc, err := d.Document()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(doc, []byte(`"additionalProperties": false`)) {
		t.Error("nothing forbids unknown members")
	}
}

func TestDocumentOfUndescribableTypeIsAnError(t *testing.T) {
	type odd struct {
		Size int `json:"size" example:"big"`
	}
	d := shelfDialect()
	d.Routes = []api.Route{api.Row("GET", "/odd", api.Public(), "Odd.", func(context.Context, api.Request[api.None, api.None]) (odd, error) {
		return odd{}, nil
	})}
	if _, err := d.Document(); err == nil || !strings.Contains(err.Error(), "describe shelf") {
		t.Errorf("Document returned %v", err)
	}
	if _, err := d.Page(); err == nil {
		t.Error("Page returned no error")
	}
}

func TestPageNeedsNoScriptAndNoStranger(t *testing.T) {
	d := shelfDialect()
	if err := d.Documented("/shelf/openapi.json", "/shelf/docs"); err != nil {
		t.Fatal(err)
	}
	mux := muxOf(t, d)
	page := call{method: "GET", path: "/shelf/docs/"}.do(t, mux)
	if page.Code != http.StatusOK || page.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("page: %d %s", page.Code, page.Header().Get("Content-Type"))
	}
	golden(t, "page.html", page.Body.Bytes())
	for _, forbidden := range []string{"<script", "style=", "<style", "http://", "https://", "javascript:", "onclick", "onload"} {
		if strings.Contains(page.Body.String(), forbidden) {
			t.Errorf("the page has %q", forbidden)
		}
	}
	if !strings.Contains(page.Body.String(), `href="/shelf/docs.css"`) {
		t.Error("the page has no stylesheet")
	}
	css := call{method: "GET", path: "/shelf/docs.css"}.do(t, mux)
	if css.Code != http.StatusOK || !strings.HasPrefix(css.Header().Get("Content-Type"), "text/css") || strings.Contains(css.Body.String(), "url(") {
		t.Errorf("stylesheet: %d %s", css.Code, css.Header().Get("Content-Type"))
	}
	doc := call{method: "GET", path: "/shelf/openapi.json"}.do(t, mux)
	if doc.Code != http.StatusOK || !json.Valid(doc.Body.Bytes()) || !strings.Contains(doc.Body.String(), `"/shelf/docs"`) {
		t.Errorf("document: %d", doc.Code)
	}
}

func TestPageAloneCarriesItsStyle(t *testing.T) {
	page, err := shelfDialect().Page()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(page, []byte("<style>:root")) {
		t.Error("no style in the page")
	}
}
