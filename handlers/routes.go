package handlers

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"escalator/rules/lang"
)

// route is a row of the table; a test walks it and proves that no route is
// open by mistake.
type route struct {
	method  string
	path    string
	access  access
	handler gin.HandlerFunc
	changes bool     // what it does is written into the log (audit)
	query   []string // the names that its query may have
	body    int      // bytes at most; 0: maxBody
}

func (s *Server) publicRoutes() []route {
	return append([]route{
		{method: http.MethodPost, path: s.CallbackPath, handler: s.callbacks.post}, // authenticated by Sign
	}, s.panel.routes()...)
}

func (s *Server) adminRoutes() []route {
	return append(theConsole().routes(), []route{
		{method: http.MethodGet, path: "/healthz", access: open, handler: s.healthz},
		{method: http.MethodGet, path: "/readyz", access: open, handler: s.readyz},
		{method: http.MethodGet, path: "/metrics", handler: gin.WrapH(promhttp.HandlerFor(s.Registry, promhttp.HandlerOpts{})), query: anyQuery},
		{method: http.MethodPost, path: "/api/session", access: visitor, handler: s.signIn, changes: true},
		{method: http.MethodDelete, path: "/api/session", access: visitor, handler: s.signOut},
		{method: http.MethodGet, path: "/api/decisions", handler: s.decisions, query: decisionQuery},
		{method: http.MethodPut, path: "/api/decisions/:id/label", access: tokenOnly, handler: s.label, changes: true},
		{method: http.MethodGet, path: "/api/labels", handler: s.labels},
		{method: http.MethodGet, path: "/api/rules", handler: s.listRules},
		{method: http.MethodGet, path: "/api/rules/:id", handler: s.rule},
		{method: http.MethodGet, path: "/api/rules/:id/preview", handler: s.previewMute, query: []string{"for"}},
		{method: http.MethodPost, path: "/api/rules/:id/mute", handler: s.mute, changes: true},
		{method: http.MethodDelete, path: "/api/rules/:id/mute", handler: s.unmute, changes: true, query: []string{"by"}},
		{method: http.MethodPost, path: "/api/explain", handler: s.explain, body: maxDraft},
		{method: http.MethodPost, path: "/api/check", handler: s.check, body: maxDraft},
		{method: http.MethodPost, path: "/api/test", handler: s.test, body: maxDraft},
		{method: http.MethodGet, path: "/api/rules/file", handler: s.showFile},
		{method: http.MethodPut, path: "/api/rules/file", access: tokenOnly, handler: s.saveFile, changes: true, body: maxDraft},
		{method: http.MethodPost, path: "/api/reload", handler: s.reload, changes: true},
		{method: http.MethodGet, path: "/api/rules/history", handler: s.ruleHistory},
		{method: http.MethodGet, path: "/api/rules/diff", handler: s.ruleDiff, query: []string{"from", "to"}},
		{method: http.MethodPost, path: "/api/rules/rollback", access: tokenOnly, handler: s.rollback, changes: true},
		{method: http.MethodGet, path: "/api/stats", handler: s.showStats, query: []string{"since"}},
		{method: http.MethodGet, path: "/api/suggest", handler: s.suggest, query: []string{"since", "n"}},
		{method: http.MethodGet, path: "/api/desk", handler: s.desk},
		{method: http.MethodGet, path: "/api/status", handler: s.status},
		{method: http.MethodPost, path: "/api/drain", handler: s.startDrain, changes: true},
		{method: http.MethodDelete, path: "/api/drain", handler: s.endDrain, changes: true, query: []string{"by"}},
		{method: http.MethodGet, path: "/api/outbox", handler: s.outbox},
		{method: http.MethodPost, path: "/api/outbox/retry", handler: s.retryAll, changes: true, query: []string{"code"}},
		{method: http.MethodPost, path: "/api/outbox/:session/retry", handler: s.retry, changes: true},
		{method: http.MethodPost, path: "/api/outbox/:session/dismiss", handler: s.dismiss, changes: true},
		{method: http.MethodGet, path: "/api/conversations/:session", handler: s.conversation},
		{method: http.MethodDelete, path: "/api/users/:user", access: tokenOnly, handler: s.forget, changes: true},
		{method: http.MethodGet, path: "/api/report", handler: s.report, query: []string{"since", "until"}},
		{method: http.MethodGet, path: "/api/messages", handler: s.messages},
		{method: http.MethodDelete, path: "/api/messages", handler: s.deleteMessage, changes: true, query: []string{"session", "by"}},
		{method: http.MethodGet, path: "/debug/pprof/*name", access: tokenOnly, handler: s.profile, query: anyQuery},
	}...)
}

