package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// callTimeout bounds one round trip. A callback makes four at the most and
	// has to be answered within a second, also when Redis stops in the middle.
	callTimeout = 250 * time.Millisecond
	dialTimeout = 500 * time.Millisecond
	// poolSize bounds the connections of one replica.
	poolSize = 64
	// oldestVersion is what the scripts need.
	oldestVersion = "6.2"
)

// silence keeps go-redis from writing lines of its own to standard error: its
// errors come back to us, and are told of once.
type silence struct{}

// Printf implements the logger of go-redis.
func (silence) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(silence{}) }

// Options says which Redis, and how the store works.
type Options struct {
	// URL is redis://user:password@host:port/database, or rediss:// for TLS.
	URL string
	// App is the SDKAppID: stores of several apps may share a Redis.
	App uint64
	// DedupFor is how long an answered callback is remembered.
	DedupFor time.Duration
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Report is told of what was found damaged and where it is kept; nil: nobody.
	Report func(problem, keptAt string)
}

// ConfigError says that the settings do not fit this Redis: the start must fail.
type ConfigError struct{ Problem string }

func (e *ConfigError) Error() string { return e.Problem }

// Client is the connection that the drivers share. It is safe for concurrent use.
type Client struct {
	rdb    *redis.Client
	keys   keys
	now    func() time.Time
	report func(problem, keptAt string)
	dedup  time.Duration
}

// New returns a client of the Redis at o.URL; nothing is dialled yet. The error
// is a *ConfigError.
func New(o Options) (*Client, error) {
	opts, err := redis.ParseURL(o.URL)
	if err != nil {
		return nil, &ConfigError{"it is no address like redis://user:password@host:6379/0: " + withoutURL(err, o.URL)}
	}
	opts.Protocol = 2 // what every proxy understands
	opts.DisableIdentity = true
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	opts.MaxRetries = -1 // a repeat is for those to decide who know what it would do
	opts.DialerRetries = 1
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout = dialTimeout, callTimeout, callTimeout
	opts.PoolSize, opts.PoolTimeout = poolSize, callTimeout
	opts.ContextTimeoutEnabled = true
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Report == nil {
		o.Report = func(string, string) {}
	}
	return &Client{rdb: redis.NewClient(opts), keys: newKeys(o.App), now: o.Now, report: o.Report, dedup: o.DedupFor}, nil
}

// withoutURL keeps the password out of a message: net/url quotes what it could
// not read.
func withoutURL(err error, url string) string {
	return strings.ReplaceAll(strings.ReplaceAll(err.Error(), strconv.Quote(url), "the value"), url, "the value")
}

// Address is the host and port, for people; it holds no secret.
func (c *Client) Address() string { return c.rdb.Options().Addr }

// Close closes all connections.
func (c *Client) Close() error { return c.rdb.Close() }

// Check asks whether this Redis can be used: reachable, our password taken, new
// enough, writable. The error is a *ConfigError for what only other settings can
// mend; for anything else try again later.
func (c *Client) Check(ctx context.Context) error {
	if err := c.Probe(ctx); err != nil {
		return err
	}
	info, err := c.rdb.Info(ctx, "server").Result()
	if err != nil {
		return nil // some services refuse INFO, and are new enough
	}
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "redis_version:"); ok && older(v, oldestVersion) {
			return &ConfigError{fmt.Sprintf("%s is Redis %s: %s or newer is needed", c.Address(), v, oldestVersion)}
		}
	}
	return nil
}

// Probe reads and writes once. Its errors are those of Check.
func (c *Client) Probe(ctx context.Context) error {
	err := c.rdb.Set(ctx, c.keys.probe(), "1", time.Minute).Err()
	if err == nil {
		err = c.rdb.Eval(ctx, "return 1", []string{c.keys.probe()}).Err()
	}
	if err == nil {
		return nil
	}
	for _, refusal := range refusals {
		if strings.Contains(err.Error(), refusal) {
			return &ConfigError{fmt.Sprintf("%s refuses us: %v", c.Address(), err)}
		}
	}
	return away("asking "+c.Address(), err)
}

