// Package web holds the pages of the web interface as they are delivered.
//
// Their source is in src; the build in dist is checked in, so that building the programs needs no Node.
package web

import (
	"embed"
	"io/fs"
)

//go:generate sh -c "npm ci && npm run build"

//go:embed all:dist
var dist embed.FS

// Files returns the built pages: index.html, routes.json, and assets with a hash of their content in their names.
func Files() (fs.FS, error) { return fs.Sub(dist, "dist") }
