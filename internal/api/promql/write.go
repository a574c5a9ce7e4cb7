package promql

import (
	"bytes"
	"context"
	"errors"
	"mime"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// maxCompressed is the largest body of samples in bytes, as sent. Senders make bodies of a few hundred kilobytes.
const maxCompressed = 16 << 20

// writeParams are the parameters of a write.
type writeParams struct {
	Cluster string `query:"cluster" doc:"The cluster of series that have no label cluster." example:"alpha"`
	// Encoding decides; without it, bodies are compressed with snappy, which no sender has ever had to say.
	Encoding string `header:"Content-Encoding" doc:"snappy, or zstd as vmagent sends it."`
	Type     string `header:"Content-Type" doc:"application/x-protobuf; another message than prometheus.WriteRequest is refused with 415."`
}

// buffers are a body as sent, and decompressed.
type buffers struct {
	sent    bytes.Buffer
	decoded []byte
}

func (d *dialect) write(ctx context.Context, r api.Request[writeParams, api.RawBody]) (api.None, error) {
	if err := checkForm(r.Params.Type); err != nil {
		return api.None{}, err
	}
	b, ok := d.buffers.Get().(*buffers)
	if !ok {
		b = new(buffers)
	}
	defer d.buffers.Put(b)
	request, err := b.read(r.Body, d.decoders.of(r.Params.Encoding))
	if err != nil {
		return api.None{}, err
	}
	result, err := d.Metrics.WriteSamples(ctx, metric.Source{Cluster: r.Params.Cluster, Name: r.User.Name, Reaches: reach(r.Caller)}, request.samples)
	if err != nil {
		return api.None{}, err
	}
	if result.Rejected > 0 {
		return api.None{}, refusal(result)
	}
	return api.None{}, nil
}

// checkForm refuses messages that are no prometheus.WriteRequest.
func checkForm(contentType string) error {
	if contentType == "" {
		return nil
	}
	form, params, err := mime.ParseMediaType(contentType)
	message := params["proto"]
	if err == nil && form == "application/x-protobuf" && (message == "" || message == "prometheus.WriteRequest") {
		return nil
	}
	return fault.Because(fault.Invalid, errForm, "the content type %q is not supported: application/x-protobuf with a prometheus.WriteRequest is (remote write 1.0)", contentType)
}

// read decompresses and checks a body. What it returns is good until b is used again.
func (b *buffers) read(body api.RawBody, decode decoder) (writeRequest, error) {
	b.sent.Reset()
	if _, err := b.sent.ReadFrom(body); err != nil {
		return writeRequest{}, api.BodyError(err)
	}
	decoded, err := decode(b.decoded[:0], b.sent.Bytes())
	if err != nil {
		return writeRequest{}, err
	}
	b.decoded = decoded
	request := writeRequest(decoded)
	if err := request.check(); err != nil {
		return writeRequest{}, fault.Because(fault.Invalid, err, "the body is no prometheus.WriteRequest: %s", err)
	}
	return request, nil
}

// refusal is the failure of a batch in which samples were wrong.
func refusal(result metric.WriteResult) error {
	return fault.Because(fault.Invalid, errors.New("samples rejected"), "%d samples were stored, %d were not: %s", result.Taken, result.Rejected, result.Reasons("sample"))
}

// reach returns into which clusters the caller's credential reaches, nil for all.
func reach(c identity.Caller) func(cluster string) bool {
	if c.Clusters == nil {
		return nil
	}
	return c.InCluster
}
