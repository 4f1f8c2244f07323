package cli

import (
	"container/heap"
	"time"
)

// lateness is how much later than it came a callback may be in a recording: it
// is written when it was answered, and the bot behind the service has a moment
// for that.
const lateness = 5 * time.Second

// inOrder brings what happened back into the order of time, as far as it is out
// of order by no more than lateness.
type inOrder struct {
	waiting moments
	newest  time.Time
	count   int
}

// add takes what happened at a time, and runs what can no longer be overtaken.
func (q *inOrder) add(at time.Time, run func()) {
	q.put(at, run)
	if at.After(q.newest) {
		q.newest = at
	}
	for len(q.waiting) > 0 && !q.waiting[0].at.After(q.newest.Add(-lateness)) {
		q.next()
	}
}

// put is add for what follows from something that runs.
func (q *inOrder) put(at time.Time, run func()) {
	q.count++
	heap.Push(&q.waiting, moment{at, q.count, run})
}

// finish runs all that is left.
func (q *inOrder) finish() {
	for len(q.waiting) > 0 {
		q.next()
	}
}

func (q *inOrder) next() { heap.Pop(&q.waiting).(moment).run() }

// moment is one thing that happened; of two at a time the first written is first.
type moment struct {
	at  time.Time
	seq int
	run func()
}

// moments is a heap (container/heap), the earliest first.
type moments []moment

func (m moments) Len() int { return len(m) }
func (m moments) Less(i, j int) bool {
	if m[i].at.Equal(m[j].at) {
		return m[i].seq < m[j].seq
	}
	return m[i].at.Before(m[j].at)
}
func (m moments) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *moments) Push(x any)   { *m = append(*m, x.(moment)) }

func (m *moments) Pop() any {
	last := (*m)[len(*m)-1]
	(*m)[len(*m)-1] = moment{}
	*m = (*m)[:len(*m)-1]
	return last
}
