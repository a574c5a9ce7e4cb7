package metric

import (
	"errors"
	"fmt"
)

// tags reads the tags into l and returns what follows them.
func (p *Parser) tags(b []byte, l *Line) ([]byte, error) {
	var host []byte
	for len(b) > 0 && b[0] == ',' {
		key, rest, err := p.anyName(b[1:], true)
		if err != nil {
			return nil, err
		}
		if len(key) == 0 || len(rest) == 0 || rest[0] != '=' {
			return nil, fmt.Errorf("tag %q has no value", clip(key))
		}
		value, rest, err := p.anyName(rest[1:], true)
		if err != nil {
			return nil, err
		}
		if len(value) == 0 {
			return nil, fmt.Errorf("tag %q has no value", clip(key))
		}
		if len(rest) > 0 && rest[0] == '=' {
			return nil, fmt.Errorf("tag %.40q: an equals sign in a value is written \\=", key)
		}
		if to := l.tag(key, &host); to != nil {
			if err := keep(to, key, value); err != nil {
				return nil, err
			}
		} else if p.other != nil {
			p.other(key, value)
		}
		b = rest
	}
	if len(l.Host) == 0 {
		l.Host = host
	}
	return b, nil
}

// keep puts the value of a tag where it belongs.
func keep(to *[]byte, key, value []byte) error {
	if len(*to) > 0 {
		return fmt.Errorf("tag %q is there twice", key)
	}
	if len(value) > MaxName {
		return tooLong(value)
	}
	*to = value
	return nil
}

// tag returns where the value of a tag belongs, nil when it means nothing to us. host is for the tag that names the host
// only when no other does.
func (l *Line) tag(key []byte, host *[]byte) *[]byte {
	switch string(key) {
	case "cluster":
		return &l.Cluster
	case "hostname":
		return &l.Host
	case "host":
		return host
	case "type":
		return &l.Type
	case "type-id":
		return &l.TypeID
	case "stype":
		return &l.SubType
	case "stype-id":
		return &l.SubTypeID
	default:
		return nil
	}
}

// check refuses what has no host or could lead out of a folder, and brings the device into its usual form.
func (l *Line) check() error {
	if len(l.Host) == 0 {
		return errors.New("tag hostname is missing")
	}
	for _, name := range [...][]byte{l.Cluster, l.Host} {
		if err := checkPlace(name); err != nil {
			return err
		}
	}
	if string(l.Type) == string(ScopeNode) {
		l.Type = nil
	}
	if len(l.Type) == 0 {
		l.TypeID = nil // "type=node,type-id=0" is the node itself
	}
	if len(l.SubType) == 0 {
		l.SubTypeID = nil
	}
	return nil
}

var thread = []byte(ScopeHWThread)
