package notify

import (
	"net/url"
	"strconv"

	"escalator/bot/desk"
)

// dingtalk is a custom robot of DingTalk (自定义机器人):
// open.dingtalk.com/document/orgapp/custom-robot-access and
// open.dingtalk.com/document/orgapp/customize-robot-security-settings. Where signatures are
// switched on, the query holds the time in milliseconds, at most an hour off, and
// HMAC-SHA256 of time, line feed and secret. A content has 5,000 characters at most;
// people are called by the field "at" only. 20 messages a minute, else ten minutes of
// silence. The answer is {"errcode":0,"errmsg":"ok"}.
var dingtalk = &channel{
	limit:  5000,
	escape: plainText,
	request: func(to *url.URL, key desk.Secret, m *message) (*request, error) {
		signed := *to
		if key != "" {
			at := strconv.FormatInt(m.at.UnixMilli(), 10)
			query := signed.Query()
			query.Set("timestamp", at)
			query.Set("sign", sign(key.Reveal(), at+"\n"+key.Reveal()))
			signed.RawQuery = query.Encode()
		}
		return jsonPost(&signed, map[string]any{
			"msgtype": "text", "text": map[string]string{"content": m.text}, "at": map[string]bool{"isAtAll": false},
		})
	},
	judge: codeNamed("errcode"),
	hints: map[int]string{
		300001: "the address is not known: copy it anew",
		300005: "the address is not known: copy it anew",
		310000: "the robot's security settings refuse it: put its secret into secret_file, or add Escalator to its keywords, or this machine's address; and look at this machine's clock",
		130101: "the robot got too many messages, and takes none for ten minutes",
		410100: "the robot got too many messages, and takes none for ten minutes",
	},
}
