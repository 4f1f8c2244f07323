package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"escalator/handlers"
)

const statusUsage = `[--all] [flags]

How the running service is: whether it is ready, what it keeps and where, how Desk and
Redis answer, how far Desk's clock is from its own, and the settings that are not the
default (--all: all of them), without secrets. It ends with 1 when the service is not
ready.`

// showStatus shows how the service is.
func showStatus(ctx context.Context, env Env, args []string) error {
	fs := newFlags("status")
	makeClient := clientFlags(fs, env)
	all := fs.Bool("all", false, "show settings with their default value too")
	if err := flagsOnly(fs, env, args, statusUsage); err != nil {
		return err
	}
	c, err := makeClient()
	if err != nil {
		return err
	}
	var is handlers.Status
	if err := c.ask(ctx, "GET /api/status", nil, &is, func() { newPage(env).status(&is, *all) }); err != nil {
		return err
	}
	if is.Ready.Status == handlers.Unready {
		return exitError(exitBad)
	}
	return nil
}

// statusLabel is the width of the names of what is told.
const statusLabel = 11

func (p *page) row(name string, words ...string) {
	p.line(padded(name, statusLabel), joinSome(", ", words...))
}

// status prints how the service is.
func (p *page) status(is *handlers.Status, all bool) {
	c := map[string]colour{"ready": green, "degraded": yellow, handlers.Unready: red}[is.Ready.Status]
	p.lay(padded("state", statusLabel)+p.paint(c, padded(is.Ready.Status, 0)), statusLabel+columnsOf(is.Ready.Status), statusLabel, "")
	for _, reason := range is.Ready.Reasons {
		p.line(padded("", statusLabel), reason)
	}
	if d := is.Drain; d != nil {
		p.row("drain", "since "+shownTime(d.Since), behind("by ", d.By), d.Why, fmt.Sprintf("%d transfers wait", d.Pending))
	}
	p.row("version", is.Version, "commit "+is.Commit, is.Go)
	p.row("process", is.Replica, "since "+shownTime(is.StartedAt), fmt.Sprintf("%d watch decisions", is.Watchers))
	p.row("store", is.Store.Kind, is.Store.Dir, sizeWords(is.Store.Bytes), map[bool]string{false: "cannot be written"}[is.Store.CanWrite],
		fmt.Sprintf("%d conversations, %d callbacks remembered", is.Store.Conversations, is.Store.Marks))
	p.row("outbox", fmt.Sprintf("%d on their way, %d given up", is.Store.OutboxPending, is.Store.GivenUp))
	p.history(is.History)
	p.redis(is.Redis)
	p.desk(&is.Desk)
	p.row("clock", clockWords(is))
	if is.Log.Dropped > 0 {
		p.row("log", fmt.Sprintf("%d lines dropped", is.Log.Dropped))
	}
	for _, name := range sortedKeys(is.UnknownEvents) {
		p.row("unknown", fmt.Sprintf("event %s, %d times", name, is.UnknownEvents[name]))
	}
	p.settings(is.Settings, all)
}

func (p *page) history(h *handlers.HistoryStatus) {
	if h == nil {
		p.row("history", "none is kept")
		return
	}
	since := "nothing yet"
	if h.Since != nil {
		since = "since " + shownTime(*h.Since)
	}
	p.row("history", since, sizeWords(h.Bytes)+" of "+sizeWords(h.Max), "kept for "+h.For)
}

func (p *page) redis(r *handlers.RedisStatus) {
	if r == nil {
		return
	}
	p.row("redis", r.Address, map[bool]string{true: "up", false: "away"}[r.Up]+" since "+shownTime(r.Since))
	for _, other := range r.Replicas {
		p.row("replica", other.Name, fmt.Sprintf("seen %.0f s ago", other.SeenS))
	}
}

func (p *page) desk(d *handlers.DeskStatus) {
	last := "not called yet"
	if d.LastCallAt != nil {
		last = "called last " + shownTime(*d.LastCallAt)
	}
	p.row("desk", map[bool]string{true: "answers", false: "does not answer"}[d.Up], last, behind("error: ", d.LastError))
	if h := d.Held; h != nil {
		p.line(padded("", statusLabel), fmt.Sprintf("takes no transfer since %s, next try in %.0f s: code %d, %s", shownTime(h.Since), h.NextTryS, h.Code, h.Words))
	}
}

// settings prints those that are not the default, or all.
func (p *page) settings(list []handlers.Setting, all bool) {
	p.blank()
	for _, s := range list {
		if all || !s.Default {
			p.hang(s.Name+"=", 4, s.Value)
		}
	}
}

func clockWords(is *handlers.Status) string {
	if is.Clock == nil {
		return "no callback has told its time yet"
	}
	where := "ahead of"
	if is.Clock.SkewS < 0 {
		where = "behind"
	}
	return fmt.Sprintf("Desk's was %s %s ours, %s", time.Duration(max(is.Clock.SkewS, -is.Clock.SkewS)*float64(time.Second)), where, shownTime(is.Clock.SeenAt))
}

func shownTime(t time.Time) string { return t.Local().Format(clockTime) }

// sizeWords tells a number of bytes.
func sizeWords(bytes int64) string {
	if bytes < 0 {
		return "its disk does not answer"
	}
	size, unit := float64(bytes), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for ; size >= 1024 && unit < len(units)-1; unit++ {
		size /= 1024
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", size), ".0") + " " + units[unit]
}
