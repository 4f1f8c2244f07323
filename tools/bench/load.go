package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// load is what the generator is to do.
type load struct {
	Address     string
	Kind        kind
	Connections int
	Rate        float64       // arrivals a second, at random moments; 0: the next one after each answer
	Warmup      time.Duration // not counted
	Length      time.Duration
	Count       int // instead of Length: so many requests
	From        int // number of the first request
	Status      int // 200 if 0; of the answers whose rate and latency count
	// TooMuch says that more is offered than can be answered. Other statuses are no mistake
	// then, and as many arrivals as there are connections, 256 at most, wait for a free one; those beyond
	// are never sent. A longer queue would grow as long as the run lasts, and its wait is the generator's own.
	TooMuch bool
}

// outcome is what came of it. Times are in microseconds.
type outcome struct {
	Next     int         // the first number that was not used
	Seconds  float64     // that were counted
	Rate     float64     // answers a second that have the wanted status, as all times that follow
	Statuses map[int]int // of all; 0: no answer
	P50      float64
	P99      float64
	P999     float64
	P99Sent  float64 // from when it went out: without the wait for a free connection
	Max      float64
	Late     float64 // the 99th percentile of how late the generator itself was
}

const (
	// lowest and highest, in nanoseconds, of what the histogram tells apart.
	lowest, highest = 1000, int64(time.Minute)
	digits          = 3
	// backlog is how many arrivals may wait for a connection.
	backlog = 1 << 20
	// grace is how long after the end late answers are waited for.
	grace = 2 * time.Second
)

// generate has a process of its own make the load.
func generate(ctx context.Context, l load) (*outcome, error) {
	cmd, err := self(ctx, roleLoad)
	if err != nil {
		return nil, err
	}
	spec, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	cmd.Stdin = bytes.NewReader(spec)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the load generator: %w", err)
	}
	o := new(outcome)
	if err := json.Unmarshal(out, o); err != nil {
		return nil, err
	}
	return o, nil
}

// wanted is an error unless all answers had the status.
func (o *outcome) wanted(status int) error {
	if len(o.Statuses) == 1 && o.Statuses[status] > 0 {
		return nil
	}
	return fmt.Errorf("answers by status (0: none) %v, want %d only", o.Statuses, status)
}

// serveLoad is the generator's life: a load from in, its outcome to out.
func serveLoad(in io.Reader, out io.Writer) error {
	var l load
	if err := json.NewDecoder(in).Decode(&l); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(newGenerator(l).run())
}

// generator makes one load.
type generator struct {
	load
	requests *requests
	began    time.Time
	counting time.Time // what was meant to be sent from then on is counted
	end      time.Time
	next     atomic.Int64
	arrivals chan arrival // of an open loop
	late     *hdrhistogram.Histogram
	unsent   int // arrivals for which there was no room in the queue
}

// arrival is a request that is due.
type arrival struct {
	number int
	meant  time.Time
}

// worker is one connection and what it saw.
type worker struct {
	*generator
	client   *client
	latency  *hdrhistogram.Histogram // from when it was meant to be sent
	sent     *hdrhistogram.Histogram // from when it was sent
	statuses map[int]int
	last     time.Time
}

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(lowest, highest, digits) }

func newGenerator(l load) *generator {
	l.Status = cmp.Or(l.Status, http.StatusOK)
	g := &generator{load: l, requests: newRequests(l.Kind), late: newHistogram()}
	g.next.Store(int64(l.From))
	if l.Rate > 0 {
		room := backlog
		if l.TooMuch {
			room = min(l.Connections, manyConnections)
		}
		g.arrivals = make(chan arrival, room)
	}
	return g
}

func (g *generator) run() *outcome {
	g.began = time.Now()
	g.counting = g.began.Add(g.Warmup)
	g.end = g.counting.Add(g.Length)
	if g.Count > 0 {
		g.end = g.began.Add(limit)
	}
	workers := make([]*worker, g.Connections)
	var all sync.WaitGroup
	for i := range workers {
		w := &worker{generator: g, client: newClient(g.Address), latency: newHistogram(), sent: newHistogram(), statuses: map[int]int{}}
		workers[i] = w
		if g.Rate > 0 {
			all.Go(w.open)
		} else {
			all.Go(w.closed)
		}
	}
	if g.Rate > 0 {
		g.arrive()
	}
	all.Wait()
	return g.sum(workers)
}

// closed sends the next request when the answer to the last one is there.
func (w *worker) closed() {
	defer w.client.close()
	for {
		n := int(w.next.Add(1)) - 1
		began := time.Now()
		if w.Count > 0 && n-w.From >= w.Count || began.After(w.end) {
			return
		}
		w.send(n, began)
	}
}

// open sends what is due, whenever a connection is free.
func (w *worker) open() {
	defer w.client.close()
	for a := range w.arrivals {
		if time.Now().After(w.end.Add(grace)) { // past saturation: it was never sent
			w.note(0, a.meant, a.meant)
			continue
		}
		w.send(a.number, a.meant)
	}
}

func (w *worker) send(n int, meant time.Time) {
	began := time.Now()
	status, err := w.client.do(w.requests, n)
	if err != nil {
		status = 0
	}
	w.note(status, meant, began)
}

func (w *worker) note(status int, meant, began time.Time) {
	if meant.Before(w.counting) {
		return
	}
	w.last = time.Now()
	w.statuses[status]++
	if status == w.Status {
		record(w.latency, w.last.Sub(meant))
		record(w.sent, w.last.Sub(began))
	}
}

// record never fails within the bounds.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(int64(d), lowest), highest))
}

// arrive sends arrivals at random moments (a Poisson process), always the same ones.
func (g *generator) arrive() {
	defer close(g.arrivals)
	pause, done := pauses()
	defer done()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same every time is what is wanted
	for at := g.began; ; {
		at = at.Add(time.Duration(random.ExpFloat64() / g.Rate * float64(time.Second)))
		if at.After(g.end) {
			return
		}
		for wait := time.Until(at); wait > 0; wait = time.Until(at) {
			pause(wait)
		}
		record(g.late, time.Since(at))
		select {
		case g.arrivals <- arrival{number: int(g.next.Add(1)) - 1, meant: at}:
		default:
			if !at.Before(g.counting) {
				g.unsent++
			}
		}
	}
}

// sum puts together what the workers saw.
func (g *generator) sum(workers []*worker) *outcome {
	latency, sent, last := newHistogram(), newHistogram(), g.counting
	o := &outcome{Next: int(g.next.Load()), Statuses: map[int]int{}}
	for _, w := range workers {
		latency.Merge(w.latency)
		sent.Merge(w.sent)
		if w.last.After(last) {
			last = w.last
		}
		for status, n := range w.statuses {
			o.Statuses[status] += n
		}
	}
	if g.unsent > 0 {
		o.Statuses[0] += g.unsent
	}
	o.Seconds = max(last.Sub(g.counting), time.Millisecond).Seconds() // of no answers there is no time, and it is divided by
	o.Rate = float64(o.Statuses[g.Status]) / o.Seconds
	us := func(h *hdrhistogram.Histogram, p float64) float64 { return float64(h.ValueAtPercentile(p)) / 1000 }
	o.P50, o.P99, o.P999, o.Max = us(latency, 50), us(latency, 99), us(latency, 99.9), us(latency, 100)
	o.P99Sent, o.Late = us(sent, 99), us(g.late, 99)
	return o
}
