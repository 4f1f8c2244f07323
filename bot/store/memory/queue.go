package memory

// queue is a first-in first-out ring that grows and shrinks by halves.
type queue struct {
	ring  []queued
	head  int
	count int
}

// queued is a key in the queue; its times are Unix milliseconds.
type queued struct {
	key     string
	expires int64 // what its entry said when it was queued
	due     int64 // when to look at it again
}

const queueMin = 16

func (q *queue) len() int { return q.count }

// front returns the oldest element; the queue must not be empty.
func (q *queue) front() queued { return q.ring[q.head] }

func (q *queue) push(e queued) {
	if q.count == len(q.ring) {
		q.resize(max(queueMin, 2*q.count))
	}
	q.ring[(q.head+q.count)%len(q.ring)] = e
	q.count++
}

// pop removes and returns the oldest element; the queue must not be empty.
func (q *queue) pop() queued {
	e := q.ring[q.head]
	q.ring[q.head] = queued{}
	q.head = (q.head + 1) % len(q.ring)
	q.count--
	if n := len(q.ring); n > queueMin && q.count < n/4 {
		q.resize(n / 2)
	}
	return e
}

func (q *queue) resize(n int) {
	ring := make([]queued, n)
	for i := range q.count {
		ring[i] = q.ring[(q.head+i)%len(q.ring)]
	}
	q.ring, q.head = ring, 0
}
