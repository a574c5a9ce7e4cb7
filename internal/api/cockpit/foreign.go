package cockpit

import (
	"net/http"
	"net/url"
)

// fromElsewhere reports whether a browser says that a page of another origin has sent r. The check that stands before
// all doors lets every GET pass, since reading changes nothing; a route whose GET does change something asks here.
// Browsers that leave out where a request comes from name the page that sent it. What says neither is no browser.
func fromElsewhere(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
		page, err := url.Parse(r.Referer())
		return err != nil || r.Referer() != "" && page.Host != r.Host
	default:
		return true
	}
}
