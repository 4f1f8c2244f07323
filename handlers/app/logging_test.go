package app_test

import (
	"regexp"
	"testing"

	"escalator/bot/logtest"
	"escalator/handlers/app"
)

// Who reads yesterday's terminal, or one from elsewhere, must know which day and which
// zone it was.
func TestLog_forPeople_hasDateAndZone(t *testing.T) {
	for _, format := range []string{"text", "color"} {
		var out logtest.Buffer
		log, err := app.NewLog(&out, "info", format)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("planted")
		log.Close(t.Context())
		if !regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d{4}`).MatchString(out.String()) {
			t.Errorf("%s: %q", format, out.String())
		}
	}
}
