package desk

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/tidwall/gjson"
)

// MaxDepth is how deep a body may be nested. Tencent's own bodies stay below
// ten; the validator recurses once per level, so the limit guards its stack.
const MaxDepth = 64

// maxMentions bounds the accounts whose mention is stripped from one text, so
// that a hostile list cannot make the work quadratic.
const maxMentions = 32

// maxElements bounds the elements of a message that are told apart.
const maxElements = 16

// elemCustom is the element of an app's own making, the plug-in's among them.
const elemCustom = "TIMCustomElem"

// Errors of Decode. Both mean: answer 400.
var (
	ErrNotObject = errors.New("the body is not a JSON object")
	ErrTooDeep   = errors.New("the body is nested too deep")
)

// Decode reads one callback. It is lenient: unknown fields are ignored, every
// field may be missing, numbers may come as strings and strings as numbers; of
// a field that comes twice the first counts. An empty body is no error: the
// Event then holds what the query says.
func Decode(q Query, body []byte) (*Event, error) {
	e := &Event{Command: q.Command, Conflict: q.Conflict, RequestID: q.RequestID}
	if s := (scanner{b: body}); s.token() != 0 || s.at < len(body) {
		if tooDeep(view(body)) {
			return nil, ErrTooDeep
		}
		d := decoder{e: e}
		if !s.is('{') || !d.read(&s) {
			return nil, ErrNotObject
		}
		e.Body = body
		d.finish()
	}
	e.pack()
	return e, nil
}

// decoder fills an Event in one pass over the body. What depends on fields that
// may come later is kept and settled by finish.
type decoder struct {
	e        *Event
	command  string
	msgTime  time.Time
	mentions value
	texts    int
	joined   strings.Builder // used from the second text element on
}

// read reads the body, and reports whether it is an object of JSON.
func (d *decoder) read(s *scanner) bool {
	s.at++
	for first := true; s.more('}', first); first = false {
		if key := s.key(); key == "MsgBody" {
			d.elements(s)
		} else if v := s.value(); !s.bad {
			d.field(key, v)
		}
	}
	return s.ended()
}

func (d *decoder) field(key string, v value) {
	e := d.e
	switch key {
	case "CallbackCommand":
		c := v.text()
		e.Conflict = e.Conflict || (d.command != "" && d.command != c)
		first(&d.command, c)
	case "CloudCustomData":
		if v.raw != `""` { // as with nearly all messages
			d.customData(v.result())
		}
	case "EventTime":
		if e.Time.IsZero() {
			e.Time = instant(v, time.Millisecond)
		}
	case "MsgTime":
		d.msgTime = instant(v, time.Second)
	case "AtRobots_Account":
		d.mentions = v
	case "Body":
		if e.task == "" {
			e.task = enter(v.result()).Raw
		}
	case "SendMsgResult":
		e.SendFailed = e.SendFailed || flag(v.text())
	default:
		if id := e.id(key); id != nil {
			first(id, v.text())
		}
	}
}

// id returns where the short string of a body field goes, nil for others.
func (e *Event) id(name string) *string {
	switch name {
	case "SessionId", "SessionID": // Tencent spells both
		return &e.SessionID
	case "Event":
		return &e.Name
	case "ClientUserId":
		return &e.UserID
	case "CustomerServiceId":
		return &e.ServiceID
	case "MsgKey":
		return &e.MsgKey
	case "From_Account":
		return &e.From
	case "To_Account":
		return &e.To
	case "GroupId":
		return &e.GroupID
	case "MemberId":
		return &e.MemberID
	case "Status":
		return &e.Status
	}
	return nil
}

func (d *decoder) finish() {
	e := d.e
	e.Conflict = e.Conflict || (e.Command != "" && d.command != "" && !strings.EqualFold(e.Command, d.command))
	first(&e.Command, d.command)
	if e.Time.IsZero() {
		e.Time = d.msgTime
	}
	if d.texts > 1 {
		e.Text = d.joined.String()
	}
	switch {
	case e.Control():
		e.Text, e.Elements = "", nil
	case e.GroupID != "" && e.Text != "":
		e.Text = stripMentions(e.Text, d.mentions.result())
	}
	if e.task != "" && strings.EqualFold(e.Command, CommandTaskFlow) {
		vars := gjson.Parse(e.task)
		first(&e.SessionID, text(member(vars, "SystemSessionID")))
		first(&e.UserID, text(member(vars, "SystemClientUserID")))
	}
}

// elements reads MsgBody. A single element without its array is accepted too.
func (d *decoder) elements(s *scanner) {
	if s.token() != '[' {
		d.element(s)
		return
	}
	s.at++
	for first := true; s.more(']', first); first = false {
		d.element(s)
	}
}

