package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const aPanelToken = "planted-token-of-agents"

func TestPanelSettings_eachMistake_isOneClearLine(t *testing.T) {
	panel := []string{"PANEL_PATH=/panel", "PANEL_TOKEN=" + aPanelToken, "PANEL_FRAME_ANCESTORS=https://desk.example.com"}
	with := func(changes ...string) []string { // a later value of a variable is the one that counts
		return slices.Concat(panel, changes)
	}
	for _, c := range []struct {
		env  []string
		want string
	}{
		{[]string{"PANEL_TOKEN=" + aPanelToken}, "ESCALATOR_PANEL_TOKEN is set, but there is no panel"},
		{panel[2:], "ESCALATOR_PANEL_FRAME_ANCESTORS is set, but there is no panel"},
		{[]string{panel[0], panel[2]}, "ESCALATOR_PANEL_PATH is set without ESCALATOR_PANEL_TOKEN"},
		{panel[:2], "ESCALATOR_PANEL_PATH is set without ESCALATOR_PANEL_FRAME_ANCESTORS"},
		{with("PANEL_TOKEN=" + aPanelToken[:15]), "ESCALATOR_PANEL_TOKEN: it is shorter than 16"},
		{with("PANEL_TOKEN=" + aPanelToken + "#x"), "ESCALATOR_PANEL_TOKEN: it stands in an address"},
		{with("PANEL_TOKEN=" + aPanelToken + "会"), "ESCALATOR_PANEL_TOKEN: it stands in an address"},
		{with("ADMIN_TOKEN=" + aPanelToken), "ESCALATOR_PANEL_TOKEN is also ESCALATOR_ADMIN_TOKEN"},
		{with("CALLBACK_TOKEN=other," + aPanelToken), "ESCALATOR_PANEL_TOKEN is also ESCALATOR_ADMIN_TOKEN or ESCALATOR_CALLBACK_TOKEN"},
		{with("PANEL_PATH=panel"), "ESCALATOR_PANEL_PATH: it must be a path"},
		{with("PANEL_PATH=/"), "ESCALATOR_PANEL_PATH: it must be a path"},
		{with("PANEL_PATH=/panel/"), "ESCALATOR_PANEL_PATH: it must be a path"},
		{with("PANEL_PATH=/a//b"), "ESCALATOR_PANEL_PATH: it must be a path"},
		{with("PANEL_PATH=/a/../b"), "ESCALATOR_PANEL_PATH: it must be a path"},
		{with(`PANEL_PATH=/a"b`), "ESCALATOR_PANEL_PATH: it must be a path"},
		{with("PANEL_PATH=/callback"), "ESCALATOR_PANEL_PATH is that of the callbacks"},
		{with("CALLBACK_PATH=/panel/context"), "ESCALATOR_PANEL_PATH is that of the callbacks, or one above it"},
		{with("PANEL_FRAME_ANCESTORS='none'"), "ESCALATOR_PANEL_FRAME_ANCESTORS: 'none' lets nobody"},
		{with("PANEL_FRAME_ANCESTORS=https://a.example; script-src *"), "ESCALATOR_PANEL_FRAME_ANCESTORS: separate origins by spaces"},
		{with("PANEL_FRAME_ANCESTORS=https://a.example,https://b.example"), "ESCALATOR_PANEL_FRAME_ANCESTORS: separate origins by spaces"},
		{with("PANEL_FRAME_ANCESTORS=*"), `ESCALATOR_PANEL_FRAME_ANCESTORS: "*" lets any site`},
		{with("PANEL_FRAME_ANCESTORS=https:"), `ESCALATOR_PANEL_FRAME_ANCESTORS: "https:" lets any site`},
		{with("PANEL_FRAME_ANCESTORS=https://*"), `ESCALATOR_PANEL_FRAME_ANCESTORS: "https://*" lets any site`},
		{with("PANEL_FRAME_ANCESTORS=https://a.example/desk"), "is not an origin like"},
		{with("PANEL_FRAME_ANCESTORS=https://a.example\nX-Injected:"), "any site"},
		{with("PANEL_FRAME_ANCESTORS=ftp://a.example"), "is not an origin like"},
		{with("PANEL_FRAME_ANCESTORS='unsafe-inline'"), "is not an origin like"},
		{with("PANEL_FRAME_ANCESTORS=http://desk.example.com"), "plain http"},
		{with("PANEL_FRAME_ANCESTORS= "), "ESCALATOR_PANEL_FRAME_ANCESTORS: it names no origin"},
	} {
		_, problems := settingsOf(nil, c.env...)
		if len(problems) != 1 || !strings.Contains(problems[0], c.want) || strings.Contains(problems[0], "planted") {
			t.Errorf("%q: %q, want %q", c.env[max(0, len(c.env)-1)], problems, c.want)
		}
	}
}

func TestPanelSettings_thatAreRight(t *testing.T) {
	for _, ancestors := range []string{
		"https://desk.example.com", "https://desk.example.com:8443 https://*.example.net", "desk.example.com", "'self' https://a.example:*", "http://localhost:3000 http://127.0.0.1:1",
	} {
		s, problems := settingsOf([]string{"--panel-path", "/agents/panel"}, "PANEL_TOKEN=a+/=~_-.1234567890", "PANEL_FRAME_ANCESTORS="+ancestors)
		if problems != nil || s.PanelPath != "/agents/panel" || cmp.Diff(strings.Fields(ancestors), s.PanelFrameAncestors) != "" {
			t.Errorf("%s: %q %+v", ancestors, problems, s)
		}
	}
}
