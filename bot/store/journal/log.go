package journal

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
)

const (
	// frameHead is the length of a frame's payload, and the checksum of both.
	frameHead = 8
	// maxFrame bounds a payload; nothing of ours comes near it.
	maxFrame = 1 << 20
	// format is the version of what is written.
	format = "1"
)

// A payload is a list of keys with values. A key begins with what it is the key of.
const (
	ofConversation = 'c' // id: state
	ofCallback     = 'a' // memory.Key: see appendAnswer
	ofTransfer     = 't' // id: JSON
	ofRecord       = 'r' // see recordKey: see appendRecord
	ofSegment      = 'S' // format: number and end of the segment before; begins a segment
	ofSynced       = 'Y' // nothing: up to where the segment was synced when this was written
	ofBase         = 'B' // nothing: a segment; what was written before it does not count
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum covers the length as well, so that zeros are no frame.
func checksum(frame []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, frame[:4]), castagnoli, frame[frameHead:])
}

// appendFrame makes a frame of what entries appends; one that is empty or too long is
// left out.
func appendFrame(b []byte, entries func([]byte) []byte) []byte {
	at := len(b)
	b = entries(append(b, make([]byte, frameHead)...))
	n := len(b) - at - frameHead
	if n == 0 || n > maxFrame {
		return b[:at]
	}
	binary.LittleEndian.PutUint32(b[at:], uint32(n))
	binary.LittleEndian.PutUint32(b[at+4:], checksum(b[at:]))
	return b
}

// appendEntry appends a key and what value appends; nil: the key is gone.
func appendEntry(b []byte, of byte, key string, value func([]byte) []byte) []byte {
	b = append(binary.AppendUvarint(b, uint64(1+len(key))), of)
	b = append(b, key...)
	at := len(b)
	b = binary.LittleEndian.AppendUint32(b, math.MaxUint32)
	if value != nil {
		b = value(b)
		binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	}
	return b
}

// appendFixed appends a frame of one entry whose value is there; nil: the key is gone.
func appendFixed(b []byte, of byte, key string, value []byte) []byte {
	return appendFrame(b, func(b []byte) []byte {
		if value == nil {
			return appendEntry(b, of, key, nil)
		}
		return appendEntry(b, of, key, func(b []byte) []byte { return append(b, value...) })
	})
}

func numbers(all ...int64) (b []byte) {
	for _, n := range all {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

var errEntry = errors.New("it holds an entry that this version cannot read")

// nextEntry takes the first entry off a payload; a value that is nil is gone.
func nextEntry(b []byte) (key, value, rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n == 0 || n > uint64(len(b)-size) || len(b)-size-int(n) < 4 {
		return nil, nil, nil, errEntry
	}
	b = b[size:]
	key, b = b[:n], b[n:]
	length := binary.LittleEndian.Uint32(b)
	switch b = b[4:]; {
	case length == math.MaxUint32:
		return key, nil, b, nil
	case int64(length) > int64(len(b)):
		return nil, nil, nil, errEntry
	}
	return key, b[:length:length], b[length:], nil
}

// unknown says that nobody knows up to where a file was synced once.
const unknown = -1

// scanned is what a scan has found: where the last frame ends, how many bytes are none
// though they were synced once, and whether there is something behind the end that is.
type scanned struct {
	end, lost int64
	torn      bool
}

// scan calls take for each payload. Bytes that are no frame are skipped where all was
// synced once: there they are damage. Elsewhere they are the end: of what is not synced
// a loss of power leaves any part. Where that is unknown, zeros are the end.
func scan(in folder, name string, limit, certain int64, take func(payload []byte)) (r scanned, err error) {
	f, err := in.open(name)
	if err != nil {
		return r, err
	}
	defer f.Close()
	from := bufio.NewReaderSize(io.LimitReader(f, limit), frameHead+maxFrame)
	for at := int64(0); ; {
		head, err := from.Peek(frameHead)
		if len(head) == 0 {
			if r.lost += at - r.end; errors.Is(err, io.EOF) {
				err = nil
			}
			return r, err
		}
		if frame := frameAt(from, head); frame != nil {
			take(frame[frameHead:])
			r.lost += at - r.end
			at += int64(len(frame))
			r.end = at
			_, _ = from.Discard(len(frame))
			continue
		}
		zeros := len(bytes.Trim(head, "\x00")) == 0
		if at == r.end && (certain == unknown && zeros || certain != unknown && at >= certain) {
			r.torn = !zeros
			return r, nil
		}
		_, _ = from.Discard(1)
		at++
	}
}

// frameAt returns the frame that begins here, nil if none does.
func frameAt(from *bufio.Reader, head []byte) []byte {
	if len(head) < frameHead {
		return nil
	}
	n := int64(binary.LittleEndian.Uint32(head))
	if n == 0 || n > maxFrame {
		return nil
	}
	frame, _ := from.Peek(frameHead + int(n))
	if len(frame) < frameHead+int(n) || binary.LittleEndian.Uint32(frame[4:]) != checksum(frame) {
		return nil
	}
	return frame
}
