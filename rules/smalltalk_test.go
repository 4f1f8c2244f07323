package rules

import (
	"testing"
	"time"
)

func TestRepeats_smallTalk_neverCounts(t *testing.T) {
	const own = "cheers big ears"
	const as = `version: 1
targets: {default: {}}
rules:
  - {id: again, when: {repeats: {times: 3, within: 10m}}, then: {transfer: default}}
`
	changed, asShipped := mustLoad(t, []byte(as+"lists: {thanks: {add: ["+own+"]}}\n")), mustLoad(t, []byte(as))
	for text, want := range map[string]bool{
		"thank you": false, "Thank you so much": false, "thanks for all your help": false, "got it thanks": false, "you are welcome": false, "bye bye": false,
		"非常感谢你们": false, "谢谢你了": false, "多谢客服": false, "我知道了谢谢": false,
		"thanks so where is my parcel": true, "谢谢你了怎么还没到": true,
		own: false, "Thanks a lot!!": false, "好的，谢谢": false, "好的好的，辛苦了～": false, "[TUIEmoji_Smile]": false,
		"[TUIEmoji_Smile][TUIEmoji_Rose]": false, "[微笑][呲牙][强]": false, "哈哈哈哈": false, "hahahahaha": false, "ㅋㅋㅋㅋㅋ": false,
		"jajajaja": false, "хахаха": false, "555555": false, "hello there": false, "Guten Morgen": false, "xin chào shop": false,
		"yes please": false, "не надо, спасибо": false, "ありがとうございます": false, "你好，在吗": false, "👍👍👍👍": false,
		"नमस्ते": false, "haan ji shukriya": false, "hello, thanks a lot": false, "grazie mille": false, "bedankt, dank je wel": false, "terima kasih kak": false,
		"where is my parcel": true, "谢谢，我的快递呢": true, "hello where is it": true, "hahaha refund": true, "[订单 12345]没有收到": true,
		"thanks for nothing at all": true, "1234567890": true, "have you shipped it": true,
	} {
		for _, p := range []*Policy{changed, asShipped} {
			want := want || text == own && p == asShipped
			c, now := Conversation{}, start
			var d Decision
			for range 3 {
				now = now.Add(20 * time.Second)
				d = p.Decide(&c, Turn{Kind: UserTurn, Text: text, At: now})
				p.Decide(&c, Turn{Kind: BotTurn, Text: "不客气", At: now.Add(time.Second)})
			}
			if got := d.Rule == "again"; got != want {
				t.Errorf("%q three times: transferred %v, want %v (own thanks: %v)", text, got, want, p == changed)
			}
		}
	}
}
