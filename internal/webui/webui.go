// Package webui serves the built web interface with the headers that keep it safe and fast.
//
// Every page is the same document, index.html: the script in it looks at the path and shows the page. Nothing in it is
// secret or personal; what a user may see, the interfaces decide when the script asks them.
package webui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
)

// Handler serves pages and assets. It is read-only after New.
type Handler struct {
	head, tail []byte // index.html before and from the end of its head
	pages      *http.ServeMux
	assets     map[string]asset // by path, with the leading slash
}

// New returns a handler for the build in files: index.html, routes.json (an object of path patterns, one a page) and
// the folder assets. Assets are compressed once, here.
func New(files fs.FS) (*Handler, error) {
	h := &Handler{pages: http.NewServeMux(), assets: map[string]asset{}}
	if err := h.readIndex(files); err != nil {
		return nil, fmt.Errorf("read web interface: %w", err)
	}
	if err := h.readRoutes(files); err != nil {
		return nil, fmt.Errorf("read web interface: %w", err)
	}
	if err := h.readAssets(files); err != nil {
		return nil, fmt.Errorf("read web interface: %w", err)
	}
	return h, nil
}

var endOfHead = []byte("</head>")

func (h *Handler) readIndex(files fs.FS) error {
	index, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return err
	}
	at := bytes.Index(index, endOfHead)
	if at < 0 {
		return errors.New("index.html has no head")
	}
	h.head, h.tail = index[:at], index[at:]
	return nil
}

func (h *Handler) readRoutes(files fs.FS) error {
	data, err := fs.ReadFile(files, "routes.json")
	if err != nil {
		return err
	}
	var routes map[string]string
	if err := json.Unmarshal(data, &routes); err != nil {
		return fmt.Errorf("routes.json: %w", err)
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { h.writePage(w, http.StatusOK, "") })
	for _, pattern := range routes {
		// A page has one address with or without a slash at the end.
		trimmed := strings.TrimRight(pattern, "/")
		if trimmed != "" {
			h.pages.Handle(trimmed, page)
		}
		h.pages.Handle(trimmed+"/{$}", page)
	}
	return nil
}

func (h *Handler) readAssets(files fs.FS) error {
	return fs.WalkDir(files, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		h.assets["/"+name], err = newAsset(path.Ext(name), data)
		return err
	})
}

// ServeHTTP answers with an asset, a page, or 404: as a page below a path that people may have typed, as plain text
// where a script or a style sheet was expected.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header(), r.TLS != nil)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/assets/") {
		h.serveAsset(w, r)
		return
	}
	if page, pattern := h.pages.Handler(r); pattern != "" {
		page.ServeHTTP(w, r)
		return
	}
	h.writePage(w, http.StatusNotFound, "")
}

func (h *Handler) serveAsset(w http.ResponseWriter, r *http.Request) {
	a, ok := h.assets[r.URL.Path]
	if !ok {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	a.serve(w, r)
}

// Login writes the login page with the given status. A message tells why: it stands in the document's head, where the
// script of the page reads it, as login-error when the status is a failure and as login-notice otherwise.
func (h *Handler) Login(w http.ResponseWriter, r *http.Request, status int, message string) {
	setSecurityHeaders(w.Header(), r.TLS != nil)
	meta := ""
	if message != "" {
		name := "login-notice"
		if status >= http.StatusBadRequest {
			name = "login-error"
		}
		meta = `<meta name="` + name + `" content="` + html.EscapeString(message) + `">`
	}
	h.writePage(w, status, meta)
}

// writePage sends index.html with something more in its head. It is never cached: it names the assets of this build.
func (h *Handler) writePage(w http.ResponseWriter, status int, meta string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(slices.Concat(h.head, []byte(meta), h.tail)) // the client has gone; nobody is left to tell
}

// policy lets the pages use what this server sends and nothing else; no script or style stands in the document itself.
const policy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; " +
	"base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

// setSecurityHeaders is contract clustercockpit 0.4, with a policy for everything that the pages load.
func setSecurityHeaders(h http.Header, overTLS bool) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	if overTLS {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
