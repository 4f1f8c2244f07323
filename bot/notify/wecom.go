package notify

import (
	"net/url"

	"escalator/bot/desk"
)

// wecom is a group robot of WeCom (企业微信群机器人): developer.work.weixin.qq.com/document/path/91770.
// The key of the robot stands in the address; nothing is signed. The content of a text has
// 2,048 bytes at most, and <@userid> in it calls a member. 20 messages a minute. The
// answer is {"errcode":0,"errmsg":"ok"}, with HTTP status 200 whatever the code is.
var wecom = &channel{
	limit:  2048,
	escape: wideAngles,
	request: func(to *url.URL, _ desk.Secret, m *message) (*request, error) {
		return jsonPost(to, map[string]any{"msgtype": "text", "text": map[string]string{"content": m.text}})
	},
	judge: codeNamed("errcode"),
	hints: map[int]string{
		93000: "the robot is not known: it was taken out of its group, or the address is not whole; copy it anew",
		45009: "the robot got too many messages; others may use it too",
	},
}
