package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Text is a reply in plain text.
type Text string

// Responder is a reply that writes itself, for bodies that are not JSON or whose status depends.
type Responder interface {
	// Respond writes the reply. An error before the first byte is written becomes the dialect's failure.
	Respond(w http.ResponseWriter, r *http.Request) error
}

// write sends a handler's reply in the dialect's manner.
func (d *Dialect) write(w http.ResponseWriter, r *http.Request, status int, reply any) error {
	switch v := reply.(type) {
	case Responder:
		return v.Respond(w, r)
	case None:
		w.WriteHeader(status)
		return nil
	case Text:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, string(v)) // the client has gone; nobody is left to tell
		return nil
	}
	if d.Success != nil {
		return d.Success(w, r, status, reply)
	}
	return JSON(w, status, reply)
}

// JSON writes v as the whole reply. It encodes first, so that an error can still become a proper failure.
func JSON(w http.ResponseWriter, status int, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode reply: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(buf.Bytes()) // the client has gone; nobody is left to tell
	return nil
}
