package handlers

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/rules/lang"
)

// access says who may use a route of the operators' listener.
type access uint8

const (
	// operator is the zero value, so that a route is closed unless it says otherwise:
	// who bears the token; where there is none, whoever reaches the listener, which is
	// on loopback then.
	operator access = iota
	// tokenOnly is for what must not be open to whoever reaches loopback: without a
	// token nobody may do it.
	tokenOnly
	// visitor asks for no token, but for everything else.
	visitor
	// open is for what holds nothing: health checks, whoever asks by whatever name.
	open
)

// needsToken is what is said to those who have none.
const needsToken lang.Text = "set ESCALATOR_ADMIN_TOKEN: without a token nobody may do this"

// anyQuery is the query of a route that reads it itself.
var anyQuery = []string{"*"}

// admit stands before each route of the operators' listener: who asks, by which
// name, from where, and in what form.
func (s *Server) admit(r *route) gin.HandlerFunc {
	return func(c *gin.Context) {
		if r.access == open {
			return
		}
		bearer := s.hasToken(bearerOf(c.Request))
		_, signedIn := s.session(c.Request)
		switch {
		case s.AdminToken == "" && r.access == tokenOnly:
			refuse(c, http.StatusForbidden, needsToken)
		case s.AdminToken != "" && (r.access == operator || r.access == tokenOnly) && !bearer && !signedIn:
			c.Header("WWW-Authenticate", `Bearer realm="escalator"`)
			refuse(c, http.StatusUnauthorized, "send Authorization: Bearer and the admin token")
		case !bearer && !s.isOurName(c.Request):
			refuse(c, http.StatusMisdirectedRequest, "the operators' listener is not known by this name; add the name to ESCALATOR_ADMIN_HOSTS")
		case s.fromElsewhere(c.Request):
			refuse(c, http.StatusForbidden, "this request comes from a page of another site")
		case c.Request.ContentLength != 0 && !strings.EqualFold(c.ContentType(), jsonType):
			refuse(c, http.StatusUnsupportedMediaType, "send Content-Type: application/json")
		default:
			if wrong := wrongQuery(c.Request.URL.RawQuery, r.query); wrong != "" {
				refuse(c, http.StatusBadRequest, wrong)
				return
			}
			s.serve(c, cmp.Or(r.body, maxBody))
		}
	}
}

// serve goes on with a request when all of it is there: who sends slowly must not take
// the place of one who does not.
func (s *Server) serve(c *gin.Context, most int) {
	body, err := s.bodies.read(c.Request, most)
	if r, refused := errors.AsType[*refusal](err); refused {
		refuse(c, r.status, r.info)
		return
	}
	if !s.requests.enter(len(body)) {
		s.reached.of(limitRequests)()
		refuse(c, http.StatusServiceUnavailable, "too many requests at once: try again")
		return
	}
	defer s.requests.leave(len(body))
	connection := connectionOf(c.Request)
	connection.known.Store(true)
	connection.busy.Store(true)
	c.Request.Body, c.Request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	c.Next()
}

func refuse(c *gin.Context, status int, why lang.Text) {
	c.Header("Connection", "close") // what else was sent is not read
	c.AbortWithStatusJSON(status, fault(c, why))
}

// hasToken reports whether it is the admin token; where there is none, nothing is.
func (s *Server) hasToken(given string) bool {
	return s.AdminToken != "" && sameSecret(given, s.AdminToken)
}

// sameSecret compares in constant time. Both sides are hashed first, so that the time
// tells nothing, not even a length.
func sameSecret(given string, secret desk.Secret) bool {
	want, got := sha256.Sum256([]byte(secret.Reveal())), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

func bearerOf(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") { // the name of a scheme has no case
		return ""
	}
	return strings.TrimLeft(token, " ")
}

// isOurName reports whether the request names this listener: a page whose name was
// made to lead to us (DNS rebinding) asks by its own name. Who bears the token needs
// no such proof: no browser adds it by itself.
func (s *Server) isOurName(r *http.Request) bool {
	name := hostname(r.Host)
	if isLoopback(name) || slices.Contains(s.AdminHosts, name) {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	ip := net.ParseIP(name)
	return ok && ip != nil && ip.Equal(local.IP)
}

// hostname is the name in a Host header, in small letters, without port and final dot.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

func isLoopback(name string) bool {
	ip, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && ip.IsLoopback()
}

// fromElsewhere reports whether a browser sends the request for a page of another
// origin. What only reads could not be read by that page, but it could hold all
// streams; a link to us is no harm.
func (s *Server) fromElsewhere(r *http.Request) bool {
	if s.crossOrigin.Check(r) != nil {
		return true
	}
	site := r.Header.Get("Sec-Fetch-Site") // "same-site" is another port of our host
	return (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate"
}

// wrongQuery says what of a query is not known, "" if all of it is: a name that is
// passed over would look like an answer.
func wrongQuery(raw string, known []string) lang.Text {
	if raw == "" || len(known) == 1 && known[0] == anyQuery[0] {
		return ""
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return "the query is not correctly URL-encoded"
	}
	for name, values := range query {
		switch {
		case !slices.Contains(known, name) && len(known) == 0:
			return lang.Say(`the query has "%s", but this request takes none`, mask.Clip(name))
		case !slices.Contains(known, name):
			return lang.Say(`the query has "%s"; this request takes: %s`, mask.Clip(name), strings.Join(known, ", "))
		case len(values) > 1:
			return lang.Say(`the query has "%s" twice`, name)
		}
	}
	return ""
}

// audit writes down what an operator changed: who says to have done it, and from
// which address.
func (s *Server) audit(r *route) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Next()
		if c.Writer.Status() >= http.StatusBadRequest {
			return // nothing was changed
		}
		f := logrus.Fields{"action": r.method + " " + r.path, "status": c.Writer.Status(), "remote": remoteHost(c.Request.RemoteAddr)}
		if by := c.GetString(actor); by != "" {
			f["by"] = mask.Clip(by)
		}
		if of := c.GetString(subject); of != "" {
			f["of"] = mask.Clip(of)
		}
		for _, p := range c.Params {
			f["of"] = mask.Clip(pathValue(c, p.Key))
		}
		s.Log.WithFields(f).Warn("operator")
	}
}

// actor is where a handler leaves the name of who says to do it, for audit.
const actor = "actor"

// subject is where a handler leaves what it changed, if its path does not say so.
const subject = "subject"
