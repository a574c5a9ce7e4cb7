package webui_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/webui"
	"github.com/bridgehead-hpc/bridgehead/web"
)

func files(t *testing.T) fs.FS {
	t.Helper()
	files, err := web.Files()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTheBuildIsServed(t *testing.T) {
	h, err := webui.New(files(t))
	if err != nil {
		t.Fatal(err)
	}
	index, err := fs.ReadFile(files(t), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(string(index), -1)
	if len(links) < 3 {
		t.Fatalf("index.html names %d files; script, style and icon were expected", len(links))
	}
	paths := []string{"/", "/login", "/monitoring/jobs/", "/monitoring/job/1", "/nodes", "/users", "/account", "/admin/tokens", "/admin/roles", "/admin/audit", "/monitoring/user/alice"}
	for _, l := range links {
		paths = append(paths, l[1])
	}
	for _, path := range paths {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			t.Errorf("GET %s: status %d", path, w.Code)
		}
	}
}

// What stands in the document itself would be blocked by its own policy.
func TestTheBuildHasNothingInline(t *testing.T) {
	index, err := fs.ReadFile(files(t), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<style", "style=", "onload=", "javascript:"} {
		if strings.Contains(string(index), bad) {
			t.Errorf("index.html has %q", bad)
		}
	}
	if m := regexp.MustCompile(`<script[^>]*>[^<]`).Find(index); m != nil {
		t.Errorf("index.html has a script of its own: %q", m)
	}
}

func TestTheBuildNamesNoOtherHost(t *testing.T) {
	address := regexp.MustCompile(`https?://[a-z0-9.-]+`)
	// Names of XML vocabularies and links to explanations of errors in the framework: neither is ever fetched.
	harmless := regexp.MustCompile(`^https?://(www\.w3\.org|svelte\.dev)$`)
	err := fs.WalkDir(files(t), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files(t), name)
		for _, found := range address.FindAllString(string(data), -1) {
			if !harmless.MatchString(found) {
				t.Errorf("%s names %s", name, found)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// All pages together, not compressed. An interface that outgrows this does so by a decision, not by accident. What a first
// visit loads is measured in the browser: see test/browser.
func TestTheBuildStaysWithinItsBudget(t *testing.T) {
	const budget = 360_000
	total := 0
	err := fs.WalkDir(files(t), "assets", func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			total += int(info.Size())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if total > budget {
		t.Errorf("the assets have %d bytes, the budget is %d", total, budget)
	}
}
