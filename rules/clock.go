package rules

import "time"

// see notes that something happens to the conversation now, and gives the time in its own unit.
func (c *Conversation) see(at time.Time) int64 {
	c.SetBack(at)
	c.seen = at.UnixMilli()
	return c.seen
}

// SetBack makes stamps that are later than now read now. They come from a clock that was set back since, at a restart
// say: left alone, a cooldown would go on and a silent customer would wait for as long as the clock was set back. Turns,
// events and ends of transfers do it by themselves; a caller does it before NextTimer and Expiry of a conversation that
// it has just restored.
func (c *Conversation) SetBack(now time.Time) {
	latest := now.UnixMilli()
	if c.seen <= latest { // no stamp is later than the last turn or event
		return
	}
	for _, at := range []*int64{&c.seen, &c.waiting, &c.timer, &c.missAt, &c.began} {
		*at = min(*at, latest)
	}
	for _, p := range c.prints.all {
		p.setAt(min(p.at(), latest))
	}
	if c.memory != nil {
		c.memory.setBack(latest)
	}
}

func (m *memory) setBack(latest int64) {
	m.confirmed = min(m.confirmed, latest)
	setBack(m.misses, latest)
	setBack(m.accepted, latest)
	m.offer.at = min(m.offer.at, latest)
	if m.rare != nil {
		setBack(m.rare.users, latest)
		m.rare.wait.since = min(m.rare.wait.since, latest)
	}
	for i := range m.said {
		m.said[i].at = min(m.said[i].at, latest)
	}
	for i := range m.moods {
		m.moods[i].at = min(m.moods[i].at, latest)
	}
	for i := range m.rules {
		s := &m.rules[i]
		s.fired, s.noAgent = min(s.fired, latest), min(s.noAgent, latest)
	}
}

func setBack(ring []int64, latest int64) {
	for i := range ring {
		ring[i] = min(ring[i], latest)
	}
}
