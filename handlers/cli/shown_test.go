package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

// shownSecret may stand in each of these settings as it is, and in no answer.
var shownSecret = map[string]string{
	"CALLBACK_PATH": "/callback/" + plantedSecret,
	"REDIS_URL":     "redis://user:" + plantedSecret + "@127.0.0.1:6379/0",
	"FORWARD_URL":   "http://127.0.0.1:9/" + plantedSecret + "?key=" + plantedSecret,
	"SECRET_KEY":    plantedSecret,
}

func TestSettings_whatOperatorsAreShown_holdsNoSecret(t *testing.T) {
	env := []string{"PANEL_PATH=/panel", "PANEL_FRAME_ANCESTORS=https://desk.example.com"}
	for i := range settingsTable {
		row := &settingsTable[i]
		value, planted := shownSecret[row.env]
		if row.secret && !planted {
			value = plantedSecret + "-of-" + row.env
		}
		if value != "" {
			env = append(env, row.env+"="+value)
		}
	}
	s, problems := settingsOf([]string{"--listen", ":9000"}, env...)
	if problems != nil {
		t.Fatal(problems)
	}
	if len(s.Shown) != len(settingsTable) {
		t.Errorf("%d of %d settings are shown", len(s.Shown), len(settingsTable))
	}
	text, err := json.Marshal(s.Shown)
	if err != nil || strings.Contains(string(text), plantedSecret) {
		t.Errorf("%v: %s", err, text)
	}
	for _, want := range []string{
		`{"name":"ESCALATOR_SECRET_KEY","value":"set","default":false}`,
		`{"name":"ESCALATOR_CALLBACK_PATH","value":"/callback/…","default":false}`,
		`{"name":"ESCALATOR_LISTEN","value":":9000","default":false}`,
		`{"name":"ESCALATOR_DESK_POLL","value":"10s","default":true}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}
