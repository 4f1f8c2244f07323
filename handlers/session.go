package handlers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
)

const (
	sessionCookie = "escalator_session" // what its name begins with
	sessionLife   = 12 * time.Hour
	// maxWrongTries of one address, and maxTriers addresses, in triesEvery: who guesses
	// gets nowhere, and cannot grow the memory.
	maxWrongTries = 5
	maxTriers     = 10_000
	triesEvery    = time.Minute
)

// signIn gives a browser a cookie in exchange for the token.
func (s *Server) signIn(c *gin.Context) {
	if s.AdminToken == "" {
		refuse(c, http.StatusForbidden, "set ESCALATOR_ADMIN_TOKEN: without a token there is nothing to sign in with")
		return
	}
	from := remoteHost(c.Request.RemoteAddr)
	if wait := s.tries.begin(from, s.Now()); wait > 0 {
		s.reached.of(limitSignIn)()
		c.Header("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		refuse(c, http.StatusTooManyRequests, "too many wrong tries: wait a minute")
		return
	}
	var in struct {
		Token string `json:"token"`
	}
	if !readJSON(c, &in) {
		return
	}
	if !s.hasToken(in.Token) {
		s.quiet.Log("sign-in", s.Log.WithField("remote", from), logrus.WarnLevel, "somebody tried to sign in with another token")
		refuse(c, http.StatusUnauthorized, "this is not the admin token")
		return
	}
	s.tries.right(from)
	until := s.Now().Add(sessionLife)
	s.setCookie(c, s.sessionUntil(until.UnixNano()), int(sessionLife.Seconds()))
	c.JSON(http.StatusOK, gin.H{"until": until.UTC().Format(time.RFC3339)})
}

// signOut takes the cookie back, also from whoever has copied it.
func (s *Server) signOut(c *gin.Context) {
	if until, ok := s.session(c.Request); ok {
		s.signedOut.add(until, s.Now())
	}
	s.setCookie(c, "", -1)
	c.JSON(http.StatusOK, gin.H{"until": nil})
}

func (s *Server) setCookie(c *gin.Context, value string, age int) {
	http.SetCookie(c.Writer, &http.Cookie{ //nolint:gosec // Secure but on loopback
		Name: s.cookieName(), Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: !isLoopback(hostname(c.Request.Host)), // browsers keep no such cookie that comes over plain http
	})
}

// cookieName differs from token to token: browsers keep one cookie of a name for all
// ports of a host, so that two services would sign each other's operators out.
func (s *Server) cookieName() string { return sessionCookie + "_" + s.signed(sessionCookie)[:8] }

// signed is a text as only those can have written it who know the token.
func (s *Server) signed(text string) string {
	mac := hmac.New(sha256.New, []byte(s.AdminToken.Reveal()))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// sessionUntil is a cookie that holds until a time, in nanoseconds, which no other has:
// signed with the token, so that it is good on every replica, survives a restart, and
// ends when the token is changed.
func (s *Server) sessionUntil(until int64) string {
	end := strconv.FormatInt(until, 10)
	return end + "." + s.signed(sessionCookie+" "+end)
}

// session returns until when a cookie of ours holds that the request bears. There may be
// others of its name: a page of another port of this host can have set them.
func (s *Server) session(r *http.Request) (until int64, ok bool) {
	if s.AdminToken == "" {
		return 0, false
	}
	for _, cookie := range r.CookiesNamed(s.cookieName()) {
		if until, ok = s.holds(cookie.Value); ok {
			return until, true
		}
	}
	return 0, false
}

// holds reports whether we gave this cookie, and until when it holds.
func (s *Server) holds(cookie string) (until int64, ok bool) {
	end, _, _ := strings.Cut(cookie, ".")
	until, err := strconv.ParseInt(end, 10, 64)
	ok = err == nil && hmac.Equal([]byte(cookie), []byte(s.sessionUntil(until)))
	return until, ok && s.Now().UnixNano() < until && !s.signedOut.has(until)
}

// signedOut is the sessions that ended before their time, here and since the start.
type signedOut struct {
	mu    sync.Mutex
	until map[int64]bool
}

func (o *signedOut) add(until int64, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.until == nil {
		o.until = map[int64]bool{}
	}
	maps.DeleteFunc(o.until, func(until int64, _ bool) bool { return until <= now.UnixNano() })
	o.until[until] = true
}

func (o *signedOut) has(until int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.until[until]
}

// tries counts who tried to sign in, minute by minute.
type tries struct {
	mu    sync.Mutex
	since time.Time
	wrong map[string]int
}

// begin counts a try as a wrong one, or returns how long its address has to wait. A
// right one is taken back.
func (t *tries) begin(from string, now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wrong == nil || now.Sub(t.since).Abs() >= triesEvery {
		t.since, t.wrong = now, map[string]int{}
	}
	if n, known := t.wrong[from]; n >= maxWrongTries || !known && len(t.wrong) >= maxTriers {
		return triesEvery - now.Sub(t.since)
	}
	t.wrong[from]++
	return 0
}

func (t *tries) right(from string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrong[from]--
}
