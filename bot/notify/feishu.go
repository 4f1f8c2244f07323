package notify

import (
	"net/url"
	"strconv"

	"escalator/bot/desk"
)

// feishu is a custom bot of Feishu or Lark (自定义机器人):
// open.feishu.cn/document/client-docs/bot-v3/add-custom-bot. Where signatures are switched
// on, the body holds the time in seconds, at most an hour off, and HMAC-SHA256 of nothing
// with time, line feed and secret as the key. The body has 20 KB at most, and <at …> in a
// text calls somebody. 100 messages a minute. The answer is {"code":0,…}, of old
// addresses {"StatusCode":0,…}.
var feishu = &channel{
	limit:  16 << 10, // the body is longer by what JSON escapes, and by its frame
	escape: wideAngles,
	request: func(to *url.URL, key desk.Secret, m *message) (*request, error) {
		body := map[string]any{"msg_type": "text", "content": map[string]string{"text": m.text}}
		if key != "" {
			at := strconv.FormatInt(m.at.Unix(), 10)
			body["timestamp"], body["sign"] = at, feishuSign(at, key)
		}
		return jsonPost(to, body)
	},
	judge: codeNamed("code", "StatusCode"),
	hints: map[int]string{
		19001: "the address is not known: copy it anew",
		19021: "the signature is refused: put the bot's secret into secret_file, and look at this machine's clock",
		19022: "the bot takes messages from listed addresses only: add that of this machine",
		19024: "the bot wants a keyword: add Escalator to its keywords",
		11232: "the bot got too many messages",
	},
}

func feishuSign(at string, key desk.Secret) string { return sign(at+"\n"+key.Reveal(), "") }
