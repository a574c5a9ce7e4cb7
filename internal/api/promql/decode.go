package promql

import (
	"errors"
	"fmt"
	"strings"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// maxDecoded is the largest body of samples in bytes, decompressed.
const maxDecoded = 64 << 20

// decoder decompresses a body, into dst if that is large enough.
type decoder func(dst, sent []byte) ([]byte, error)

// decoders has a decoder for each content encoding that senders use. Prometheus compresses with snappy, which old agents do
// not say; vmagent tries zstd first.
type decoders struct {
	zstd *zstd.Decoder
	err  error // why there is none
}

func newDecoders() decoders {
	z, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxDecoded))
	return decoders{z, err}
}

// of returns the decoder for a value of the header Content-Encoding.
func (d decoders) of(encoding string) decoder {
	if strings.EqualFold(encoding, "zstd") {
		return d.inZstd
	}
	return inSnappy
}

func (d decoders) inZstd(dst, sent []byte) ([]byte, error) {
	if d.err != nil {
		return nil, fmt.Errorf("set up zstd: %w", d.err)
	}
	decoded, err := d.zstd.DecodeAll(sent, dst)
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return nil, tooLarge()
	}
	if err != nil {
		return nil, fault.Because(fault.Invalid, err, "the body is not compressed with zstd, as Content-Encoding says")
	}
	return decoded, nil
}

func inSnappy(dst, sent []byte) ([]byte, error) {
	n, err := snappy.DecodedLen(sent)
	if err != nil {
		return nil, fault.Because(fault.Invalid, err, "the body is not compressed with snappy")
	}
	if n > maxDecoded {
		return nil, tooLarge()
	}
	if n > cap(dst) {
		dst = make([]byte, n)
	}
	decoded, err := snappy.Decode(dst[:cap(dst)], sent)
	if err != nil {
		return nil, fault.Because(fault.Invalid, err, "the body is not compressed with snappy")
	}
	return decoded, nil
}

func tooLarge() error {
	return fault.New(fault.TooLarge, "the body has more than %d bytes when it is decompressed", maxDecoded)
}
