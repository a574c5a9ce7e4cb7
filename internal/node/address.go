package node

import (
	"net"
	"net/netip"
	"regexp"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// ParseMAC returns a MAC address in lower case with colons. It reads the four usual forms in any case:
// 11:22:33:aa:bb:cc, 11-22-33-aa-bb-cc, 1122.33aa.bbcc and 112233aabbcc. fault.Invalid for everything else, for the
// zero and the broadcast address.
func ParseMAC(s string) (string, error) {
	text := s
	if len(text) == 12 && !strings.ContainsAny(text, ":-.") {
		text = text[:4] + "." + text[4:8] + "." + text[8:]
	}
	hw, err := net.ParseMAC(text)
	if err != nil || len(hw) != 6 {
		return "", fault.New(fault.Invalid, "MAC address %q is not valid: six bytes are expected, as in 11:22:33:aa:bb:cc", s)
	}
	mac := hw.String()
	if mac == "00:00:00:00:00:00" || mac == "ff:ff:ff:ff:ff:ff" {
		return "", fault.New(fault.Invalid, "MAC address %q belongs to no machine", s)
	}
	return mac, nil
}

// parseIP returns an IPv4 address in its usual form.
func parseIP(s string) (string, error) {
	ip, err := netip.ParseAddr(s)
	if err != nil || !ip.Is4() {
		return "", fault.New(fault.Invalid, "IP address %q is not valid: an IPv4 address is expected, as in 10.1.2.3", s)
	}
	return ip.String(), nil
}

var (
	validName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.+-]{0,127}$`)
	// validHost is what schedulers report; they know hosts whose names begin with a digit.
	validHost = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$`)
	looksUID  = regexp.MustCompile(`^[0-9a-f]{32}$`)
	uidPrefix = regexp.MustCompile(`^[0-9a-f]{5,32}$`)
)

// validateName checks a name that a person gives to a node or a group. what is the word for it in the message.
func validateName(what, name string) error {
	if !validName.MatchString(name) {
		return fault.New(fault.Invalid, "%s name %q is not valid: 1 to 128 letters, digits or _ . + -, beginning with a letter", what, name)
	}
	if looksUID.MatchString(name) {
		return fault.New(fault.Invalid, "%s name %q is not valid: it looks like a UID", what, name)
	}
	return nil
}

// masked stands for a password that is not shown.
const masked = "********"

// maskPassword hides the password in a URI such as ipmi://user:password@host. The text need not be a proper URI, since
// it may hold placeholders.
func maskPassword(uri string) string {
	scheme, rest, found := strings.Cut(uri, "://")
	if !found {
		return uri
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 || strings.LastIndex(rest, "@") > end {
		end = len(rest) // a slash inside the password must not reveal the rest of it
	}
	at := strings.LastIndex(rest[:end], "@")
	if at < 0 {
		return uri
	}
	user, _, found := strings.Cut(rest[:at], ":")
	if !found {
		return uri
	}
	return scheme + "://" + user + ":" + masked + rest[at:]
}
