package handlers

import (
	"bytes"
	"context"
	"embed"
	"io"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/bot/quiet"
)

const (
	// panelEach and panelAll are how many requests are answered in a second, of one address
	// and of all: so many agents do not take up customers.
	panelEach = 5
	panelAll  = 50
	// maxPanelBody is what two ids and some names take.
	maxPanelBody = 16 << 10
	// maxHashNames is how many names of parameters are written down, maxHashName how long.
	maxHashNames = 32
	maxHashName  = 40
)

// PanelOptions switch the agents' panel on.
type PanelOptions struct {
	Path           string      // of the page, without a slash at its end
	Token          desk.Secret // which agents' browsers have from Desk's settings
	FrameAncestors []string    // sources of the Content-Security-Policy: who may show the page
	Customers      Customers
}

// Customers knows what an agent is shown; *bot.Bot does.
type Customers interface {
	Panel(ctx context.Context, session, user string) *bot.Panel
}

// panel serves the page that Desk shows its agents beside a conversation.
type panel struct {
	PanelOptions
	bodies    *bodies
	now       func() time.Time
	log       *logrus.Logger
	page      []byte
	policy    string // Content-Security-Policy
	turnAway  func() // counts what comes too often
	visits    budget
	questions budget
	names     hashNames
	quiet     quiet.Lines
}

//go:embed panel
var panelFiles embed.FS

// newPanel returns nothing where the panel is switched off.
func (s *Server) newPanel() *panel {
	if s.Panel == nil {
		return nil
	}
	p := &panel{
		PanelOptions: *s.Panel, bodies: s.bodies, now: s.Now, log: s.Log, turnAway: s.reached.of(limitPanel),
		policy: "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors " + strings.Join(s.Panel.FrameAncestors, " "),
	}
	// Addresses in the page are relative to it, so that a proxy may put something before them.
	page, _ := panelFiles.ReadFile("panel/page.html") // it is there, or this is not built
	p.page = bytes.ReplaceAll(page, []byte("{panel}"), []byte(path.Base(p.Path)))
	return p
}

// routes are those of the panel. Only what it is asked by POST holds anything.
func (p *panel) routes() (all []route) {
	if p == nil {
		return nil
	}
	for _, r := range []route{
		{path: p.Path, handler: p.show},
		{path: p.Path + "/panel.js", handler: p.file("panel.js", "text/javascript; charset=utf-8")},
		{path: p.Path + "/panel.css", handler: p.file("panel.css", "text/css; charset=utf-8")},
	} {
		for _, r.method = range []string{http.MethodGet, http.MethodHead} {
			all = append(all, r)
		}
	}
	return append(all, route{method: http.MethodPost, path: p.Path + "/context", handler: p.context})
}

// hides reports whether a path must look as if nothing were there.
func (p *panel) hides(path string) bool { return p != nil && path == p.Path+"/context" }

// headers are on all that the panel answers.
func (p *panel) headers(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Referrer-Policy", "no-referrer")
}

// show gives the page, which holds no data.
func (p *panel) show(c *gin.Context) {
	p.headers(c)
	if p.within(c, &p.visits) {
		c.Data(http.StatusOK, "text/html; charset=utf-8", p.page)
	}
}

func (p *panel) file(name, kind string) gin.HandlerFunc {
	content, _ := panelFiles.ReadFile("panel/" + name) // the same
	return func(c *gin.Context) {
		p.headers(c)
		c.Data(http.StatusOK, kind, content)
	}
}

// context tells what is known of a customer. Without the token it answers what a path
// answers at which nothing is, however often: who guesses learns nothing, and takes
// nothing from agents.
func (p *panel) context(c *gin.Context) {
	if !sameSecret(bearerOf(c.Request), p.Token) {
		p.quiet.Log("token", p.log.WithField("remote", remoteHost(c.Request.RemoteAddr)), logrus.WarnLevel, "the panel was asked with no token, or another one than ESCALATOR_PANEL_TOKEN")
		writeAstray(c)
		return
	}
	p.headers(c)
	if !p.within(c, &p.questions) {
		return
	}
	connection := connectionOf(c.Request)
	connection.known.Store(true)
	body, err := p.bodies.read(c.Request, maxBody)
	if err != nil || len(body) > maxPanelBody {
		refuse(c, http.StatusRequestEntityTooLarge, "the body is not there, or over 16 KiB")
		return
	}
	connection.busy.Store(true)
	c.Request.Body = io.NopCloser(bytes.NewReader(body))
	var in struct {
		Session string   `json:"session"`
		User    string   `json:"user"`
		Names   []string `json:"names"` // of parameters of the hash that the page does not know
	}
	if !readJSON(c, &in) {
		return
	}
	if names := p.names.news(in.Names); len(names) > 0 {
		p.log.WithField("names", names).Info("Desk gives the panel parameters that it does not know; their values were not read")
	}
	c.JSON(http.StatusOK, p.Customers.Panel(c.Request.Context(), in.Session, in.User))
}

// within counts a request, or answers that there were too many.
func (p *panel) within(c *gin.Context, of *budget) bool {
	if of.take(remoteHost(c.Request.RemoteAddr), p.now()) {
		return true
	}
	p.turnAway()
	c.Header("Retry-After", "1")
	fail(c, http.StatusTooManyRequests, "too many requests: wait a second")
	return false
}

// budget is how much may be asked in a second.
type budget struct {
	mu     sync.Mutex
	since  time.Time
	all    int
	byAddr map[string]int // at most panelAll
}

// take counts a request of an address, and reports whether it may be answered.
func (b *budget) take(addr string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.since).Abs() >= time.Second {
		b.since, b.all, b.byAddr = now, 0, map[string]int{}
	}
	if b.all >= panelAll || b.byAddr[addr] >= panelEach {
		return false
	}
	b.all++
	b.byAddr[addr]++
	return true
}

// hashNames are the names of parameters that were written down.
type hashNames struct {
	mu    sync.Mutex
	known map[string]bool
}

// hashName is what the name of a parameter looks like; anything else may be a value.
var hashName = regexp.MustCompile(`^[\pL_$][\pL\pN_.$-]*$`)

// news gives those that were not given before, cut, and nothing once there are many.
func (h *hashNames) news(given []string) (names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known == nil {
		h.known = map[string]bool{}
	}
	for _, name := range given {
		if !hashName.MatchString(name) {
			continue
		}
		if runes := []rune(name); len(runes) > maxHashName {
			name = string(runes[:maxHashName]) + "…"
		}
		name = mask.Masked.Text(name) // a name that holds a number may be a value too
		if !h.known[name] && len(h.known) < maxHashNames {
			h.known[name] = true
			names = append(names, name)
		}
	}
	return names
}
