package access

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// Where clients of InfluxDB write. The older ones, of InfluxDB 1, ask at the second of their paths for a database.
const (
	influxWrite    = "/api/v2/write"
	influxOldWrite = "/write"
	influxOldQuery = "/query"
)

// InfluxToken returns the token of a client of InfluxDB that has its own way to send one: behind the word Token, or, to
// the older interface, as the password of Basic, whatever the user is called. Without one it returns "". The error,
// fault.Unauthenticated, says why what was sent cannot be used.
func InfluxToken(r *http.Request) (string, error) {
	where := path.Clean(r.URL.Path)
	old := isOldInflux(where)
	if old {
		if err := checkURL(r.URL.Query()); err != nil {
			return "", err
		}
	}
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case old && strings.EqualFold(scheme, "Basic"):
		return password(rest)
	case (old || where == influxWrite) && strings.EqualFold(scheme, "Token"):
		return rest, nil
	default:
		return "", nil
	}
}

func isOldInflux(where string) bool { return where == influxOldWrite || where == influxOldQuery }

// checkURL refuses credentials in an address, where clients of InfluxDB 1 may put them: addresses end up in logs.
func checkURL(q url.Values) error {
	if q.Has("u") || q.Has("p") {
		return fault.New(fault.Unauthenticated, "a token does not belong in an address (u=, p=), which is logged on its way: send it in the header Authorization, as the password of Basic or behind the word Token")
	}
	return nil
}

// password returns the password of Basic credentials, which is the token.
func password(credentials string) (string, error) {
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(credentials))
	_, password, ok := strings.Cut(string(text), ":")
	if err != nil || !ok || password == "" {
		return "", fault.New(fault.Unauthenticated, "the credentials of Basic cannot be used: a token is expected as the password")
	}
	return password, nil
}
