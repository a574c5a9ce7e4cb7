package metricstore

import (
	"encoding/binary"
	"errors"
	"slices"
)

// maxName is the length of the longest name in a key.
const maxName = 255

// ErrName is the error for a key with a name longer than 255 bytes, or without cluster, host or metric.
var ErrName = errors.New("a name is missing or longer than 255 bytes")

// Key names a series. Type and TypeID name a device of the host, e.g. "hwthread" and "17", SubType and SubTypeID a part
// of it; they are empty for the host itself.
type Key struct {
	Cluster, Host, Metric string
	Type, TypeID          string
	SubType, SubTypeID    string
}

// Labels is a key in bytes that belong to the caller, as a parser has them.
type Labels struct {
	Cluster, Host, Metric []byte
	Type, TypeID          []byte
	SubType, SubTypeID    []byte
}

// Labels returns the key in bytes.
func (k Key) Labels() Labels {
	return Labels{
		Cluster: []byte(k.Cluster), Host: []byte(k.Host), Metric: []byte(k.Metric),
		Type: []byte(k.Type), TypeID: []byte(k.TypeID), SubType: []byte(k.SubType), SubTypeID: []byte(k.SubTypeID),
	}
}

// Path returns where the series hangs in the tree of cluster, host, device and part of a device. The name of a device
// is its type and its id written together.
func (k Key) Path() []string {
	path := []string{k.Cluster, k.Host}
	if device := k.Type + k.TypeID; device != "" {
		path = append(path, device)
	}
	if part := k.SubType + k.SubTypeID; part != "" {
		path = append(path, part)
	}
	return path
}

// below reports whether the series hangs at path or below.
func (s *series) below(path []string) bool {
	if len(path) <= 2 { // most are about hosts, and need no names of devices
		own := [2]string{s.host.cluster, s.host.name}
		return slices.Equal(path, own[:len(path)])
	}
	own := s.fullKey().Path()
	if len(path) > len(own) {
		return false
	}
	for i, name := range path {
		if own[i] != name {
			return false
		}
	}
	return true
}

// valid reports whether the names may be stored.
func (l *Labels) valid() bool {
	longest := max(len(l.Cluster), len(l.Host), len(l.Metric), len(l.Type), len(l.TypeID), len(l.SubType), len(l.SubTypeID))
	return longest <= maxName && len(l.Cluster) > 0 && len(l.Host) > 0 && len(l.Metric) > 0
}

// appendHostID appends what identifies a host: the names behind their lengths, so that no name can be mistaken for two.
func appendHostID(dst, cluster, host []byte) []byte {
	return appendName(appendName(dst, cluster), host)
}

// appendSeriesID appends what identifies a series among those of its host. The step belongs to it: when a metric is
// measured in other steps from now on, that makes another series.
func appendSeriesID(dst []byte, l *Labels, step int64) []byte {
	dst = appendName(dst, l.Metric)
	dst = appendName(dst, l.Type)
	dst = appendName(dst, l.TypeID)
	dst = appendName(dst, l.SubType)
	dst = appendName(dst, l.SubTypeID)
	return binary.AppendVarint(dst, step)
}

// appendName appends a name of at most maxName bytes behind its length.
func appendName(dst, name []byte) []byte {
	return append(append(dst, byte(len(name))), name...)
}
