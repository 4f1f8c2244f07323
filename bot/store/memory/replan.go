package memory

import "escalator/rules"

// Replan plans the alarms of all conversations anew: other rules may ask for other
// turns by the clock, and customers who wait already must not be forgotten. No
// lock is held for longer than one conversation, or one shard's list of them,
// takes.
func (m *Conversations) Replan() {
	_ = m.Each(func(id string, c *rules.Conversation) { m.Alarms.Plan(id, m.Alarms.Of(c)) }, func() error { return nil })
}

// Each shows all conversations, each while nobody else changes it, and calls between
// now and then, with nothing locked. An error of that ends it. All changes that were
// under way when it began are seen.
func (m *Conversations) Each(show func(id string, c *rules.Conversation), between func() error) error {
	m.locks.Pass()
	return m.table.each(func(id string, _ entry) {
		defer m.locks.Lock(id).Unlock()
		if e, live := m.table.get(id); live {
			show(id, &e.(*conversation).state)
		}
	}, between)
}
