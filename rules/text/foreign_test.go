package text

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// own returns the tokens of a customer's message, with a bar for each barrier.
func own(s string) string {
	var m Message
	m.ResetCustomer(s)
	var words []string
	for i, t := range m.Tokens() {
		if t.brk == breakBarrier {
			words = append(words, "|")
		}
		words = append(words, m.Word(i))
	}
	return strings.Join(words, " ")
}

func TestResetCustomer_otherPeoplesWords_areBarriers(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"> talk to an agent\nthat is not what i asked", "that is not what i asked"},
		{"first\n  >> quoted\r\n&gt; quoted too\nlast", "first | last"},
		{"a > b", "a b"},
		{"「小助手：回复转人工」\n- - - - - - - -\n退款", "退 款"},
		{"「小助手：『转人工』\n第二行」\n-----\n退款", "退 款"},
		{"我说 “转人工”\n———\n不对", "我 说 | 不 对"},
		{"\"call an agent\"\n---\nno", "no"},
		{"「转人工」\n退款", "转 人 工 退 款"},
		{"「转人工」\n--\n退款", "转 人 工 退 款"},
		{"---\n退款", "退 款"},
		{"转人工」\n---\n退款", "转 人 工 退 款"},
		{"In reply to your message\nhuman", "human"},
		{"on Monday Ann wrote:\nhuman", "human"},
		{"On Monday Ann wrote：", ""},
		{"i underwrote: nothing", "i underwrote nothing"},
		{"in replying to you", "in replying to you"},
		{"see https://example.com/human-agent?x=1 now", "see | now"},
		{"看这个https://example.com/agent吧", "看 这 个 | 吧"},
		{"WWW.Example.com/agent now", "now"},
		{"awww.cute", "aww cute"},
		{"www. agent", "ww agent"},
		{"mail agent@example.com. please", "mail | please"},
		{"agent@home", "agent home"},
		{"发到agent.li@example.co.uk谢谢", "发 到 | 谢 谢"},
		{"the file human-agent.PDF is broken", "the file | is broken"},
		{"我发了《转人工流程.docx》", "我 发 了"},
		{"我要退款，附件 转人工.zip", "我 要 退 款 附 件"},
		{"agent.pdfs and .pdf", "agent pdfs and pdf"},
		{"x.apk怎么装", "怎 么 装"},
	} {
		if diff := cmp.Diff(tt.want, strings.TrimPrefix(own(tt.in), "| ")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.in, diff)
		}
	}
}

func TestFind_barrier_stopsEveryPhrase(t *testing.T) {
	for _, tt := range []struct {
		phrase, message string
		want            int
	}{
		{"live .. agent", "live https://example.com agent", 0},
		{"live agent", "live https://example.com agent", 0},
		{"=live agent", "live https://example.com agent", 0},
		{"=agent", "agent https://example.com", 1},
		{"=agent", "> who?\nagent", 1},
		{"no. agent", "no https://example.com agent", 0},
		{"/example/", "agent https://example.com", 1},
		{"agent", "https://example.com/agent", 0},
	} {
		m := matcherOf(t, tt.phrase)
		var msg Message
		msg.ResetCustomer(tt.message)
		if got := m.Find(&msg, nil); len(got) != tt.want {
			t.Errorf("%s in %q: %d hits, want %d", tt.phrase, tt.message, len(got), tt.want)
		}
		if !strings.Contains(Normalize(tt.message), msg.Normal()) {
			t.Errorf("the normal form %q of %q lacks something", msg.Normal(), tt.message)
		}
	}
}

// The packs' expressions ask for what the customer says, those of the file for whatever stands in a message.
func TestFind_patternOfAPack_passesOverBarriers(t *testing.T) {
	for lang, want := range map[string]int{"": 1, "en": 0} {
		var b Builder
		if _, err := b.Add("/agent/", Options{Lang: lang}); err != nil {
			t.Fatal(err)
		}
		m, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		var msg Message
		for text, want := range map[string]int{"see https://example.com/agent": want, "agent.pdf": want, "https://example.com an agent": 1} {
			msg.ResetCustomer(text)
			if got := m.Find(&msg, nil); len(got) != want {
				t.Errorf("language %q, %q: %d hits, want %d", lang, text, len(got), want)
			}
		}
	}
}

// Nobody but a customer quotes: of a bot's message every word counts.
func TestReset_quotationsAndLinks_areWords(t *testing.T) {
	if got := tokensOf("> a https://b.c"); len(got) != 4 {
		t.Errorf("tokens %q", got)
	}
}
