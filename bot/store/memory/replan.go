package memory

import (
	"context"

	"escalator/bot/store"
)

// Replan plans the alarms of all conversations anew: other rules may ask for other
// turns by the clock, and customers who wait already must not be forgotten. No
// lock is held for longer than one conversation, or one shard's list of them,
// takes.
func (m *Conversations) Replan() {
	for i := range m.table.shards {
		for id := range m.table.shards[i].cache.Items() {
			m.replan(id)
		}
	}
}

func (m *Conversations) replan(id string) {
	defer m.locks.Lock(id).Unlock()
	e, live := m.table.get(id)
	if !live {
		return
	}
	c := e.(*conversation)
	alarm := m.Alarms.Of(&c.state)
	_ = m.write(context.Background(), id, c, alarm, &store.Effect{}) // without a transfer it cannot fail
	m.Alarms.Plan(id, alarm)
}
