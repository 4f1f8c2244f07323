package redis

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// alarmGrace is how long after its time an alarm is left to the replica
	// that set it, which has a clock of its own for it.
	alarmGrace = 2 * time.Second
	// alarmPutOff is when another replica looks again, if the one that looks
	// now dies too.
	alarmPutOff = 15 * time.Second
	maxAlarms   = 100
)

// moveAlarm sets or removes a conversation's alarm as part of a pipeline.
func (c *Client) moveAlarm(ctx context.Context, p redis.Pipeliner, id string, at time.Time) {
	key := c.keys.alarms()
	if at.IsZero() {
		p.ZRem(ctx, key, id)
		return
	}
	p.ZAdd(ctx, key, redis.Z{Score: float64(at.UnixMilli()), Member: id})
	p.PExpire(ctx, key, keepFor)
}

// Overdue returns conversations that should have been woken a while ago, and
// were not: their replica is gone. Each is given to one replica.
func (c *Client) Overdue(ctx context.Context) ([]string, error) {
	now := c.now()
	answer, err := c.run(ctx, "reading alarms", alarmScript, []string{c.keys.alarms()},
		now.Add(-alarmGrace).UnixMilli(), now.Add(alarmPutOff).UnixMilli(), maxAlarms)
	if err != nil {
		return nil, err
	}
	list, _ := answer.([]any)
	ids := make([]string, 0, len(list))
	for _, v := range list {
		if id, ok := v.(string); ok {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