const (
	nothingHere lang.Text = "there is nothing at this address"
	wrongMethod lang.Text = "this address does not take this method"
)

// newEngine makes a Gin engine with our own recovery and errors, in the form of its
// listener, and without Gin's logger, which would print the query string.
func (s *Server) newEngine(answer func(c *gin.Context, status int, why lang.Text)) *gin.Engine {
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	_ = e.SetTrustedProxies(nil) // never fails for nil
	e.Use(s.recovery(answer), securityHeaders)
	e.NoRoute(func(c *gin.Context) { answer(c, http.StatusNotFound, nothingHere) })
	e.NoMethod(func(c *gin.Context) { answer(c, http.StatusMethodNotAllowed, wrongMethod) })
	return e
}

// publicEngine serves the callbacks.
func (s *Server) publicEngine() http.Handler {
	e := s.newEngine(writeFailure)
	e.NoRoute(func(c *gin.Context) {
		if c.Request.Method == http.MethodPost {
			s.callbacks.astray(c)
			return
		}
		writeFailure(c, http.StatusNotFound, nothingHere)
	})
	e.NoMethod(func(c *gin.Context) {
		if s.panel.hides(c.Request.URL.Path) {
			c.Writer.Header().Del("Allow")
			writeFailure(c, http.StatusNotFound, nothingHere)
			return
		}
		writeFailure(c, http.StatusMethodNotAllowed, wrongMethod)
	})
	for _, r := range s.publicRoutes() {
		e.Handle(r.method, r.path, r.handler)
	}
	return e
}

// adminEngine serves the operators. What can be read can be asked for by HEAD too. Ids in its paths may hold anything: it matches
// them escaped (pathValue).
func (s *Server) adminEngine() http.Handler {
	e := s.newEngine(refuse)
	e.UseEscapedPath, e.UnescapePathValues = true, false
	routes := s.adminRoutes()
	for i := range routes {
		r := &routes[i]
		chain := gin.HandlersChain{s.admit(r), r.handler}
		if r.changes {
			chain = gin.HandlersChain{s.admit(r), s.audit(r), r.handler}
		}
		e.Handle(r.method, r.path, chain...)
		if r.method == http.MethodGet {
			e.HEAD(r.path, chain...)
		}
	}
	return escapeIDs(routes, e)
}

// escapeIDs lets an id with slashes stand in a path as it is typed, where what comes
// behind it, or the end of the path, says where it ends.
func escapeIDs(routes []route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, escaped := r.URL.EscapedPath(), ""
		for i := range routes {
			before, rest, named := strings.Cut(routes[i].path, ":")
			after := rest[strings.IndexByte(rest+"/", '/'):]
			method := r.Method == routes[i].method || r.Method == http.MethodHead && routes[i].method == http.MethodGet
			if !named || !method || escaped != "" && after == "" { // what says more of the path wins
				continue
			}
			id, begins := strings.CutPrefix(path, before)
			id, ends := strings.CutSuffix(id, after)
			if begins && ends && (after != "" || strings.Contains(id, "/")) {
				escaped = before + strings.ReplaceAll(id, "/", "%2F") + after
			}
		}
		if escaped != "" {
			r.URL.RawPath = escaped
		}
		next.ServeHTTP(w, r)
	})
}

// pathValue is a part of the path that a route names. The operators' routes are
// matched as they came, escaped, so that an id may hold a slash; Gin itself would
// unescape it as if it stood in a query, and take a plus for a space.
func pathValue(c *gin.Context, name string) string {
	value := c.Param(name)
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

func securityHeaders(c *gin.Context) {
	h := c.Writer.Header()
	h["X-Content-Type-Options"] = nosniff
	h["Cache-Control"] = noStore
}

// Shared header values: setting them allocates nothing.
var (
	nosniff = []string{"nosniff"}
	noStore = []string{"no-store"}
)

// recovery turns a panic into a 500, with the stack in the log and nothing of
// the request.
func (s *Server) recovery(answer func(c *gin.Context, status int, why lang.Text)) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			if p := recover(); p != nil {
				s.logPanic(p)
				c.Abort()
				answer(c, http.StatusInternalServerError, "internal error; see the log")
			}
		}()
		c.Next()
	}
}
