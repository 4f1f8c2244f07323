package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"escalator/bot/store"
	"escalator/rules/lang"
)

const (
	// callTimeout bounds one round trip. It is longer than Redis stands still when
	// it forks or carries out a slow command, and such that a callback, of which one
	// call fails (failover), is answered within a second.
	callTimeout = 600 * time.Millisecond
	dialTimeout = 500 * time.Millisecond
	// poolSize bounds the connections of one replica, and poolTimeout how long a call
	// waits for one: a thousand callbacks at once, on a network where a round trip
	// takes 20 ms, wait for a third of a second.
	poolSize     = 64
	poolTimeout  = 500 * time.Millisecond
	probeTimeout = time.Second
	// connIdle is after what time a connection is not used again: something on
	// the way may have forgotten it by then, and would cost a callTimeout.
	connIdle = time.Minute
	// oldestVersion is what the scripts need.
	oldestVersion = "6.2"
)

// go-redis writes lines of its own to standard error, past our log. What is in
// them comes back to us as errors.
func init() { logging.Disable() }

// Options says which Redis, and how the store works.
type Options struct {
	// URL is redis://user:password@host:port/database, or rediss:// for TLS.
	URL string
	// App is the SDKAppID: stores of several apps may share a Redis.
	App uint64
	// DedupFor is how long an answered callback is remembered.
	DedupFor time.Duration
	// MaxUsers is how many users something is kept of; 0: 500,000.
	MaxUsers int
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Evicted is called for each record that went early; may be nil.
	Evicted func(store.Kind)
	// Report is told of what was found damaged, or is not ours; nil: nobody.
	Report func(problem string)
}

// ConfigError says that the settings do not fit this Redis: the start must fail.
type ConfigError struct{ Problem lang.Text }

func (e *ConfigError) Error() string { return e.Problem.String() }

// Said is the error for a reader of any language.
func (e *ConfigError) Said() lang.Text { return e.Problem }

// Client is the connection that the drivers share. It is safe for concurrent use.
type Client struct {
	rdb    *redis.Client
	keys   keys
	now    func() time.Time
	report func(problem string)
	dedup  time.Duration
	// caps of the records, and who counts those that go early
	caps    store.Caps
	evicted func(store.Kind)
}

// New returns a client of the Redis at o.URL; nothing is dialled yet. The error
// is a *ConfigError.
func New(o Options) (*Client, error) {
	opts, err := redis.ParseURL(o.URL)
	if err != nil {
		// The error quotes what it stumbled over, which may be a piece of the password.
		return nil, &ConfigError{"it is not an address like redis://user:password@host:6379/0 (a sign like / # ? % @ in the password is written %2F %23 %3F %25 %40)"}
	}
	if opts.TLSConfig != nil && opts.TLSConfig.InsecureSkipVerify {
		return nil, &ConfigError{"skip_verify would speak to anybody who says to be that Redis: trust its certificate instead (SSL_CERT_FILE)"}
	}
	opts.Protocol = 2 // what every proxy understands
	opts.DisableIdentity = true
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	opts.MaxRetries = -1 // a repeat is for those to decide who know what it would do
	opts.DialerRetries = 1
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout = dialTimeout, callTimeout, callTimeout
	opts.PoolSize, opts.PoolTimeout, opts.ConnMaxIdleTime = poolSize, poolTimeout, connIdle
	opts.PipelinePoolSize = -1 // no pool of their own for pipelines: against a Redis that hangs they would wait once in each
	opts.ContextTimeoutEnabled = true
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Report == nil {
		o.Report = func(string) {}
	}
	if o.Evicted == nil {
		o.Evicted = func(store.Kind) {}
	}
	return &Client{
		caps: store.NewCaps(cmp.Or(o.MaxUsers, 500_000)), evicted: o.Evicted,
		rdb: redis.NewClient(opts), keys: newKeys(o.App), now: o.Now, report: o.Report,
		dedup: max(o.DedupFor, sameWithin), // a copy under another key is answered as the first one was
	}, nil
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
			return &ConfigError{lang.Say("%s is Redis %s: %s or newer is needed", c.Address(), v, oldestVersion)}
		}
	}
	return nil
}

