package handlers_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"escalator/handlers"
)

func TestSession_aCookieTakesTheTokensPlace(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	bot := &named{}
	s, _ := operators(bot, func(o *handlers.Options) {
		o.AdminToken, o.Now, o.AdminHosts = "secret", func() time.Time { return now }, []string{"ops.example.com"}
	})
	for _, c := range []struct {
		host   string
		secure bool
	}{{"127.0.0.1:8081", false}, {"localhost:8081", false}, {"ops.example.com", true}} {
		w := ask(s, http.MethodPost, "/api/session", `{"token":"secret"}`, "Host: "+c.host)
		cookies := w.Result().Cookies()
		if w.Code != http.StatusOK || len(cookies) != 1 {
			t.Fatalf("%s: %d %s, %d cookies", c.host, w.Code, w.Body, len(cookies))
		}
		k := cookies[0]
		if !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Secure != c.secure || k.MaxAge != 12*3600 || k.Path != "/" || strings.Contains(k.Value, "secret") {
			t.Errorf("%s: %+v", c.host, k)
		}
	}
	cookie := ask(s, http.MethodPost, "/api/session", `{"token":"secret"}`).Result().Cookies()[0]
	use := func(value string, headers ...string) int {
		return ask(s, http.MethodPost, "/api/rules/ask/mute", aMute, append(headers, "Cookie: "+cookie.Name+"="+value)...).Code
	}
	if got := use(cookie.Value); got != http.StatusOK {
		t.Errorf("with the cookie: %d", got)
	}
	if got := use(cookie.Value, "Sec-Fetch-Site: cross-site"); got != http.StatusForbidden {
		t.Errorf("the cookie from elsewhere: %d", got)
	}
	if got := use(cookie.Value, "Host: attacker.example"); got != http.StatusMisdirectedRequest {
		t.Errorf("the cookie by another name: %d", got)
	}
	until, _, _ := strings.Cut(cookie.Value, ".")
	for _, forged := range []string{"", "x", until, until + ".", "9" + cookie.Value, cookie.Value + "0", cookie.Value[:len(cookie.Value)-1]} {
		if got := use(forged); got != http.StatusUnauthorized {
			t.Errorf("a cookie %q: %d", forged, got)
		}
	}
	other, _ := operators(bot, func(o *handlers.Options) { o.AdminToken = "another" })
	if w := ask(other, http.MethodGet, "/api/decisions", "", "Cookie: "+cookie.Name+"="+cookie.Value); w.Code != http.StatusUnauthorized {
		t.Errorf("after the token was changed: %d", w.Code)
	}
	now = now.Add(12*time.Hour + time.Second)
	if got := use(cookie.Value); got != http.StatusUnauthorized {
		t.Errorf("after 12 h: %d", got)
	}
}

// Who has copied a cookie has it no longer than its owner. The other sessions of the
// same minute stay.
func TestSession_signingOut_endsTheCookie_alsoWhereItWasCopied(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s, _ := operators(&named{}, func(o *handlers.Options) { o.AdminToken, o.Now = "secret", func() time.Time { return now } })
	signIn := func() string {
		now = now.Add(time.Millisecond)
		k := ask(s, http.MethodPost, "/api/session", `{"token":"secret"}`).Result().Cookies()[0]
		return "Cookie: " + k.Name + "=" + k.Value
	}
	use := func(cookie string) int { return ask(s, http.MethodGet, "/api/decisions", "", cookie).Code }
	mine, other := signIn(), signIn()
	if a, b := use(mine), use(other); a != http.StatusOK || b != http.StatusOK {
		t.Fatalf("signed in: %d and %d", a, b)
	}
	name, _, _ := strings.Cut(mine, "=")
	ask(s, http.MethodDelete, "/api/session", "", name+"=1.forged") // ends nothing
	gone := ask(s, http.MethodDelete, "/api/session", "", mine).Result().Cookies()
	if len(gone) != 1 || gone[0].MaxAge >= 0 {
		t.Errorf("signing out leaves the cookie: %+v", gone)
	}
	if a, b := use(mine), use(other); a != http.StatusUnauthorized || b != http.StatusOK {
		t.Errorf("signed out: %d, and the other one %d", a, b)
	}
	now = now.Add(11 * time.Hour)
	ask(s, http.MethodDelete, "/api/session", "", other)
	if a, b := use(mine), use(other); a != http.StatusUnauthorized || b != http.StatusUnauthorized {
		t.Errorf("both signed out: %d and %d", a, b)
	}
}

// A browser keeps one cookie of a name for all ports of a host: two services behind
// two tunnels, or a page of another port that means harm.
func TestSession_leavesThoseOfOtherServicesAtThisHostAlone(t *testing.T) {
	production, _ := operators(&named{}, func(o *handlers.Options) { o.AdminToken = "secret" })
	staging, _ := operators(&named{}, func(o *handlers.Options) { o.AdminToken = "another" })
	signIn := func(s *handlers.Server, token string) *http.Cookie {
		return ask(s, http.MethodPost, "/api/session", `{"token":"`+token+`"}`).Result().Cookies()[0]
	}
	a, b := signIn(production, "secret"), signIn(staging, "another")
	if a.Name == b.Name {
		t.Errorf("both services call their cookie %s", a.Name)
	}
	both := fmt.Sprintf("Cookie: %s=planted; %s=%s; %s=%s", a.Name, a.Name, a.Value, b.Name, b.Value)
	for _, s := range []*handlers.Server{production, staging} {
		if w := ask(s, http.MethodGet, "/api/decisions", "", both); w.Code != http.StatusOK {
			t.Errorf("signed in at both: %d %s", w.Code, w.Body)
		}
	}
}

func TestSession_fiveWrongTriesAMinute(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s, _ := operators(&named{}, func(o *handlers.Options) { o.AdminToken, o.Now = "secret", func() time.Time { return now } })
	try := func(token string) *httptest.ResponseRecorder {
		return ask(s, http.MethodPost, "/api/session", `{"token":"`+token+`"}`)
	}
	for i := range 5 {
		if w := try("wrong"); w.Code != http.StatusUnauthorized {
			t.Errorf("wrong try %d: %d", i+1, w.Code)
		}
		if i == 2 && try("secret").Code != http.StatusOK {
			t.Error("a right one between is refused")
		}
	}
	if w := try("secret"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("after five wrong ones: %d %v", w.Code, w.Header())
	}
	now = now.Add(time.Minute)
	if w := try("secret"); w.Code != http.StatusOK {
		t.Errorf("a minute later: %d", w.Code)
	}
}
