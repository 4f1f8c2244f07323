package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"escalator/handlers"
	"escalator/rules/lang"
)

const statusUsage = `[--all] [flags]

Shows the state of the running service: whether it is ready, what it keeps and where, how
Desk and Redis answer, how far Desk's clock is from its own, and the settings that are not
the default (--all: all of them), without secrets. It exits with 1 if the service is not
ready.`

// showStatus shows how the service is.
func showStatus(ctx context.Context, env Env, args []string) error {
	fs := newFlags("status")
	makeClient := clientFlags(fs, env)
	all := fs.Bool("all", false, "also show settings that have their default value")
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

func (p *page) row(name lang.Text, words ...lang.Text) {
	p.line(p.padded(name, statusLabel), joinSome(", ", words...))
}

// readiness are the words for whether the service is ready.
var readiness = map[string]lang.Text{"ready": "ready", "degraded": "degraded", "unready": "unready", "draining": "draining"}

// status prints how the service is.
func (p *page) status(is *handlers.Status, all bool) {
	c := map[string]colour{"ready": green, "degraded": yellow, handlers.Unready: red}[is.Ready.Status]
	state := p.in(cmp.Or(readiness[is.Ready.Status], lang.Raw(is.Ready.Status)))
	p.lay(p.in(p.padded("state", statusLabel))+p.paint(c, padded(state, 0)), statusLabel+columnsOf(state), statusLabel, "")
	for _, reason := range is.Ready.Reasons {
		p.line(lang.Raw(padded("", statusLabel)), lang.Raw(reason))
	}
	if d := is.Drain; d != nil {
		p.row("drain", lang.Say("since %s", shownTime(d.Since)), behind("by %s", d.By), lang.Raw(d.Why), lang.Say("%d transfers wait", d.Pending))
	}
	p.row("version", lang.Raw(is.Version), behind("commit %s", is.Commit), lang.Raw(is.Go))
	p.row("process", lang.Raw(is.Replica), lang.Say("since %s", shownTime(is.StartedAt)), lang.Say("%d watch decisions", is.Watchers))
	p.row("store", lang.Raw(is.Store.Kind), lang.Raw(is.Store.Dir), sizeWords(is.Store.Bytes), map[bool]lang.Text{false: "cannot be written"}[is.Store.CanWrite],
		lang.Say("%d conversations, %d callbacks remembered", is.Store.Conversations, is.Store.Marks))
	p.row("outbox", lang.Say("%d on their way, %d given up", is.Store.OutboxPending, is.Store.GivenUp))
	p.history(is.History)
	p.redis(is.Redis)
	p.desk(&is.Desk)
	p.row("clock", clockWords(is))
	if is.Log.Dropped > 0 {
		p.row("log", lang.Say("%d lines dropped", is.Log.Dropped))
	}
	for _, name := range sortedKeys(is.UnknownEvents) {
		p.row("unknown", lang.Say("event %s, %d times", name, is.UnknownEvents[name]))
	}
	p.settings(is.Settings, all)
}

func (p *page) history(h *handlers.HistoryStatus) {
	if h == nil {
		p.row("history", "none is kept")
		return
	}
	since := lang.Text("nothing yet")
	if h.Since != nil {
		since = lang.Say("since %s", shownTime(*h.Since))
	}
	p.row("history", since, lang.Say("%s of %s", sizeWords(h.Bytes), sizeWords(h.Max)), lang.Say("kept for %s", h.For))
}

func (p *page) redis(r *handlers.RedisStatus) {
	if r == nil {
		return
	}
	p.row("redis", lang.Raw(r.Address), lang.Say("%s since %s", map[bool]lang.Text{true: "up", false: "away"}[r.Up], shownTime(r.Since)))
	for _, other := range r.Replicas {
		p.row("replica", lang.Raw(other.Name), lang.Say("seen %.0f s ago", other.SeenS))
	}
}

func (p *page) desk(d *handlers.DeskStatus) {
	last := lang.Text("not called yet")
	if d.LastCallAt != nil {
		last = lang.Say("called last %s", shownTime(*d.LastCallAt))
	}
	p.row("desk", map[bool]lang.Text{true: "answers", false: "does not answer"}[d.Up], last, behind("error: %s", d.LastError))
	if h := d.Held; h != nil {
		p.line(lang.Raw(padded("", statusLabel)), lang.Say("has taken no transfer since %s, next try in %.0f s: code %d, %s", shownTime(h.Since), h.NextTryS, h.Code, h.Words))
	}
}

// settings prints those that are not the default, or all.
func (p *page) settings(list []handlers.Setting, all bool) {
	p.blank()
	for _, s := range list {
		if all || !s.Default {
			p.hang(lang.Say("%s=", s.Name), 4, lang.Raw(s.Value))
		}
	}
}

func clockWords(is *handlers.Status) lang.Text {
	if is.Clock == nil {
		return "no callback with a time has arrived yet"
	}
	told := lang.Text("Desk's was %s ahead of ours, %s")
	if is.Clock.SkewS < 0 {
		told = "Desk's was %s behind ours, %s"
	}
	return lang.Say(told, time.Duration(max(is.Clock.SkewS, -is.Clock.SkewS)*float64(time.Second)), shownTime(is.Clock.SeenAt))
}

func shownTime(t time.Time) string { return t.Local().Format(clockTime) }

// sizeWords tells a number of bytes.
func sizeWords(bytes int64) lang.Text {
	if bytes < 0 {
		return "its disk does not answer"
	}
	size, unit := float64(bytes), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for ; size >= 1024 && unit < len(units)-1; unit++ {
		size /= 1024
	}
	return lang.Say("%s %s", strings.TrimSuffix(fmt.Sprintf("%.1f", size), ".0"), units[unit])
}
