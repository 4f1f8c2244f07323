package handlers_test

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"escalator/handlers"
)

// assetOf finds the address of one of the console's files in its page.
func assetOf(t *testing.T, page, name string) string {
	t.Helper()
	found := regexp.MustCompile(`/console/assets/[0-9a-f]{16}/` + regexp.QuoteMeta(name)).FindString(page)
	if found == "" {
		t.Fatalf("the page does not name %s:\n%s", name, page)
	}
	return found
}

func TestConsole_eachViewHasAnAddress_thatNeedsNoToken_andHoldsNothing(t *testing.T) {
	s, _ := operators(&named{}, func(o *handlers.Options) { o.AdminToken = "secret" })
	views := []string{
		"/console/", "/console/?outcome=near&q=%E4%BA%BA", "/console/c", "/console/c/im:li|@desk", "/console/c/group/a/b", "/console/c/%E4%BC%9A%2F1", "/console/try",
		"/console/rules", "/console/rules/ask-human", "/console/rules/a%2Fb", "/console/file", "/console/history", "/console/delivery", "/console/suggest",
	}
	first := ask(s, http.MethodGet, "/console/", "").Body.String()
	if !strings.Contains(first, "<!doctype html>") {
		t.Fatalf("no page: %s", first)
	}
	for _, view := range views {
		w := ask(s, http.MethodGet, view, "")
		if w.Code != http.StatusOK || w.Body.String() != first || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("GET %s: %d %v", view, w.Code, w.Header())
		}
		if w := ask(s, http.MethodHead, view, ""); w.Code != http.StatusOK {
			t.Errorf("HEAD %s: %d", view, w.Code)
		}
	}
	for _, from := range []string{"/", "/console"} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			if w := ask(s, method, from, ""); w.Code != http.StatusFound || w.Header().Get("Location") != "/console/" {
				t.Errorf("%s %s: %d to %q", method, from, w.Code, w.Header().Get("Location"))
			}
		}
	}
	for _, none := range []string{"/console/nothing", "/console/try/x", "/console/index.html", "/console/js/main.js", "/index.html"} {
		if w := ask(s, http.MethodGet, none, ""); w.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d", none, w.Code)
		}
	}
	if w := ask(s, http.MethodPost, "/console/", "{}"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	if w := ask(s, http.MethodGet, "/console/", "", "Host: attacker.example"); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("by another name: %d", w.Code)
	}
}

func TestConsole_assetsAreKeptForever_becauseTheirAddressNamesTheirContent(t *testing.T) {
	s, _ := operators(&named{}, nil)
	page := ask(s, http.MethodGet, "/console/", "").Body.String()
	for name, kind := range map[string]string{"console.css": "text/css; charset=utf-8", "js/main.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		address := assetOf(t, page, name)
		want, err := os.ReadFile(filepath.Join("console", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		w := ask(s, http.MethodGet, address, "")
		if w.Code != http.StatusOK || w.Body.String() != string(want) || w.Header().Get("Content-Type") != kind || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		w = ask(s, http.MethodGet, address, "", "Accept-Encoding: br, gzip")
		unzipped, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatalf("%s zipped: %v", name, err)
		}
		if got, err := io.ReadAll(unzipped); err != nil || string(got) != string(want) || w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s zipped: %v %v", name, w.Header(), err)
		}
		if w := ask(s, http.MethodHead, address, ""); w.Code != http.StatusOK {
			t.Errorf("HEAD %s: %d", name, w.Code)
		}
	}
	css := assetOf(t, page, "console.css")
	other := regexp.MustCompile(`[0-9a-f]{16}`).ReplaceAllString(css, "0123456789abcdef")
	folder := strings.TrimSuffix(css, "console.css")
	for _, none := range []string{other, css + "x", folder, folder + "../console.css", folder + "%2e%2e/console.css", folder + "index.html", folder + "js", css + "?v=1", "/console/assets/", "/console/assets/x"} {
		if w := ask(s, http.MethodGet, none, ""); w.Code != http.StatusNotFound && w.Code != http.StatusBadRequest || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", none, w.Code, w.Header())
		}
	}
}

func TestConsole_whatIsServed_hasItsHeaders(t *testing.T) {
	s, _ := operators(&named{}, nil)
	page := ask(s, http.MethodGet, "/console/", "").Body.String()
	for _, address := range []string{"/console/", "/console/rules", assetOf(t, page, "console.css"), assetOf(t, page, "js/main.js")} {
		h := ask(s, http.MethodGet, address, "").Header()
		if got, want := h.Get("Content-Security-Policy"), "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"; got != want {
			t.Errorf("%s: policy %q", address, got)
		}
		if h.Get("Referrer-Policy") != "no-referrer" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", address, h)
		}
	}
}

// Whoever opens the console over a slow line waits for what comes over it.
func TestConsole_isSmall(t *testing.T) {
	const most = 120_000
	s, _ := operators(&named{}, nil)
	page := ask(s, http.MethodGet, "/console/", "").Body.String()
	folder := strings.TrimSuffix(assetOf(t, page, "console.css"), "console.css")
	total := len(page)
	err := fs.WalkDir(os.DirFS("console"), ".", func(name string, f fs.DirEntry, err error) error {
		if err == nil && !f.IsDir() && name != "index.html" {
			total += ask(s, http.MethodGet, folder+name, "", "Accept-Encoding: gzip").Body.Len()
		}
		return err
	})
	if err != nil || total > most {
		t.Errorf("all of the console takes %d bytes on its way, of %d: %v", total, most, err)
	}
	t.Logf("%d bytes", total)
}
