package cli

import (
	"regexp"
	"strings"

	"escalator/bot/desk"
	"escalator/handlers/app"
	"escalator/rules/lang"
)

// minPanelToken is how many characters nobody guesses: wrong tries are not counted.
const minPanelToken = 16

// The values are set also where they are refused, so that a wrong one is not told of as
// a missing one as well.

func setPanelPath(s *app.Settings, v string) error {
	s.PanelPath = v
	if !strings.HasPrefix(v, "/") || strings.ContainsAny(v, ` !$&?#:*%{}<>"'\`) || strings.Contains(v, "//") || strings.Contains(v, "/.") || strings.HasSuffix(v, "/") {
		return lang.Errorf(`it must be a path like /panel, without a slash at its end, and hold no space, no // or /. and none of ! $ & ? # : * % { } < > " ' \`)
	}
	return nil
}

// setPanelToken takes what can stand in the hash of an address as it is, and in a header.
func setPanelToken(s *app.Settings, v string) error {
	s.PanelToken = desk.Secret(v)
	switch {
	case len(v) < minPanelToken:
		return lang.Errorf("it is shorter than %d characters: make one with openssl rand -hex 24", minPanelToken)
	case strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("#&?%", r) }):
		return lang.Errorf("it stands in an address, so it may hold letters and digits of ASCII and signs, but none of: # & ? %")
	}
	return nil
}

// frameAncestor is a source of a Content-Security-Policy that names an origin.
var frameAncestor = regexp.MustCompile(`^(?:(https?)://)?((?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)(?::(?:[0-9]{1,5}|\*))?$`)

// setPanelFrameAncestors takes origins, and nothing by which a value could end the
// directive that it stands in.
func setPanelFrameAncestors(s *app.Settings, v string) error {
	s.PanelFrameAncestors = strings.Fields(v)
	for _, source := range s.PanelFrameAncestors {
		m := frameAncestor.FindStringSubmatch(source)
		switch {
		case source == "'self'":
		case source == "'none'":
			return lang.Errorf("'none' lets nobody show the panel: name the origin of Desk's workbench")
		case strings.ContainsAny(source, ",;，；"):
			return lang.Errorf("separate origins by spaces, without commas and semicolons")
		case source == "*", strings.HasSuffix(source, ":"), source == "https://*", source == "http://*":
			return lang.Errorf("%q lets any site show the panel: name the origin of Desk's workbench", source)
		case m == nil:
			return lang.Errorf("%q is not an origin like https://desk.example.com or https://*.example.com, without a path", source)
		case m[1] == "http" && !isLoopbackName(m[2]):
			return lang.Errorf("%q: a page over plain http can be changed by anyone on the way: use https", source)
		}
	}
	if len(s.PanelFrameAncestors) == 0 {
		return lang.Errorf("it names no origin")
	}
	return nil
}

func isLoopbackName(host string) bool { return host == "localhost" || host == "127.0.0.1" }
