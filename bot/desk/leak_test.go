package desk_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"escalator/bot/desk"
)

// assertNoSecret checks everything that an error can show.
func assertNoSecret(t testing.TB, err error, secrets ...string) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		shown := []string{e.Error(), fmt.Sprintf("%+v", e), fmt.Sprintf("%#v", e), fmt.Sprintf("%q", e)}
		if doc, err := json.Marshal(e); err == nil {
			shown = append(shown, string(doc))
		}
		if d, ok := errors.AsType[*desk.Error](e); ok {
			shown = append(shown, fmt.Sprintf("%#v", *d), d.Info)
		}
		for _, text := range shown {
			for _, s := range secrets {
				if s != "" && (strings.Contains(text, s) || strings.Contains(text, url.QueryEscape(s))) {
					t.Fatalf("shows a secret: %s", text)
				}
			}
		}
	}
}

func TestClient_noErrorPath_showsTheKeyOrTheSignature(t *testing.T) {
	echo := func(r *http.Request) string {
		return r.URL.String() + " " + plantedKey + " " + url.QueryEscape(r.URL.Query().Get("usersig"))
	}
	tests := map[string]trip{
		"url error": func(r *http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"nested": func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("x: %w", &url.Error{Op: "Get", URL: r.URL.String(), Err: io.EOF})
		},
		"quoting":       func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("malformed %q", echo(r)) },
		"wrapped quote": func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("x: %w", errors.New(echo(r))) },
		"dial": func(r *http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New(echo(r))}
		},
		"code":           func(r *http.Request) (*http.Response, error) { return respond(200, jsonAnswer(141004, echo(r))) },
		"signature code": func(r *http.Request) (*http.Response, error) { return respond(200, jsonAnswer(70003, echo(r))) },
		"long info": func(r *http.Request) (*http.Response, error) {
			return respond(200, jsonAnswer(1, strings.Repeat("é ", 95)+echo(r)))
		},
		"half a signature": func(r *http.Request) (*http.Response, error) {
			return respond(200, jsonAnswer(1, "bad: "+r.URL.Query().Get("usersig")[100:]))
		},
		"page":     func(r *http.Request) (*http.Response, error) { return respond(200, echo(r)) },
		"gateway":  func(r *http.Request) (*http.Response, error) { return respond(502, echo(r)) },
		"redirect": func(r *http.Request) (*http.Response, error) { return respond(301, echo(r)) },
		"broken body": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader("{"), failing{errors.New(echo(r))}))}, nil
		},
	}
	for name, rt := range tests {
		t.Run(name, func(t *testing.T) {
			var sigs []string
			c := newClient(t, trip(func(r *http.Request) (*http.Response, error) {
				sig := r.URL.Query().Get("usersig")
				sigs = append(sigs, sig, sig[100:], sig[len(sig)-60:])
				return rt(r)
			}), withBackup)
			err := c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"})
			_ = asError(t, err)
			assertNoSecret(t, err, append(sigs, plantedKey)...)
		})
	}
}

func jsonAnswer(code int, info string) string {
	b, _ := json.Marshal(map[string]any{"ErrorCode": code, "ErrorInfo": info})
	return string(b)
}

func TestClient_errorInfo_isFitForALog(t *testing.T) {
	c := newClient(t, trip(func(*http.Request) (*http.Response, error) {
		return respond(200, jsonAnswer(141004, "line\n\x1b[31m"+strings.Repeat("字", 400)))
	}))
	e := asError(t, c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"}))
	if len(e.Info) > 310 || strings.ContainsAny(e.Info, "\n\x1b") || strings.Contains(e.Info, "\uFFFD") {
		t.Errorf("%q", e.Info)
	}
}

func FuzzClient_anyAnswer_isJudgedWithoutHarm(f *testing.F) {
	f.Add(200, `{"ErrorCode":0,"AgentId":"a","IsInQueue":1}`)
	f.Add(200, `{"ErrorCode":141001,"ErrorInfo":"x"}`)
	f.Add(502, `<html>`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		c := newClient(t, trip(func(*http.Request) (*http.Response, error) { return respond(status, body) }))
		_, err := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: "s"})
		var doc struct{ ErrorCode json.RawMessage }
		if err == nil && (json.Unmarshal([]byte(body), &doc) != nil || !strings.Contains(body, "ErrorCode")) {
			t.Errorf("success from %q", body)
		}
		if err != nil {
			assertNoSecret(t, err, plantedKey)
			_ = asError(t, err).Verdict()
		}
	})
}