// refusals begin the answers of a Redis that does not take our settings.
var refusals = []string{
	"NOAUTH", "WRONGPASS", "NOPERM", "ERR invalid password", "ERR AUTH", "ERR Client sent AUTH", "ERR DB index", "ERR unknown command",
}

// Warnings says what of the settings of this Redis would lose transfers; nil
// where that cannot be asked.
func (c *Client) Warnings(ctx context.Context) (warnings []string) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	info, err := c.rdb.Info(ctx).Result()
	if err != nil {
		return nil
	}
	if strings.Contains(info, "\naof_enabled:0") {
		warnings = append(warnings, "this Redis has no append-only file: what it holds is lost, or old, after its restart; set appendonly yes")
	}
	if strings.Contains(info, "\nmaxmemory_policy:") && !strings.Contains(info, "\nmaxmemory_policy:noeviction") && !strings.Contains(info, "\nmaxmemory:0\r") {
		warnings = append(warnings, "this Redis drops keys when it is full, transfers too; set maxmemory-policy noeviction")
	}
	return warnings
}

// older reports whether version a comes before b. What is no version is not.
func older(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, errX := strconv.Atoi(as[i])
		y, errY := strconv.Atoi(bs[i])
		if errX != nil || errY != nil {
			return false
		}
		if x != y {
			return x < y
		}
	}
	return false
}

// ErrAway says that Redis cannot be used now: it is not reached, too slow,
// read-only, full, loading, or refuses us. What was asked of it may have been
// done all the same.
var ErrAway = errors.New("redis cannot be used now")

func away(op string, err error) error { return fmt.Errorf("%w: %s: %w", ErrAway, op, err) }

// run runs a script, and loads it where Redis does not know it yet. A nil
// answer is nil. A value of a foreign type under one of the keys is set aside,
// and the script runs again.
func (c *Client) run(ctx context.Context, op string, script *redis.Script, keys []string, args ...any) (any, error) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := script.Run(call, c.rdb, keys, args...).Result()
	if foreign(err) {
		c.setForeignAside(call, keys)
		answer, err = script.Run(call, c.rdb, keys, args...).Result()
	}
	return answer, fault(ctx, op, err)
}

// fault is what the caller is told of an error: nil for an empty answer, the
// cause where the caller himself gave up, else ErrAway.
func fault(ctx context.Context, op string, err error) error {
	switch {
	case err == nil, errors.Is(err, redis.Nil):
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return away(op, err)
	}
}

// foreign reports whether a value of another type stands under a key of ours.
func foreign(err error) bool { return err != nil && strings.Contains(err.Error(), "WRONGTYPE") }

// keepDamaged is how long what was set aside can be looked at.
const keepDamaged = 7 * 24 * time.Hour

// setForeignAside moves the values whose type is not the one that we give them.
func (c *Client) setForeignAside(ctx context.Context, keys []string) {
	for _, key := range keys {
		kind, err := c.rdb.Type(ctx, key).Result()
		if want := kindOf(key); err == nil && kind != "none" && kind != want {
			c.setAside(ctx, key, fmt.Sprintf("%s holds a %s of somebody else, and not our %s", key, kind, want))
		}
	}
}

// setAside moves a value to where it can be looked at for a while, and reports it.
func (c *Client) setAside(ctx context.Context, key, problem string) {
	aside := fmt.Sprintf("%s:damaged:%d", key, c.now().UnixMilli()) // the same slot: the tag is the same
	if err := c.rdb.Rename(ctx, key, aside).Err(); err != nil {
		return // somebody else did, or it is gone
	}
	c.rdb.PExpire(ctx, aside, keepDamaged)
	c.report(problem, "the key "+aside+" in Redis")
}

// kindOf is the type of the value under a key of ours.
func kindOf(key string) string {
	switch {
	case strings.HasSuffix(key, "{outbox}:records"), strings.HasSuffix(key, "{mutes}"):
		return "hash"
	case strings.Contains(key, "{outbox}:"), strings.HasSuffix(key, "{alarms}"):
		return "zset"
	default:
		return "string"
	}
}
