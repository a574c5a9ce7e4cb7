package metricstore

import (
	"encoding/binary"
	"errors"
	"math"
)

// What stands in a record's payload: entries, each beginning with one of these bytes. docs/format/metricstore.md is the
// description; numbers are never used again for something else.
const (
	entryDefine  = 1 // log: a series and the number that stands for it in this file
	entrySamples = 2 // log: samples
	entryFree    = 3 // log: samples were freed
	entrySeries  = 4 // checkpoint: a series with the samples that are in no segment
	entryEnd     = 5 // checkpoint: the end of a complete file
	entryRollup  = 6 // checkpoint: what is rolled up of a metric on a host
)

// errEntry is the error for an intact record that makes no sense.
var errEntry = errors.New("the record does not hold what it should")

// appendDefine appends the entry that introduces a series.
func appendDefine(dst []byte, s *series) []byte {
	dst = binary.AppendUvarint(append(dst, entryDefine), uint64(s.ref))
	return appendIdentity(dst, s)
}

func appendIdentity(dst []byte, s *series) []byte {
	dst = binary.AppendUvarint(dst, uint64(s.step))
	dst = binary.AppendUvarint(dst, uint64(s.phase))
	for _, name := range [...]string{
		s.host.cluster, s.host.name, s.key.Metric, s.key.Type, s.key.TypeID, s.key.SubType, s.key.SubTypeID,
	} {
		dst = append(append(dst, byte(len(name))), name...)
	}
	return dst
}

// appendSamples appends the entry for samples of series that were introduced before.
func appendSamples(dst []byte, samples []sample) []byte {
	base := samples[0].time
	dst = binary.AppendUvarint(append(dst, entrySamples), uint64(len(samples)))
	dst = binary.AppendVarint(dst, base)
	for i := range samples {
		p := &samples[i]
		dst = binary.AppendUvarint(dst, uint64(p.series.ref))
		dst = binary.AppendVarint(dst, p.time-base)
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(p.value))
	}
	return dst
}

// appendFree appends the entry that says that the samples below path were freed up to a time. It stands in the log of
// each shard, and is about the hosts of that shard only: those of others have an order of their own.
func appendFree(dst []byte, of division, path []string, before int64) []byte {
	dst = binary.AppendVarint(append(dst, entryFree), before)
	dst = binary.AppendUvarint(dst, of.shard)
	dst = binary.AppendUvarint(dst, of.shards)
	dst = binary.AppendUvarint(dst, uint64(len(path)))
	for _, name := range path {
		dst = append(binary.AppendUvarint(dst, uint64(len(name))), name...)
	}
	return dst
}

// decoder takes a payload apart. After a failure all results are zero and failed is true.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) fail() {
	d.rest, d.failed = nil, true
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.fail()
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// bytes returns the next n bytes.
func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.fail()
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) float() float64 {
	b := d.bytes(8)
	if b == nil {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

// identity reads what appendIdentity has written.
func (d *decoder) identity() (l Labels, step, phase int64) {
	step, phase = int64(d.uvarint()), int64(d.uvarint())
	for _, name := range [...]*[]byte{&l.Cluster, &l.Host, &l.Metric, &l.Type, &l.TypeID, &l.SubType, &l.SubTypeID} {
		*name = d.bytes(uint64(d.byte()))
	}
	if step < 1 || step > math.MaxInt32 || phase < 0 || phase >= step || !l.valid() {
		d.fail()
	}
	return l, step, phase
}