// Probe does once all that the stores do. Its errors are those of Check.
func (c *Client) Probe(ctx context.Context) error {
	err := probeScript.Run(ctx, c.rdb, c.keys.probes()).Err()
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &ConfigError{lang.Say("%s is not trusted: %v", c.Address(), err)}
	}
	if strings.Contains(err.Error(), "can't parse") || strings.Contains(err.Error(), "invalid reply") {
		return &ConfigError{lang.Say("%s is not a Redis: it answers something else", c.Address())}
	}
	for _, refusal := range refusals {
		if strings.Contains(err.Error(), refusal) {
			return &ConfigError{lang.Say("%s refuses us: %v", c.Address(), err)}
		}
	}
	return away("asking "+c.Address(), err)
}

// refusals begin the answers of a Redis that does not take our settings.
var refusals = []string{
	"NOAUTH", "WRONGPASS", "NOPERM", "ERR invalid password", "ERR AUTH", "ERR Client sent AUTH", "ERR DB index", "ERR unknown command",
	"can't run this command", "can't access at least one of the keys", // NOPERM inside a script, in some versions
	"MOVED ", "ERR SELECT is not allowed in cluster mode", // a node of a cluster
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
	if theirs, err := c.rdb.Time(ctx).Result(); err == nil {
		if off := c.now().Sub(theirs).Abs(); off > clockTolerance {
			warnings = append(warnings, fmt.Sprintf("the clock here and that of Redis differ by %s: replicas would be early or late with each other's transfers; set them by NTP", off.Round(time.Second)))
		}
	}
	return warnings
}

// clockTolerance is by how much clocks may differ without anybody noticing.
const clockTolerance = 5 * time.Second

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

// away is the error of a call that Redis did not carry out, or of which nobody knows
// whether it did.
func away(op string, err error) error { return fmt.Errorf("%w: %s: %w", store.ErrAway, op, err) }

// run runs a script, and loads it where Redis does not know it yet. A nil
// answer is nil.
func (c *Client) run(ctx context.Context, op string, script *redis.Script, keys []string, args ...any) (answer any, err error) {
	err = c.do(ctx, op, func(ctx context.Context) (err error) {
		answer, err = script.Run(ctx, c.rdb, keys, args...).Result()
		return err
	})
	return answer, err
}

// call is a script with what it is called with.
type call struct {
	script *redis.Script
	keys   []string
	args   []any
}

// runAll runs scripts one after the other in one round trip. One that
// fails does not keep the others from being run.
func (c *Client) runAll(ctx context.Context, op string, calls ...call) (answers []any, err error) {
	answers = make([]any, len(calls))
	err = c.do(ctx, op, func(ctx context.Context) error {
		sent := make([]*redis.Cmd, len(calls))
		_, err := c.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for n, call := range calls {
				sent[n] = call.script.EvalSha(ctx, p, call.keys, call.args...)
			}
			return nil
		})
		if err != nil && !redis.HasErrorPrefix(err, "NOSCRIPT") {
			return err
		}
		for n, call := range calls {
			if redis.HasErrorPrefix(sent[n].Err(), "NOSCRIPT") {
				sent[n] = call.script.Run(ctx, c.rdb, call.keys, call.args...)
			}
			if err := sent[n].Err(); err != nil {
				return err
			}
			answers[n] = sent[n].Val()
		}
		return nil
	})
	return answers, err
}

// do asks Redis, within the time of one call. What was begun is not cut short by the
// end of ctx: nobody would know what became of it, and a claim or a lease would have
// to run out.
func (c *Client) do(ctx context.Context, op string, ask func(context.Context) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), poolTimeout+callTimeout)
	defer cancel()
	return c.fault(op, ask(call))
}

// fault is what the caller is told of an error: nil for an empty answer,
// store.ErrSkipped where no connection was free or somebody else's value is in the
// way, and else store.ErrAway.
func (c *Client) fault(op string, err error) error {
	switch {
	case err == nil, errors.Is(err, redis.Nil):
		return nil
	case errors.Is(err, redis.ErrPoolTimeout):
	case strings.Contains(err.Error(), "WRONGTYPE"):
		c.report(fmt.Sprintf("%s: a value under our keys (%s…) is not ours: %v", op, c.keys, err))
	default:
		return away(op, err)
	}
	return fmt.Errorf("%w: %s: %w", store.ErrSkipped, op, err)
}
