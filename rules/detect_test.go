package rules

import (
	"strings"
	"testing"

	"escalator/rules/text"
)

// languagesOf gives the language of a conversation after each of its messages.
func languagesOf(messages ...string) string {
	var msg text.Message
	lang := ""
	var all []string
	for _, s := range messages {
		msg.ResetCustomer(s)
		lang = languageAfter(&msg, lang)
		all = append(all, lang)
	}
	return strings.Join(all, " ")
}

func TestLanguageAfter_firstVote_sets(t *testing.T) {
	for s, want := range map[string]string{
		"我的快递呢": "zh", "荷物はどこですか": "ja", "返品希望です": "ja", "주문이 안 왔어요": "ko", "พัสดุอยู่ไหน": "th", "где моя посылка": "ru",
		"أين طلبي": "ar", "मेरा पार्सल कहाँ है": "hi", "mera parcel kahan hai": "hi",
		"where is my parcel": "en", "di mana paket saya ya kak": "id", "di manakah bungkusan saya? tolong": "ms",
		"đơn hàng của tôi ở đâu": "vi", "dónde está mi paquete": "es", "onde está minha encomenda": "pt", "où est mon colis": "fr",
		"wo ist mein Paket": "de", "kargom nerede": "tr", "dov'è il mio pacco": "it", "waar is mijn pakket": "nl",
		// Greetings and one-word requests.
		"hello": "en", "merhaba": "tr", "bonjour": "fr", "obrigado": "pt", "refund": "en",
		// Without a vote.
		"": "", "12345": "", "iPhone 15 Pro Max": "", "xk7 q9z": "", "qwertz": "", "👍": "", "https://example.com/where/is/my/order": "",
		"这个网页打不开 https://example.com/where/is/my/order": "zh", "> where is my order\n我的": "zh", "no": "",
		// Han beside Latin words.
		"我买了 the new phone": "en", "我要 cancel": "zh", "帮我看看 order status": "zh",
	} {
		if got := languagesOf(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestLanguageAfter_laterMessages_needMore(t *testing.T) {
	for _, tt := range []struct {
		messages []string
		want     string
	}{
		{[]string{"我要退货", "iPhone 15 Pro Max"}, "zh zh"},
		{[]string{"我要退货", "thanks"}, "zh zh"},
		{[]string{"我要退货", "ok thank you"}, "zh en"},
		{[]string{"我要退货", "where is my order"}, "zh en"},
		{[]string{"where is my order", "嗯"}, "en en"},
		{[]string{"where is my order", "退款"}, "en zh"},
		{[]string{"荷物はどこですか", "返品希望"}, "ja ja"},
		{[]string{"荷物はどこですか", "환불"}, "ja ko"},
		{[]string{"我要退货", "お願いします"}, "zh ja"},
		{[]string{"我要退货", "哈の"}, "zh zh"},
		{[]string{"where is my order", "hola"}, "en en"},
		{[]string{"where is my order", "quiero hablar con alguien"}, "en es"},
		{[]string{"where is my order", "quiero hablar con the manager"}, "en en"},
		{[]string{"dónde está mi paquete", "sorry, where is it"}, "es en"},
		{[]string{"где мой заказ", "ok"}, "ru ru"},
		{[]string{"где мой заказ", "แล้ว"}, "ru th"},
		{[]string{"mera order kahan hai", "मुझे पैसे चाहिए"}, "hi hi"},
		{[]string{"hello", "12345", "🙂"}, "en en en"},
	} {
		if got := languagesOf(tt.messages...); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.messages, got, tt.want)
		}
	}
}

func TestPackWords_everyLanguageOfLatinLetters_hasEverydayWords(t *testing.T) {
	words := packWords()
	for word, lang := range map[string]string{"merci": "fr", "bitte": "de", "ontvangen": "nl", "ricevuto": "it", "chahiye": "hi"} {
		if words[word] != languageBit(lang) {
			t.Errorf("%q is of %b, want %s alone", word, words[word], lang)
		}
	}
}

func TestPackLexicon_knowsWhatThePacksKnow(t *testing.T) {
	var msg text.Message
	words := packWords()
	for word, languages := range words {
		if msg.Reset(word); len(msg.Tokens()) == 1 && msg.Word(0) == word && packLexicon().Of(&msg.Tokens()[0]) != languages {
			t.Errorf("%q is of %b, want %b", word, packLexicon().Of(&msg.Tokens()[0]), languages)
		}
	}
	for _, word := range []string{"qwertzuiop", "zzyzx", "x"} {
		if msg.Reset(word); packLexicon().Of(&msg.Tokens()[0]) != words[word] {
			t.Errorf("%q: %b", word, packLexicon().Of(&msg.Tokens()[0]))
		}
	}
}
