package browser_test

import (
	"time"

	"escalator/bot"
	"escalator/bot/messages"
	"escalator/rules"
)

// aCustomer has something in each part of the panel; some of it would be markup, were it taken for that.
func aCustomer() *bot.Panel {
	at := func(minute int) time.Time { return time.Date(2026, 1, 5, 2, minute, 0, 0, time.UTC) }
	return &bot.Panel{
		Known: true, Session: "@session-7f3a", User: "li_2931", Phase: "human", Older: true,
		Why: &bot.PanelReason{
			At: at(6), Rule: "ask-human", About: "客户要求人工服务 / asks for a person", Outcome: "transfer", Target: "after-sales", Matched: []string{"转人工", "退款"}, Why: "says: 转人工",
		},
		Counters: &rules.Counters{UserMessages: 4, MissesInARow: 2, Transfers: 1},
		Turns: []bot.PanelTurn{
			{At: at(1), Role: "user", Text: "订单 *** 还没到，怎么办？"},
			{At: at(1), Role: "bot", Text: "抱歉，我没有理解您的问题，请换一种说法。"},
			{At: at(3), Role: "user", Text: "<img src=x onerror=\"document.title='broken'\"> 我要退款", Sends: []string{"image"}},
			{At: at(3), Role: "bot", Text: "抱歉，我没有理解您的问题。"},
			{At: at(6), Role: "user", Text: "退款！转人工"},
			{At: at(6), Role: "escalator", Text: "正在为您转接人工客服，请稍候。"},
		},
		Fields: []rules.PanelField{{Name: "会员 Level", Value: "<i>gold</i>"}, {Name: "Order no.", Value: "A-20260105-77"}, {Name: "Shop"}},
		Words:  []messages.Words{{At: at(4), Text: "明天上午打我电话 13800138000"}},
	}
}

// inEnglish is a customer who speaks English, for the pictures.
func inEnglish() *bot.Panel {
	p := aCustomer()
	p.Why.About, p.Why.Matched = "The customer asks for a person.", []string{"talk to a person", "refund"}
	for i, text := range []string{
		"Order *** has not arrived. What now?", "Sorry, I did not understand. Please say it in other words.", "I want a refund", "Sorry, I did not understand.",
		"Refund! Let me talk to a person", "One moment please, somebody will be with you.",
	} {
		p.Turns[i].Text = text
	}
	p.Fields = []rules.PanelField{{Name: "Level", Value: "gold"}, {Name: "Order no.", Value: "A-20260105-77"}, {Name: "Shop"}}
	p.Words[0].Text = "Please call me tomorrow morning: 555 0100"
	return p
}

// inChinese is the same in Chinese.
func inChinese() *bot.Panel {
	p := aCustomer()
	p.Why.About, p.Turns[2].Text = "客户要求人工服务", "我要退款"
	p.Fields = []rules.PanelField{{Name: "会员", Value: "金卡"}, {Name: "订单号", Value: "A-20260105-77"}, {Name: "门店"}}
	return p
}
