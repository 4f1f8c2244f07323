package cli

import (
	"context"
	"strings"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
	"escalator/handlers/app"

	"escalator/rules/lang"
)

// runDesk runs the Desk emulator alone: a stand-in for Tencent's side.
func runDesk(ctx context.Context, env Env, args []string) error {
	fs := newFlags("desk")
	listen := fs.String("listen", "127.0.0.1:9090", "address of the REST API and the control pages")
	callback := fs.String("callback-url", "http://127.0.0.1:8080/callback", "where callbacks are sent; set it to the service's callback URL")
	appID := fs.Uint64("sdkappid", desktest.DefaultSDKAppID, "SDKAppID of the emulated app")
	agents := fs.String("agents", "li@example.com,wang@example.com", "agents that are online at the start, all in group 1")
	prompts := fs.Bool("prompts", true, "send system prompts (queuing, connectedToAgent, …) as bot messages")
	members := fs.Bool("member-events", false, "send Member.EventNotify whenever an agent's status changes")
	const usage lang.Text = "[flags]\n\nThe key and the callback token are those of the service: ESCALATOR_SECRET_KEY and ESCALATOR_CALLBACK_TOKEN,\nor the files named by …_FILE (without a key, a public sample key is used and printed)."
	if err := flagsOnly(fs, env, args, usage); err != nil {
		return err
	}
	var s app.Settings
	if err := readSecrets(&s, env.Getenv); err != nil {
		return err
	}
	key, token := s.SecretKey, desk.Secret("")
	if len(s.CallbackTokens) > 0 {
		token = s.CallbackTokens[0]
	}
	d := desktest.New(desktest.Options{
		SDKAppID: *appID, Key: key, Identifier: env.Getenv("ESCALATOR_IDENTIFIER"),
		CallbackURL: *callback, Token: token, Prompts: *prompts, MemberEvents: *members, AnswerAtOnce: true,
	})
	for id := range strings.SplitSeq(*agents, ",") {
		if id = strings.TrimSpace(id); id != "" {
			d.SetAgent(desktest.Agent{ID: id, Groups: []int64{1}, Online: true})
		}
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	if err := d.Start(*listen); err != nil {
		return err
	}
	defer d.Close()
	env.print("Desk emulator at %s (GET %s/ lists what it can do)", d.URL(), d.URL())
	env.print("callbacks go to %s\nconnect the service with:", *callback)
	env.print("  export ESCALATOR_API_URL=%s ESCALATOR_SDKAPPID=%d", d.URL(), *appID)
	if key == "" {
		env.print("  export ESCALATOR_SECRET_KEY=%s", desktest.DefaultKey.Reveal())
	}
	<-ctx.Done()
	return nil
}
