package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"time"

	"escalator/bot/desk"
)

// The headers of a webhook that is signed.
const (
	headerTimestamp = "X-Escalator-Timestamp"
	headerSignature = "X-Escalator-Signature"
)

// webhookBody is what an address of one's own gets (docs/installations.md). Names are
// not changed any more, and none is taken out.
type webhookBody struct {
	Version int       `json:"version"` // 1
	ID      string    `json:"id"`      // the same when a message is sent again
	At      time.Time `json:"at"`
	notice
}

// webhook is any address that takes a POST of JSON. With a key there are two more
// headers: the time in seconds, and sha256= with HMAC-SHA256 in hex of that time, a dot
// and the body.
var webhook = &channel{
	limit:  16 << 10,
	escape: plainText,
	request: func(to *url.URL, key desk.Secret, m *message) (*request, error) {
		body := webhookBody{Version: 1, ID: m.id, At: m.at.UTC().Truncate(time.Second), notice: m.notice}
		body.Text = m.text
		r, err := jsonPost(to, body)
		if err == nil && key != "" {
			at := strconv.FormatInt(m.at.Unix(), 10)
			r.header = map[string]string{headerTimestamp: at, headerSignature: "sha256=" + webhookSign(key, at, r.body)}
		}
		return r, err
	},
	judge: func([]byte) (int, bool) { return 0, true }, // any 2xx
	hints: map[int]string{401: "the address wants another key in secret_file", 403: "the address wants another key in secret_file", 404: "nobody takes messages at this address"},
}

func webhookSign(key desk.Secret, at string, body []byte) string {
	h := hmac.New(sha256.New, []byte(key.Reveal()))
	h.Write([]byte(at + "."))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}
