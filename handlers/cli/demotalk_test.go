package cli

import (
	"context"
	"strings"
	"testing"

	"escalator/bot/desk/desktest"
)

// The pauses of the script end with it: a line that comes while the bot speaks is no key to skip one.
func TestDemo_everyLineOfATalkIsObeyed(t *testing.T) {
	var out strings.Builder
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	typed := make(chan string, 2)
	typed <- "/bot one moment"
	typed <- "/new"
	close(typed)
	env := Env{Stdout: &out, Getenv: func(string) string { return "" }}
	s := &stage{desk: desktest.New(desktest.Options{}), story: newNarrator(env), slow: true, typed: typed, end: cancel, ended: ctx.Done()}
	defer s.desk.Close()
	if err := s.serveOn(ctx, "http://127.0.0.1:1/callback"); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "one moment") || !strings.Contains(got, "another conversation: you-2") {
		t.Errorf("got\n%s", got)
	}
}
