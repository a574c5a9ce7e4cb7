package segment

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// writeFile writes a new file and syncs it. What fails leaves nothing behind.
func writeFile(path string, write func(*bufio.Writer) error) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // in the store's own folder
	if err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	out := bufio.NewWriterSize(f, 1<<20)
	if err = write(out); err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write segment: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}

// fileWriter writes blocks in the order of their series, and what comes before and behind them.
type fileWriter struct {
	out   *bufio.Writer
	salt  uint64
	place uint64
	foot  footer
	index []byte
	head  []byte

	since   int    // blocks behind the last one that is in the index
	indexed uint64 // where that one is
}

func newFileWriter(out *bufio.Writer) (*fileWriter, error) {
	var salt [8]byte
	_, _ = rand.Read(salt[:]) // never fails: crypto/rand ends the program instead
	if _, err := out.Write(append([]byte(magic), salt[:]...)); err != nil {
		return nil, err
	}
	return &fileWriter{out: out, salt: binary.LittleEndian.Uint64(salt[:]), place: headerSize}, nil
}

func (w *fileWriter) block(series uint32, body []byte) error {
	if w.since++; w.foot.blocks == 0 || w.since == indexEvery || w.place-w.indexed >= indexBytes {
		w.since, w.indexed = 0, w.place
		w.index = binary.LittleEndian.AppendUint32(w.index, series)
		w.index = binary.LittleEndian.AppendUint64(w.index, w.place)
	}
	w.foot.blocks++
	w.foot.samples += slotsIn(body)
	w.head = binary.AppendUvarint(w.head[:0], uint64(series))
	w.head = binary.AppendUvarint(w.head, uint64(len(body)))
	w.head = binary.LittleEndian.AppendUint32(w.head, checksum(w.salt+uint64(series), body))
	w.place += uint64(len(w.head) + len(body))
	if _, err := w.out.Write(w.head); err != nil {
		return err
	}
	_, err := w.out.Write(body)
	return err
}

// slotsIn returns how many slots the stretches of a block have.
func slotsIn(body []byte) (n uint64) {
	h, err := newHeads(body)
	for err == nil {
		var st Stretch
		var ok bool
		if st, _, ok, err = h.next(); !ok {
			break
		}
		n += uint64(st.Slots)
	}
	return n
}

// finish writes the index and the footer.
func (w *fileWriter) finish(from, to int64) error {
	w.foot.index, w.foot.entries = w.place, uint32(len(w.index)/entrySize)
	w.foot.from, w.foot.to, w.foot.sum = from, to, checksum(w.salt, w.index)
	_, err := w.out.Write(appendFooter(w.index, w.foot, w.salt))
	return err
}
