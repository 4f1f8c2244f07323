package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"escalator/bot/clock"
	"escalator/rules/lang"
)

const (
	// silence is how long the service may say nothing: it pings every 15 s.
	silence = 45 * time.Second
	// A lost connection is tried again after a second, and then after twice as long each
	// time, up to the longest.
	firstWait, longestWait = time.Second, 15 * time.Second
	// maxEvent bounds one event.
	maxEvent = 1 << 20
	// maxMissed is how many decisions are asked for after a gap.
	maxMissed = 1000
	// maxSeen is of how many decisions is remembered that they were printed.
	maxSeen = 10_000
)

// follower prints decisions as they are made.
type follower struct {
	*client
	query url.Values
	page  *page

	last    string    // the id of the last event
	newest  time.Time // of the decisions that were printed
	lost    bool      // the connection was lost, and is not back
	began   bool      // there was a connection
	current map[string]printed
	earlier map[string]printed // both: the decisions that were printed, by id
}

// printed is a decision that was printed, and the time of its attempt that was.
type printed struct {
	session string
	tried   time.Time
}

func newFollower(c *client, query url.Values) *follower {
	return &follower{client: c, query: query, page: newPage(c.env), current: map[string]printed{}}
}

// run prints the last n decisions and those to come, until a signal or the end of ctx.
func (f *follower) run(ctx context.Context, n int) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	if n > 0 {
		if err := f.catchUp(ctx, n, time.Time{}); err != nil {
			return f.unlessEnded(ctx, err)
		}
	}
	wait := firstWait
	for {
		heard, err := f.stream(ctx)
		switch end, ok := errors.AsType[exitError](err); {
		case ok || ctx.Err() != nil:
			return f.unlessEnded(ctx, end)
		case !f.began:
			return lang.Errorf("the service does not answer: %w", err)
		}
		if heard {
			wait = firstWait
		}
		if !f.lost {
			f.lost = true
			f.env.tell("escalator: the connection is lost; trying again")
		}
		if clock.Pause(ctx, wait) != nil {
			return nil
		}
		wait = min(2*wait, longestWait)
	}
}

// unlessEnded is how a follower ends: who ends it himself has seen what he wanted.
func (f *follower) unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it is the end that was asked for
	}
	return err
}

// errSilent is why a connection counts as lost on which nothing comes.
var errSilent = lang.Errorf("nothing was heard from it")

// stream prints what one connection brings, and reports whether there was one. What the
// service refuses is printed, and an exitError.
func (f *follower) stream(ctx context.Context) (heard bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	query := maps.Clone(f.query)
	query.Set("stream", "1")
	headers := []string{"Accept: text/event-stream"}
	if f.last != "" {
		headers = append(headers, "Last-Event-ID: "+f.last)
	}
	resp, err := f.open(ctx, "GET /api/decisions?"+query.Encode(), nil, headers...)
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxEvent))
		if f.began && resp.StatusCode >= http.StatusInternalServerError { // it is starting, or stopping
			return false, lang.Errorf("it answers %s", resp.Status)
		}
		return false, f.end(f.refused(resp.StatusCode, answer))
	}
	if f.lost {
		f.env.tell("escalator: connected again; going on where the connection was lost")
	}
	f.began, f.lost = true, false
	return true, f.events(ctx, resp.Body, watchdog)
}

// end prints an error that has not been printed, and ends the command with it.
func (f *follower) end(err error) error {
	if code, ok := errors.AsType[exitError](err); ok {
		return code
	}
	complain(f.env.Stderr, f.env.Lang, lang.Of(err))
	return exitError(exitBad)
}

// events reads server-sent events until the connection ends.
func (f *follower) events(ctx context.Context, body io.Reader, watchdog *time.Timer) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxEvent)
	var name, id string
	var data bytes.Buffer
	for lines.Scan() {
		watchdog.Reset(silence)
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "":
			if err := f.event(ctx, name, data.Bytes()); err != nil {
				return err
			}
			if id != "" {
				f.last = id
			}
			name, id = "", ""
			data.Reset()
		case field == "event":
			name = value
		case field == "id":
			id = value
		case field == "data":
			data.WriteString(value)
		}
	}
	return firstError(context.Cause(ctx), lines.Err(), io.ErrUnexpectedEOF)
}

