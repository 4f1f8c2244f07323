package handlers

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"escalator/bot/desk"
)

// access says who may use a route of the operators' listener.
type access uint8

const (
	withToken access = iota // the zero value: a route is closed unless it says otherwise
	open
	// onlyWithToken is closed where no token is set: who merely reaches the port must not do it.
	onlyWithToken
)

// route is a row of the table; a test walks it and proves that no route is
// open by mistake.
type route struct {
	method  string
	path    string
	access  access
	handler gin.HandlerFunc
}

func (s *Server) publicRoutes() []route {
	return []route{
		{http.MethodPost, s.CallbackPath, open, s.callbacks.post}, // authenticated by Sign
	}
}

func (s *Server) adminRoutes() []route {
	return []route{
		{http.MethodGet, "/healthz", open, s.healthz},
		{http.MethodGet, "/readyz", open, s.readyz},
		{http.MethodGet, "/metrics", withToken, gin.WrapH(promhttp.HandlerFor(s.Registry, promhttp.HandlerOpts{}))},
		{http.MethodGet, "/api/decisions", withToken, s.decisions},
		{http.MethodGet, "/api/rules", withToken, s.listRules},
		{http.MethodPost, "/api/rules/:id/mute", withToken, s.mute},
		{http.MethodDelete, "/api/rules/:id/mute", withToken, s.unmute},
		{http.MethodPost, "/api/explain", withToken, s.explain},
		{http.MethodPost, "/api/reload", withToken, s.reload},
		{http.MethodGet, "/api/rules/history", withToken, s.ruleHistory},
		{http.MethodGet, "/api/rules/diff", withToken, s.ruleDiff},
		{http.MethodPost, "/api/rules/rollback", onlyWithToken, s.rollback},
		{http.MethodGet, "/api/outbox", withToken, s.outbox},
		{http.MethodPost, "/api/outbox/:session/retry", withToken, s.retry},
	}
}

// newEngine makes a Gin engine with our own recovery and errors, and without
// Gin's logger, which would print the query string.
func (s *Server) newEngine(routes []route) *gin.Engine {
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	_ = e.SetTrustedProxies(nil) // never fails for nil
	e.Use(s.recovery, securityHeaders)
	e.NoRoute(func(c *gin.Context) { writeFailure(c, http.StatusNotFound, "nothing is here") })
	e.NoMethod(func(c *gin.Context) { writeFailure(c, http.StatusMethodNotAllowed, "this method is not for this path") })
	for _, r := range routes {
		chain := gin.HandlersChain{r.handler}
		switch {
		case r.access != open && s.AdminToken != "":
			chain = gin.HandlersChain{requireToken(s.AdminToken), r.handler}
		case r.access == onlyWithToken:
			chain = gin.HandlersChain{needsToken}
		}
		e.Handle(r.method, r.path, chain...)
	}
	return e
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

// requireToken accepts only requests that bear the token. Both sides are
// hashed first, so that the time of comparing tells nothing, not even a length.
func requireToken(token desk.Secret) gin.HandlerFunc {
	want := sha256.Sum256([]byte(token.Reveal()))
	return func(c *gin.Context) {
		bearer, ok := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(bearer))
		if !ok || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			c.Header("WWW-Authenticate", `Bearer realm="escalator"`)
			c.AbortWithStatusJSON(http.StatusUnauthorized, gin.H{"error": "send Authorization: Bearer and the admin token"})
		}
	}
}

// needsToken answers in the place of what cannot be done without a token.
func needsToken(c *gin.Context) {
	c.JSON(http.StatusForbidden, gin.H{"error": "set ESCALATOR_ADMIN_TOKEN: without a token this is not for whoever reaches the port"})
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
func (s *Server) recovery(c *gin.Context) {
	defer func() {
		if p := recover(); p != nil {
			s.logPanic(p)
			c.Abort()
			writeFailure(c, http.StatusInternalServerError, "internal error; see the log")
		}
	}()
	c.Next()
}
