package promql

import (
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// maxForm is the length of the longest question in bytes.
const maxForm = 1 << 20

// params are the parameters of a question, from the URL and from a form. Reading one that is wrong sets err.
type params struct {
	url.Values
	err error
}

// paramsOf returns the parameters of a request. What stands in the form comes first, as with Prometheus.
func paramsOf(r *http.Request, body api.RawBody) (*params, error) {
	p := &params{Values: r.URL.Query()}
	if r.Method != http.MethodPost {
		return p, nil
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, api.BodyError(err)
	}
	if len(text) == 0 {
		return p, nil
	}
	if form, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); form != "application/x-www-form-urlencoded" {
		return nil, fault.New(fault.Invalid, "the body has to be a form: application/x-www-form-urlencoded")
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, fault.Because(fault.Invalid, err, "the form cannot be read: %s", err)
	}
	for name, values := range form {
		p.Values[name] = append(values, p.Values[name]...)
	}
	return p, nil
}

func (p *params) fail(name, want string) {
	if p.err == nil {
		p.err = fault.New(fault.Invalid, "parameter %s: %q is no %s", name, p.Get(name), want)
	}
}

// time reads a time in Unix seconds or as RFC 3339.
func (p *params) time(name string, absent time.Time) time.Time {
	text := p.Get(name)
	if text == "" {
		return absent
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(seconds) < 1e12 {
		whole, fraction := math.Modf(seconds)
		return time.Unix(int64(whole), int64(math.Round(fraction*1000))*int64(time.Millisecond)).UTC()
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		p.fail(name, "time in Unix seconds or as RFC 3339")
	}
	return t
}

// duration reads a length of time in seconds or with units.
func (p *params) duration(name string, absent time.Duration) time.Duration {
	text := p.Get(name)
	if text == "" {
		return absent
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(seconds) < maxSeconds {
		return time.Duration(seconds * float64(time.Second))
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		p.fail(name, "length of time such as 30, 30s or 5m")
	}
	return time.Duration(d)
}

// maxSeconds is more than any length of time has, and as much as one can have here.
const maxSeconds = 9e9

// bound looks at a bound of a time for which nothing is left out, and only refuses what is none. Clients that mean all
// of time send the least and the greatest time that they know.
func (p *params) bound(name string) {
	text := p.Get(name)
	if _, err := strconv.ParseFloat(text, 64); err == nil || text == leastTime || text == greatestTime {
		return
	}
	p.time(name, time.Time{})
}

// The bounds of all time, as Prometheus and its clients write them; no library reads them.
const (
	leastTime    = "-292273086-05-16T16:47:06Z"
	greatestTime = "292277025-08-18T07:12:54.999999999Z"
)

// timeout reads how long an answer may take, at most limit.
func (p *params) timeout(limit time.Duration) time.Duration {
	if d := p.duration("timeout", limit); d > 0 {
		return min(d, limit)
	}
	return limit
}

// selectors reads the selectors match[].
func (p *params) selectors() ([]matchers, error) {
	var all []matchers
	for _, text := range p.Values["match[]"] {
		ms, err := parser.NewParser(parser.Options{}).ParseMetricSelector(text)
		if err != nil {
			return nil, fault.Because(fault.Invalid, err, "match[]: %q cannot be read: %s", text, err)
		}
		all = append(all, ms)
	}
	return all, nil
}
