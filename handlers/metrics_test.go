package handlers_test

import (
	"net/http"
	"strings"
	"testing"
)

// An alert on a series that has never moved would see nothing.
func TestMetrics_whatCanBeForeseen_existsFromTheStart(t *testing.T) {
	out := operate(&named{}, http.MethodGet, "/metrics", "").Body.String()
	for _, want := range []string{
		`{command="Desk.SessionEventNotify",event="ChatBot.UserSendMsg",result="ok"} 0`,
		`{command="Desk.SessionEventNotify",event="ChatBot.UserSendMsg",result="unavailable"} 0`,
		`{command="Desk.SessionEventNotify",event="",result="duplicate"} 0`,
		`{command="",event="",result="sign_stale"} 0`,
		`{command="",event="",result="sdkappid"} 0`,
		`{command="",event="",result="overload"} 0`,
	} {
		if !strings.Contains(out, "escalator_callbacks_total"+want) {
			t.Errorf("escalator_callbacks_total%s is missing", want)
		}
	}
}