// firstError returns the first error that there is.
func firstError(errs ...error) error {
	i := slices.IndexFunc(errs, func(err error) bool { return err != nil })
	return errs[i]
}

// event prints one event.
func (f *follower) event(ctx context.Context, name string, data []byte) error {
	switch name {
	case "decision":
		return f.print(data)
	case "transfer", "label":
		return f.printChange(name, data)
	case "gap":
		complain(f.env.Stderr, f.env.Lang, "the service no longer knows where the connection was lost; what it still has since then follows")
		return f.catchUp(ctx, maxMissed, f.newest)
	}
	return nil
}

// catchUp prints the last n decisions, as far as they are not older than since, the oldest
// first.
func (f *follower) catchUp(ctx context.Context, n int, since time.Time) error {
	query := maps.Clone(f.query)
	query.Set("n", strconv.Itoa(n))
	status, answer, err := f.send(ctx, "GET /api/decisions?"+query.Encode(), nil)
	switch {
	case err != nil:
		return lang.Errorf("the service does not answer: %w", err)
	case status != http.StatusOK:
		return f.end(f.refused(status, answer))
	}
	var list struct {
		Decisions []json.RawMessage `json:"decisions"`
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return lang.Errorf("the answer of %s is not known here: %w", f.url, err)
	}
	if since.IsZero() && len(list.Decisions) > 0 && !f.asJSON {
		f.page.decisionHead()
	}
	for _, data := range slices.Backward(list.Decisions) {
		var d decision
		if json.Unmarshal(data, &d) == nil && !d.At.Before(since) {
			if err := f.print(data); err != nil {
				return err
			}
		}
	}
	return nil
}

// print prints a decision, unless it was printed before.
func (f *follower) print(data []byte) error {
	var d decision
	if err := json.Unmarshal(data, &d); err != nil {
		return lang.Errorf("a decision that is not known here: %w", err)
	}
	if d.ID != "" {
		if _, known := f.printed(d.ID); known {
			return nil
		}
		now := printed{session: d.Session}
		if d.Transfer != nil {
			now.tried = d.Transfer.At
		}
		f.remember(d.ID, now)
		f.last = d.ID
	}
	if d.At.After(f.newest) {
		f.newest = d.At
	}
	if f.asJSON {
		return f.printJSON(data)
	}
	f.page.decision(&d)
	return nil
}

// printChange prints what became of a decision, unless it was printed before.
func (f *follower) printChange(name string, data []byte) error {
	var change struct {
		ID       string `json:"id"`
		Transfer *tried `json:"transfer"`
		Label    string `json:"label"`
		By       string `json:"label_by"`
	}
	if err := json.Unmarshal(data, &change); err != nil {
		return lang.Errorf("a change that is not known here: %w", err)
	}
	before, _ := f.printed(change.ID)
	t := change.Transfer
	if t != nil {
		if !t.At.After(before.tried) {
			return nil
		}
		f.remember(change.ID, printed{before.session, t.At})
	}
	switch {
	case f.asJSON:
		return f.printJSON(data)
	case t != nil:
		f.page.decisionLine(t.At.Local().Format(decisionTime), outcomeOf(t.Outcome), outcomeColours[t.Outcome], "", joinSome("  ", lang.Raw(before.session), t.words()))
	case name == "label":
		f.page.decisionLine(time.Now().Format(decisionTime), "label", faint, "", joinSome("  ", lang.Raw(before.session), lang.Raw(change.Label), behind("by %s", change.By)))
	}
	return nil
}

// printJSON prints one document a line.
func (f *follower) printJSON(data []byte) error {
	var line bytes.Buffer
	if err := json.Compact(&line, data); err != nil {
		return lang.Errorf("an event that is no JSON: %w", err)
	}
	line.WriteByte('\n')
	_, err := f.env.Stdout.Write(line.Bytes())
	return err
}

func (f *follower) printed(id string) (p printed, known bool) {
	if p, known = f.current[id]; !known {
		p, known = f.earlier[id]
	}
	return p, known
}

func (f *follower) remember(id string, p printed) {
	if len(f.current) >= maxSeen {
		f.current, f.earlier = map[string]printed{}, f.current
	}
	f.current[id] = p
}
