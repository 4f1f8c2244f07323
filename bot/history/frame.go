package history

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"escalator/bot/regular"
)

const (
	// headLen is a frame's head: the length of what follows, and the checksum of both.
	headLen = 8
	// metaLen is what stands before the entry: see meta.
	metaLen = 32
	// maxFrame bounds a frame without its head.
	maxFrame = 64 << 10
)

// position is where a frame begins: the number of its segment, and the place there.
// 0 is nowhere: segments are numbered from 1.
type position uint64

func at(segment uint32, offset int64) position { return position(segment)<<32 | position(offset) }

func (p position) segment() uint32 { return uint32(p >> 32) }
func (p position) offset() int64   { return int64(p & (1<<32 - 1)) }

// meta is what has to be known of an entry without reading it.
type meta struct {
	prev          position // the entry before it of the same conversation
	session, user uint64   // nameHash of both; 0: forgotten, or not known
	at            int64    // milliseconds since 1970
}

// nameHash stands for a session or a user. It is the same in every process, and nobody
// can make two names that share one.
func nameHash(name string) uint64 {
	if name == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(name))
	return binary.LittleEndian.Uint64(sum[:]) | 1
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal writes the head of a frame.
func seal(frame []byte) {
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-headLen))
	binary.LittleEndian.PutUint32(frame[4:], checksum(frame))
}

// checksum covers the length as well, so that zeros are no frame.
func checksum(frame []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, frame[:4]), castagnoli, frame[headLen:])
}

// appendFrame makes a frame of an encoded entry.
func appendFrame(b []byte, m meta, entry []byte) []byte {
	begin := len(b)
	b = append(b, make([]byte, headLen)...)
	for _, n := range []uint64{uint64(m.prev), m.session, m.user, uint64(m.at)} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	b = append(b, entry...)
	seal(b[begin:])
	return b
}

// frameLen returns the length of the frame that begins with head, its head included;
// 0 where none does.
func frameLen(head []byte) int {
	if n := binary.LittleEndian.Uint32(head); n >= metaLen && n <= maxFrame {
		return headLen + int(n)
	}
	return 0
}

// readFrame reads a frame. It is not ok where there is none, or it is damaged.
func readFrame(b []byte) (m meta, entry []byte, ok bool) {
	if len(b) < headLen || frameLen(b) == 0 || len(b) < frameLen(b) {
		return m, nil, false
	}
	if b = b[:frameLen(b)]; binary.LittleEndian.Uint32(b[4:]) != checksum(b) {
		return m, nil, false
	}
	number := func(n int) uint64 { return binary.LittleEndian.Uint64(b[headLen+8*n:]) }
	return meta{position(number(0)), number(1), number(2), int64(number(3))}, b[headLen+metaLen:], true
}

// forgotten overwrites an entry and whose it was. Its length stays, and where the entry
// before it is.
func forgotten(frame []byte) {
	clear(frame[headLen+8 : headLen+24])
	clear(frame[headLen+metaLen:])
	seal(frame)
}

// gap is a part of a file that holds no frame: an entry of which only a part was written, or that is damaged.
type gap struct{ from, to int64 }

// nearGap is how many zeros a gap may hold at a stretch, so that few gaps are told of whatever a file holds.
const nearGap = 4 << 10

// scan calls visit for each frame of a file, in their order, until that returns false. What is no frame is skipped, and
// returned where it is more than zeros.
func scan(path string, visit func(offset int64, m meta, frame []byte) bool) (gaps []gap, err error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was read
	return scanFrames(f, visit)
}

func scanFrames(from io.Reader, visit func(offset int64, m meta, frame []byte) bool) (gaps []gap, err error) {
	r := bufio.NewReaderSize(from, 4*(headLen+maxFrame))
	end := int64(0) // of the last frame
	for offset := int64(0); ; {
		head, err := r.Peek(headLen)
		if len(head) == 0 {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return gaps, err
		}
		if len(head) == headLen && frameLen(head) > 0 {
			frame, _ := r.Peek(frameLen(head))
			if m, _, ok := readFrame(frame); ok {
				if !visit(offset, m, frame) {
					return gaps, nil
				}
				_, _ = r.Discard(len(frame))
				offset += int64(len(frame))
				end = offset
				continue
			}
		}
		if head[0] != 0 {
			if n := len(gaps); n > 0 && gaps[n-1].to >= max(end, offset-nearGap) {
				gaps[n-1].to = offset + 1
			} else {
				gaps = append(gaps, gap{offset, offset + 1})
			}
		}
		_, _ = r.Discard(1)
		offset++
	}
}
