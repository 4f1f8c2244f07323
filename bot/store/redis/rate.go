package redis

import (
	"context"
	"time"
)

// Turn takes the turn of the next transfer of all replicas, one each interval and
// burst of them at once, or says how long to wait before asking again. The algorithm
// is GCRA in a script of our own, not go-redis/redis_rate: that keeps to a bucket
// which a step of the clock, or another rate, has filled for hours.
func (c *Client) Turn(ctx context.Context, interval time.Duration, burst int) (wait time.Duration, err error) {
	answer, err := c.run(ctx, "waiting for a turn", rateScript, []string{c.keys.rate()},
		interval.Microseconds(), (interval * time.Duration(burst)).Microseconds())
	us, _ := answer.(int64)
	return time.Duration(us) * time.Microsecond, err
}
