package checkpoint_test

import (
	"encoding/binary"
	"hash/crc32"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// level is a host, a device or a part of one, as files hold it.
type level struct {
	metrics  map[string]stored
	children map[string]level
}

type stored struct {
	frequency, start int64
	data             []float32
}

var le = binary.LittleEndian

func name16(dst []byte, name string) []byte {
	return append(le.AppendUint16(dst, uint16(len(name))), name...)
}

// snapshot is a file <from>.bin.
func snapshot(from, to int64, host level) []byte {
	b := le.AppendUint32(nil, 0xCC5B0001)
	b = le.AppendUint64(b, uint64(from))
	b = le.AppendUint64(b, uint64(to))
	return host.append(b)
}

func (l level) append(b []byte) []byte {
	b = le.AppendUint32(b, uint32(len(l.metrics)))
	for _, name := range slices.Sorted(maps.Keys(l.metrics)) {
		m := l.metrics[name]
		b = name16(b, name)
		b = le.AppendUint64(b, uint64(m.frequency))
		b = le.AppendUint64(b, uint64(m.start))
		b = le.AppendUint32(b, uint32(len(m.data)))
		for _, v := range m.data {
			b = le.AppendUint32(b, math.Float32bits(v))
		}
	}
	b = le.AppendUint32(b, uint32(len(l.children)))
	for _, name := range slices.Sorted(maps.Keys(l.children)) {
		b = l.children[name].append(name16(b, name))
	}
	return b
}

// log is a file current.wal.
func log(records ...[]byte) []byte {
	return slices.Concat(append([][]byte{le.AppendUint32(nil, 0xCC1DA701)}, records...)...)
}

// record is the sample of a series in such a file.
func record(t int64, v float32, metric string, levels ...string) []byte {
	p := le.AppendUint64(nil, uint64(t))
	p = name16(p, metric)
	p = append(p, byte(len(levels)))
	for _, l := range levels {
		p = append(append(p, byte(len(l))), l...)
	}
	p = le.AppendUint32(p, math.Float32bits(v))
	b := le.AppendUint32(nil, 0xCC1DA7A1)
	b = append(le.AppendUint32(b, uint32(len(p))), p...)
	return le.AppendUint32(b, crc32.ChecksumIEEE(p))
}

// lay writes files below dir.
func lay(tb testing.TB, dir string, files map[string][]byte) {
	tb.Helper()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
}

var gap = float32(math.NaN())
