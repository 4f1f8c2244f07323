package notify

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"escalator/bot/desk"
	"escalator/bot/secrets"
	"escalator/rules"
)

// channel is how one kind of address wants its messages.
type channel struct {
	// limit is the longest text in bytes, after it was escaped.
	limit int
	// escape has no character of a text mean anything but itself: nobody must be
	// called by what a customer wrote.
	escape func(r rune) string
	// request makes the request; key is "" where messages are not signed.
	request func(to *url.URL, key desk.Secret, m *message) (*request, error)
	// judge reads an answer with a status of 2xx: the vendor's code, 0 for success.
	judge func(body []byte) (code int, ok bool)
	// hints are the way out, by the vendor's code or the HTTP status.
	hints map[int]string
}

var channels = map[string]*channel{"wecom": wecom, "feishu": feishu, "dingtalk": dingtalk, "slack": slack, "webhook": webhook}

// message is one message to a team.
type message struct {
	notice
	text string // escaped, and cut to the channel's limit
	at   time.Time
}

// sender sends notices to the addresses of teams.
type sender struct {
	folder secrets.Folder
	post   func(context.Context, *request) (answer, error)
	wall   func() time.Time
}

// Check says why messages to a team cannot be sent from here, nil if they can: its
// secrets must be there.
func Check(team *rules.Team, folder secrets.Folder) error {
	_, _, err := readSecrets(team, folder)
	return err
}

// SendTest sends a test message to a team. The error says what is wrong and, where that
// is known, the way out; it shows neither the address nor the key.
func SendTest(ctx context.Context, team *rules.Team, folder secrets.Folder) error {
	s := sender{folder, newPoster().post, time.Now}
	what := notice{Team: team.Name, Kind: test, Count: 1, Since: s.wall().UTC(), id: rand.Text()}
	what.Text = what.words(languageOf(team.Lang), s.wall())
	return s.send(ctx, team, what)
}

// send sends a notice to a team's address. The error is a *sendError.
func (s *sender) send(ctx context.Context, team *rules.Team, what notice) error {
	c := channels[team.Channel]
	to, key, err := readSecrets(team, s.folder)
	if err != nil {
		return &sendError{why: err.Error(), notCalled: true}
	}
	m := &message{notice: what, text: cut(what.Text, c), at: s.wall()}
	r, err := c.request(to, key, m)
	if err != nil {
		return &sendError{why: "the message cannot be written", notCalled: true}
	}
	a, err := s.post(ctx, r)
	if err != nil {
		return err
	}
	failure := &sendError{why: fmt.Sprintf("it answers with HTTP status %d", a.status), reached: a.status < 500, hint: c.hints[a.status], after: a.after}
	switch code, ok := c.judge(a.body); {
	case a.status < 200 || a.status > 299:
		return failure
	case !ok:
		failure.why, failure.reached = "what it answers is not an answer of "+team.Channel, false
		return failure
	case code != 0:
		failure.why, failure.hint = fmt.Sprintf("it refuses with code %d", code), c.hints[code]
		return failure
	}
	return nil
}

// addressOf stands for the address of a team, in records too: files of two names may hold
// the same. For one that cannot be read the file's name does.
func addressOf(team *rules.Team, folder secrets.Folder) string {
	raw, err := folder.Read(team.URLFile)
	if err != nil {
		return team.URLFile
	}
	return code(raw)
}

// readSecrets reads the address and the key of a team.
func readSecrets(team *rules.Team, folder secrets.Folder) (to *url.URL, key desk.Secret, err error) {
	raw, err := folder.Read(team.URLFile)
	if err != nil {
		return nil, "", err //nolint:wrapcheck // it names the file
	}
	to, err = url.Parse(raw)
	if err != nil || to.Host == "" || to.Scheme != "https" && !(to.Scheme == "http" && desk.Loopback(to.Hostname())) {
		return nil, "", fmt.Errorf("%s in ESCALATOR_SECRETS_DIR is no address that begins with https:// (http:// for this machine only)", team.URLFile)
	}
	if team.SecretFile != "" {
		value, err := folder.Read(team.SecretFile)
		if err != nil {
			return nil, "", err //nolint:wrapcheck // the same
		}
		key = desk.Secret(value)
	}
	return to, key, nil
}

// cut escapes a text and cuts it to what the channel takes, between characters.
func cut(text string, c *channel) string {
	const more = "…"
	var b strings.Builder
	end := 0 // up to here there is room for the sign that more was there
	for _, r := range text {
		if r != '\n' && unseen(r) {
			r = ' '
		}
		piece := c.escape(r)
		if b.Len()+len(piece) > c.limit {
			return b.String()[:end] + more
		}
		b.WriteString(piece)
		if b.Len() <= c.limit-len(more) {
			end = b.Len()
		}
	}
	return b.String()
}

// unseen says that a character is not seen, or turns the direction of what is.
func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError
}

// plainText is for channels whose messages have no markup.
func plainText(r rune) string { return string(r) }

// wideAngles writes < and > as signs that look alike: in <@user> and <at …> they call
// somebody. So does ] before a link's address.
func wideAngles(r rune) string {
	switch r {
	case '<':
		return "＜"
	case '>':
		return "＞"
	case '[':
		return "［"
	case ']':
		return "］"
	}
	return string(r)
}

// jsonPost is a POST of JSON.
func jsonPost(to *url.URL, body any) (*request, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says so
	}
	return &request{to: to, body: b}, nil
}

// sign is HMAC-SHA256 in base64.
func sign(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// codeNamed reads an integer field of an answer that is a JSON object.
func codeNamed(names ...string) func(body []byte) (int, bool) {
	return func(body []byte) (int, bool) {
		var fields map[string]json.RawMessage
		if json.Unmarshal(body, &fields) != nil {
			return 0, false
		}
		for _, name := range names {
			var code int32
			if raw, there := fields[name]; there && json.Unmarshal(raw, &code) == nil {
				return int(code), true
			}
		}
		return 0, false
	}
}
