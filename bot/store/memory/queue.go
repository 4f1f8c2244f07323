package memory

// queue is first in, first out. It is a chain of short pieces: it never copies
// what it holds, as a ring that grows has to, and leaves no half of it empty.
type queue struct {
	head, tail *piece
	from, to   int // the next place in head to read, and in tail to write
	count      int
	spare      *piece
}

// pieceLen balances what an empty shard takes against allocations.
const pieceLen = 32

type piece struct {
	items [pieceLen]queued
	next  *piece
}

// queued is a key in the queue; its times are by the table's clock.
type queued struct {
	key     string
	expires int64 // what its entry said when it was queued
	due     int64 // when to look at it again
}

func (q *queue) len() int { return q.count }

// front returns the oldest element; the queue must not be empty.
func (q *queue) front() queued { return q.head.items[q.from] }

func (q *queue) push(e queued) {
	if q.tail == nil || q.to == pieceLen {
		q.extend()
	}
	q.tail.items[q.to] = e
	q.to++
	q.count++
}

func (q *queue) extend() {
	p := q.spare
	if q.spare = nil; p == nil {
		p = new(piece)
	}
	if q.tail == nil {
		q.head, q.from = p, 0
	} else {
		q.tail.next = p
	}
	q.tail, q.to = p, 0
}

// pop removes and returns the oldest element; the queue must not be empty.
func (q *queue) pop() queued {
	e := q.head.items[q.from]
	q.head.items[q.from] = queued{} // the key must not be kept by it
	q.from++
	q.count--
	if q.from == pieceLen || q.count == 0 {
		done := q.head
		q.head, q.from = done.next, 0
		done.next = nil
		q.spare = done
		if q.head == nil {
			q.tail = nil
		}
	}
	return e
}
