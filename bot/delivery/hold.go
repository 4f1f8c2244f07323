package delivery

import (
	"sync"
	"time"

	"escalator/bot/desk"
	"escalator/rules/lang"
)

const (
	// holdFirst is the time from a refusal that condemns every transfer to the
	// first probe; it doubles with each further refusal up to holdLongest.
	holdFirst   = 5 * time.Second
	holdLongest = time.Minute
)

// hold stops delivery while Desk refuses everything, because of a wrong key,
// say: the transfers stay stored, and probes find out when it is mended.
type hold struct {
	now func() time.Time

	mu    sync.Mutex
	held  bool
	code  int    // Desk's last one
	why   string // what Desk said last
	delay time.Duration
	since time.Time
	until time.Time
}

// pause returns how long to wait before the next attempt, and whether that
// attempt would be a probe.
func (h *hold) pause() (wait time.Duration, probing bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.held {
		return 0, false
	}
	return max(0, h.until.Sub(h.now())), true
}

// set begins or prolongs the hold and returns the time to the next probe.
func (h *hold) set(code int, why string) (next time.Duration, began bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	began, h.code, h.why = !h.held, code, why
	if left := h.until.Sub(h.now()); h.held && left > 0 {
		return left, false // refused beside others when the hold began: no probe
	}
	h.delay = min(max(holdFirst, 2*h.delay), holdLongest)
	if began {
		h.delay, h.since = holdFirst, h.now()
	}
	h.held, h.until = true, h.now().Add(h.delay)
	return h.delay, began
}

// reason is why there is a hold, "" where there is none.
func (h *hold) reason() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.held {
		return ""
	}
	return h.why
}

// Held says that Desk refuses every transfer.
type Held struct {
	Code     int       `json:"code"`  // Desk's last one
	Words    lang.Text `json:"words"` // what it means, and what to do
	Since    time.Time `json:"since"`
	NextTryS float64   `json:"next_try_s"` // until the next probe
}

// told returns the hold for people to read, nil where there is none. wall is the time of
// the calendar.
func (h *hold) told(wall time.Time) *Held {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.held {
		return nil
	}
	row, _ := desk.LookupCode(h.code)
	now := h.now()
	return &Held{
		Code: h.code, Words: lang.Say("%s. %s", row.Meaning, row.WayOut),
		Since: wall.Add(h.since.Sub(now)), NextTryS: max(0, h.until.Sub(now).Seconds()),
	}
}

// clear ends the hold and reports whether there was one, and for how long.
func (h *hold) clear() (ended bool, after time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ended, after = h.held, h.now().Sub(h.since)
	h.held, h.delay = false, 0
	return ended, after
}

// longestPause bounds for how long one answer may silence the whole courier.
const longestPause = time.Minute

// pause is a time without calls that Desk asked for (Retry-After, or the lockout
// after too many wrong signatures): it speaks to the app, not to one transfer.
type pause struct {
	now func() time.Time

	mu    sync.Mutex
	until time.Time
}

// left returns how long to wait yet.
func (p *pause) left() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, p.until.Sub(p.now()))
}

// prolong has no call begin before d has passed, or longestPause. It returns that
// time, and whether the pause begins with it.
func (p *pause) prolong(d time.Duration) (wait time.Duration, began bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	began, d = !now.Before(p.until), min(d, longestPause)
	if until := now.Add(d); until.After(p.until) {
		p.until = until
	}
	return d, began
}
