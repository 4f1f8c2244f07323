package main

import (
	"strconv"
	"sync/atomic"
	"time"

	"escalator/bot/desk"
)

// kind is a sort of callback.
type kind string

const (
	quiet     kind = "does not escalate"
	escalates kind = "escalates"
	duplicate kind = "duplicate"
	forged    kind = "forged"
	begun     kind = "new conversation" // each callback begins another conversation
	spoken    kind = "first message"    // the same, and the customer has said something
)

// messages are of about 100 bytes, and no rule fires on them.
var messages = []string{
	"你好，我昨天在你们店里买的那件黑色的衣服到现在还没有收到，麻烦帮我看一下到哪里了",
	"Hello, I bought a pair of shoes last week and the colour is different from the picture on the site.",
	"请问这个型号的充电器能不能给去年的手机用，充满一次大概需要多长时间，有没有保修呢",
	"what are your opening hours on the weekend and do you also ship to the islands up in the north?",
	"我想改一下收货的时间，周末家里没有别的安排，能不能等到下周一的下午再送过来，谢谢你啦",
	"The app keeps crashing whenever I open the setings page, I have allready tried to instal it again", //nolint:misspell // customers do
	"这个颜色还有货吗？我看网站上写着三天之内发出，但是我着急要用，可以加钱发空运的么",
	"Can you tell me how much it costs to add another line to my plan, and is there a dicount for studnets",
	"嗯嗯好的，那我就先等等看吧，如果明天早上还是没有消息的话我再过来问一下，辛苦了哦",
}

// hitless are messages of 100 bytes in which the shipped rules find nothing at all.
var hitless = []string{
	"I bought two shirts on Monday and chose the size M, can you see on which day the parcel will arrive?",
	"The invoice for my last order shows the old address, where in the app is the page to have it changed",
	"上星期买的那双鞋偏小了，打算换大一码，邮费由谁付呢，大概过几天寄到?",
	"这款外套黑色卖完了吗，我身高一米七五体重七十公斤，穿哪个尺码更合适?",
}

// asks are messages that escalate.
var asks = []string{"我要转人工", "I want to talk to a real person", "人工客服", "please connect me to a human agent"}

const (
	// A conversation has sixTurns messages; as many conversations as inTurn are
	// under way at once, so that two messages of one seldom meet.
	sixTurns = 6
	inTurn   = 4096
	// requestIDs are how many different callbacks the duplicates are copies of.
	requestIDs = 1000
	// resign is how long a signature is used.
	resign = 10 * time.Second
)

// signed is a signature and the time it is of.
type signed struct {
	stamp, sign string
	made        time.Time
}

// requests writes callbacks. It may be used by several goroutines.
type requests struct {
	kind kind
	sign atomic.Pointer[signed]
}

func newRequests(k kind) *requests {
	r := &requests{kind: k}
	r.sign.Store(newSigned())
	return r
}

func newSigned() *signed {
	stamp, sign := signature()
	return &signed{stamp: stamp, sign: sign, made: time.Now()}
}

// append writes the n-th request behind dst; room is a buffer for its body.
func (r *requests) append(dst, room []byte, n int) (request, body []byte) {
	s := r.sign.Load()
	if time.Since(s.made) > resign {
		s = newSigned()
		r.sign.Store(s)
	}
	session, text, id := n, messages[n%len(messages)], n
	switch r.kind {
	case quiet, forged:
		turn := n % (sixTurns * inTurn) / inTurn
		session = n/(sixTurns*inTurn)*inTurn + n%inTurn
		text = messages[(turn+session)%len(messages)]
	case escalates:
		text = asks[n%len(asks)]
	case duplicate:
		session = n % requestIDs
		id, text = session, messages[session%len(messages)]
	case begun, spoken:
	}
	sign := s.sign
	if r.kind == forged {
		sign = wrong(sign)
	}
	event := desk.EventUserMessage
	if r.kind == begun {
		event = desk.EventSessionBegin
	}
	body = appendBody(room[:0], event, session, id) // its MsgKey too: else a copy would be another message
	body = appendText(body, text)
	dst = append(dst[:0], "POST /callback?SdkAppid="+callbackApp+"&CallbackCommand="+desk.CommandSessionEvent+
		"&contenttype=json&ClientIP=127.0.0.1&OptPlatform=RESTAPI&RequestTime="...)
	dst = append(dst, s.stamp...)
	dst = append(dst, "&Sign="...)
	dst = append(dst, sign...)
	dst = append(dst, "&RequestID=bench-"...)
	dst = strconv.AppendInt(dst, int64(id), 10)
	dst = append(dst, " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept-Encoding: gzip\r\nContent-Type: application/json\r\n"...)
	if r.kind == forged { // a refusal ends the connection, so the floor has to make one each time as well
		dst = append(dst, "Connection: close\r\n"...)
	}
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, body...), body
}

// wrong is another signature than the given one: its first digit is different.
func wrong(sign string) string {
	if sign[0] == '0' {
		return "1" + sign[1:]
	}
	return "0" + sign[1:]
}

var callbackApp = appID()

// appendBody begins a callback of about 500 bytes, as Desk sends them.
func appendBody(b []byte, event string, session, id int) []byte {
	b = append(b, `{"CallbackCommand":"Desk.SessionEventNotify","SessionId":"2baf4d84-beb4-4607-a1ea-`...)
	b = strconv.AppendInt(b, int64(1e12+session), 10)
	b = append(b, `","Event":"`...)
	b = append(b, event...)
	b = append(b, `","EventTime":1725540020017,"ChannelType":"SDK","ClientUserId":"user-`...)
	b = strconv.AppendInt(b, int64(session), 10)
	b = append(b, `","CustomerServiceId":"@customer_service_account","MsgKey":"152_1600012345_`...)
	return strconv.AppendInt(b, int64(id), 10)
}

// appendText ends it with what was said.
func appendText(b []byte, text string) []byte {
	b = append(b, `","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"`...)
	b = append(b, text...)
	return append(b, `"}}],"CloudCustomData":"","IsContactUser":false,"ForwardFromAgentId":""}`...)
}
