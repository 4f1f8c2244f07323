package notify

import (
	"net/url"
	"strings"

	"escalator/bot/desk"
)

// slack is an incoming webhook of Slack: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
// and docs.slack.dev/messaging/formatting-message-text. The secret stands in the address. & < and > are written as
// entities, so that <!channel> and <@user> call nobody; mrkdwn is off, and names are not
// linked. Slack wants texts of up to 4,000 characters. One message a second; the answer to success is HTTP status
// 200 and the word ok, a refusal has another status.
var slack = &channel{
	limit: 4000,
	escape: func(r rune) string {
		switch r {
		case '&':
			return "&amp;"
		case '<':
			return "&lt;"
		case '>':
			return "&gt;"
		}
		return string(r)
	},
	request: func(to *url.URL, _ desk.Secret, m *message) (*request, error) {
		return jsonPost(to, map[string]any{"text": m.text, "mrkdwn": false, "link_names": false, "unfurl_links": false, "unfurl_media": false})
	},
	judge: func(body []byte) (int, bool) { return 0, strings.TrimSpace(string(body)) == "ok" },
	hints: map[int]string{
		403: "the workspace does not let this webhook write: ask who manages it",
		404: "the webhook, or its channel, is gone: make a new one",
		410: "the channel is archived: make a webhook for another one",
		429: "the workspace got too many messages",
	},
}
