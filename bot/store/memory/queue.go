package memory

import "strings"

// queue is first in, first out. It is a chain of short pieces: it never copies
// what it holds, as a ring that grows has to, and leaves no half of it empty.
type queue struct {
	head, tail *piece
	from       int // the next place in head to read
	count      int
}

const (
	// pieceLen balances what an empty shard takes against allocations.
	pieceLen = 32
	// mostRoom bounds the room that a piece makes for keys to come.
	mostRoom = 4 << 10
)

// piece holds some keys. They share one string: there are millions, and a string of its own
// would be one more object to allocate and to collect for each, and its header take more
// than an end here.
type piece struct {
	keys         strings.Builder
	ends         [pieceLen]uint32 // of each key in keys
	expires, due [pieceLen]tick
	count        int
	next         *piece
}

// queued is a key in the queue.
type queued struct {
	key     string // shares the string of its piece
	expires tick   // what its entry said when it was queued
	due     tick   // when to look at it again
}

// key returns the i-th key.
func (p *piece) key(i int) string {
	from := uint32(0)
	if i > 0 {
		from = p.ends[i-1]
	}
	return p.keys.String()[from:p.ends[i]]
}

func (q *queue) len() int { return q.count }

// front returns the oldest element; the queue must not be empty.
func (q *queue) front() queued {
	p, i := q.head, q.from
	return queued{key: p.key(i), expires: p.expires[i], due: p.due[i]}
}

// push adds an element at the back. It returns the key as the queue has it: a map that
// has this one too keeps no other alive.
func (q *queue) push(e queued) (key string) {
	if p := q.tail; p == nil || p.count == pieceLen || p.keys.Cap()-p.keys.Len() < len(e.key) {
		q.extend(len(e.key))
	}
	p := q.tail
	p.keys.WriteString(e.key)
	p.ends[p.count], p.expires[p.count], p.due[p.count] = uint32(p.keys.Len()), e.expires, e.due
	p.count++
	q.count++
	return p.key(p.count - 1)
}

// extend adds a piece with room for keys of about this length.
func (q *queue) extend(length int) {
	p := new(piece)
	p.keys.Grow(max(length, min(pieceLen*length, mostRoom)))
	if q.count == 0 {
		q.head, q.from = p, 0
	} else {
		q.tail.next = p
	}
	q.tail = p
}

// pop removes and returns the oldest element; the queue must not be empty.
func (q *queue) pop() queued {
	e := q.front()
	q.from++
	q.count--
	if q.from == q.head.count && q.head != q.tail {
		q.head, q.from = q.head.next, 0
	}
	return e
}
