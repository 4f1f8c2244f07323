package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/rules/lang"
)

// demoPanel is the agents' panel of the demo.
type demoPanel struct {
	url   string
	token desk.Secret // made up anew by each demo
}

// show tells what the agent of a session sees in the panel, and where a browser shows it.
func (p demoPanel) show(story *narrator, session string) {
	told, err := p.ask(session)
	if err != nil {
		story.line("demo", lang.Say("the agents' panel shows nothing: %v", err))
		return
	}
	if why := told.Why; why != nil {
		story.line("panel", lang.Say("why: %s   (rule %s, found: %s)", why.About, why.Rule, strings.Join(why.Matched, ", ")))
	}
	for _, f := range told.Fields {
		story.line("panel", lang.Say("%s: %s", f.Name, f.Value))
	}
	for _, w := range told.Words {
		story.line("panel", lang.Say("left: %s", w.Text))
	}
	story.line("panel", lang.Say("and %d messages, as a page in Desk:", len(told.Turns)))
	story.env.print(lang.Raw("    " + p.url + "#token=" + p.token.Reveal() + "&sessionid=" + session)) // whole, to be copied
}

// ask asks as the page does.
func (p demoPanel) ask(session string) (*bot.Panel, error) {
	body, err := json.Marshal(map[string]string{"session": session})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), sceneTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/context", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.token.Reveal())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: it is on loopback
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, lang.Errorf("it answers %s", resp.Status)
	}
	told := &bot.Panel{}
	return told, json.NewDecoder(resp.Body).Decode(told)
}