func (d *decoder) element(s *scanner) {
	if s.token() != '{' {
		s.value()
		return
	}
	var kind, content value
	s.at++
	for first := true; s.more('}', first); first = false {
		key, v := s.key(), s.value()
		switch {
		case key == "MsgType" && kind.raw == "":
			kind = v
		case key == "MsgContent" && content.raw == "":
			content = v
		}
	}
	if s.bad {
		return
	}
	switch name := kind.text(); name {
	case "TIMTextElem":
		d.addText(content.member("Text").text())
	case "TIMStreamElem":
		if s := streamed(content.result()); s != "" {
			d.addText(s)
		}
	case elemCustom:
		d.custom(enter(content.member("Data").result()))
		fallthrough
	default:
		if name != "" && len(d.e.Elements) < maxElements {
			d.e.Elements = append(d.e.Elements, name)
		}
	}
}

// streamed is the text of a message that the bot writes piece by piece: the
// pieces so far or, for clients that cannot show those, the whole.
func streamed(content gjson.Result) string {
	if s := pieces(member(content, "Chunks"), "Markdown"); s != "" {
		return s
	}
	return text(member(content, "CompatibleText"))
}

// pieces joins the pieces of a streamed text: strings, or objects that hold one
// under a name.
func pieces(chunks gjson.Result, name string) string {
	if !chunks.IsArray() {
		return ""
	}
	var b strings.Builder
	chunks.ForEach(func(_, chunk gjson.Result) bool {
		if chunk.IsObject() {
			chunk = member(chunk, name)
		}
		b.WriteString(text(chunk))
		return true
	})
	return b.String()
}

// addText joins the text elements. The usual single one is not copied.
func (d *decoder) addText(s string) {
	d.texts++
	if d.texts == 1 {
		d.e.Text = s
		return
	}
	if d.texts == 2 {
		d.joined.WriteString(d.e.Text)
	}
	d.joined.WriteByte('\n')
	d.joined.WriteString(s)
}

// custom looks for the customer service plug-in's marks in a custom element.
// customerServicePlugin marks by the number 0; older clients' chatbotPlugin by
// being there.
func (d *decoder) custom(data gjson.Result) {
	if !data.IsObject() {
		return
	}
	var plugin bool
	var src string
	var chunks gjson.Result
	data.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "customerServicePlugin":
			plugin = plugin || text(v) == "0"
		case "chatbotPlugin":
			plugin = plugin || (v.Type != gjson.Null && v.Type != gjson.False)
		case "src":
			first(&src, text(v))
		case "chunks":
			chunks = v
		}
		return true
	})
	if plugin {
		d.e.Plugin = true
		first(&d.e.PluginSrc, src)
		if s := pieces(chunks, "content"); s != "" {
			d.addText(s)
		}
	}
}

// customData keeps CloudCustomData and, when it is a JSON object, its mark.
func (d *decoder) customData(v gjson.Result) {
	e := d.e
	if e.CloudCustomData != "" {
		return
	}
	e.CloudCustomData = text(v)
	if v.Type == gjson.JSON {
		e.CloudCustomData = valid(v.Raw)
	}
	data := enter(v)
	if !data.IsObject() {
		return
	}
	data.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "messageType":
			first(&e.Mark, text(v))
		case "role":
			first(&e.Role, text(v))
		}
		return true
	})
}

// stripMentions removes "@account" of every mentioned bot from a group's text.
// An account is removed only as a whole: @RBT#1 is not taken out of @RBT#12.
func stripMentions(s string, accounts gjson.Result) string {
	n := 0
	accounts.ForEach(func(_, v gjson.Result) bool {
		if account := text(v); account != "" {
			s = stripMention(s, "@"+account)
		}
		n++
		return n < maxMentions
	})
	return strings.TrimSpace(s)
}

func stripMention(s, mention string) string {
	if !strings.Contains(s, mention) {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, mention)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i+len(mention):]
		if s != "" && isWordByte(s[0]) {
			b.WriteString(mention)
		}
	}
}

func isWordByte(c byte) bool {
	return c == '_' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// instant reads a point in time given in units since 1970, as a number or a
// string. What is not between 1970 and the year 9999 is no time.
func instant(v value, unit time.Duration) time.Time {
	const lastSecond = 253402300799
	s := strings.TrimSpace(v.text())
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(f) || math.Abs(f) > 1e18 {
			return time.Time{}
		}
		n = int64(f)
	}
	perSecond := int64(time.Second / unit)
	if n <= 0 || n/perSecond > lastSecond {
		return time.Time{}
	}
	return time.Unix(n/perSecond, n%perSecond*int64(unit))
}

// flag reads a Bool that may come as a number or a string, given as text.
func flag(s string) bool {
	switch s {
	case "", "0", "false", "False":
		return false
	default:
		return true
	}
}

// view lends the bytes as a string without copying them. It is why the caller
// must leave Body alone while the Event is in use.
func view(b []byte) string { //nolint:gosec // bounded by b itself
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// bytesOf lends the bytes of a text; they must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) } //nolint:gosec // bounded by s itself
