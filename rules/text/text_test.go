package text

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNormalize_foldsWhatLooksAlike(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"  Hello \t\n World  ", "hello\nworld"},
		{"轉接人工客服", "转接人工客服"},
		{"ｈｕｍａｎ　ＡＧＥＮＴ", "human agent"},
		{"⼈⼯", "人工"},
		{"人\u200b工\ufe00", "人工"},
		{"don’t", "dont"},
		{"Don't I'll we've it's", "dont ill weve its"},
		{"l'agent d’un", "l'agent d'un"},
		{"Straße STRASSE", "strasse strasse"},
		{"İSTİYORUM ıstıyorum", "istiyorum istiyorum"},
		{"cafe\u0301 CAFÉ", "café café"},
		{"\xff\xfeok", "\ufffd\ufffdok"},
		{"①②", "12"},
		{"…", "..."},
		{"ﾃﾞｼﾞﾀﾙ", "デジタル"},
		{"a\u0000b", "ab"},
		{"é\u200d\u0301", "é\u0301"},
	} {
		if got := Normalize(tt.in); got != tt.want {
			t.Errorf("Normalize(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestNormalize_html_isResolvedOnce(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"<p>I want a <b>refund</b></p>", "i want a refund"},
		{"re<b>fund</b>", "refund"},
		{"one<br/>two<BR>three<div class='x'>four</div>", "one\ntwo\nthree\nfour"},
		{`<a href="https://a.b/?x>y" title='<'>here</a>`, "here"},
		{"I don&#39;t &amp;amp; won&apos;t", "i dont &amp; wont"},
		{"&lt;b&gt; &#x4eba;&#24037;&nbsp;!", "<b> 人工 !"},
		{"a < b > c <3 <me> <b", "a < b > c <3 <me> <b"},
		{"AT&T; &notit; &; &#; &amp", "at&t; &notit; &; &#; &amp"},
		{"e<i>\u0301</i>", "é"},
		{"<ul><li>一</li><li>二</li></ul>", "一\n二"},
		{"aaa <i>b</i>bb", "aa bb"},
	} {
		if got := Normalize(tt.in); got != tt.want {
			t.Errorf("Normalize(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestOrigSpan_html_leadsBackToTheOriginal(t *testing.T) {
	for _, tt := range []struct{ phrase, message, want string }{
		{"refund", "<p>a re<b>fund</b>!</p>", "re<b>fund"},
		{"人工", "<p>&nbsp;&#20154;&#24037;</p>", "&#20154;&#24037;"},
		{"dont", "<i>I don&#39;t</i> know", "don&#39;t"},
		{"last", strings.Repeat("<b>好</b>", 600) + " <i>last</i>", "last"},
	} {
		if got := spans(matcherOf(t, tt.phrase), tt.message); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%s in %q: %q, want %q", tt.phrase, tt.message, got, tt.want)
		}
	}
}

func tokensOf(s string) []string {
	var m Message
	m.Reset(s)
	var out []string
	for i := range m.Tokens() {
		out = append(out, m.Word(i))
	}
	return out
}

func TestTokens_followTheScript(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"我要找agent人工", "我|要|找|agent|人|工"},
		{"I don't want it", "i|dont|want|it"},
		{"l'agent", "l|agent"},
		{"打12315投诉", "打|12315|投|诉"},
		{"h.u.m.a.n please", "human|please"},
		{"I want a h-u-m-a-n", "i|want|a|human"},
		{"को दे दो", "को|दे|दो"},
		{"ขอคุยกับคน", "ข|อ|คุ|ย|กั|บ|ค|น"},
		{"상담원 연결", "상담원|연결"},
		{"मुझे इंसान", "मुझे|इंसान"},
		{"オペレーター", "オ|ペ|レ|ー|タ|ー"},
		{"1,000.50", "1|000|50"},
		{"o'clock agent's", "o|clock|agents"},
	} {
		if got := strings.Join(tokensOf(tt.in), "|"); got != tt.want {
			t.Errorf("tokens of %q = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// matcherOf builds a matcher; the IDs are the indexes.
func matcherOf(t testing.TB, phrases ...string) *Matcher {
	t.Helper()
	var b Builder
	for i, p := range phrases {
		id, err := b.Add(p, Options{})
		if err != nil {
			t.Fatalf("Add(%q): %v", p, err)
		}
		if int(id) != i {
			t.Fatalf("Add(%q) = %d, want %d", p, id, i)
		}
	}
	m, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// spans returns the texts of the hits of one phrase.
func spans(m *Matcher, s string) []string {
	var msg Message
	msg.Reset(s)
	var out []string
	for _, h := range m.Find(&msg, nil) {
		from, to := msg.OrigSpan(int(h.First), int(h.Last))
		out = append(out, s[from:to])
	}
	return out
}

func TestFind_meansWhatTheTableSays(t *testing.T) {
	for _, tt := range []struct {
		phrase, message string
		want            []string
	}{
		{"转人工", "我要转人工客服", []string{"转人工"}},
		{"轉人工", "我要转人工客服", []string{"转人工"}},
		{"转人工", "我要轉人工客服", []string{"轉人工"}},
		{"人工", "我一个人，工作忙", nil},
		{"人工", "我一个人 工作忙", nil},
		{"转人工", "转 人 工", []string{"转 人 工"}},
		{"转人工", "转-人-工！", []string{"转-人-工"}},
		{"human", "h.u.m.a.n", []string{"h.u.m.a.n"}},
		{"不转", "不，转", nil},
		{"agent", "the agenda", nil},
		{"agent", "AGENT!", []string{"AGENT"}},
		{"live agent", "a live, agent", nil},
		{"live agent", "a live-agent", []string{"live-agent"}},
		{"live agent", "a live  agent", []string{"live  agent"}},
		{"no, thanks", "no thanks", []string{"no thanks"}},
		{"no, thanks", "no, thanks", []string{"no, thanks"}},
		{"no, thanks", "no. thanks", nil},
		{"(talk|speak|chat) to (a)? (human|person)", "can i speak to person", []string{"speak to person"}},
		{"(talk|speak|chat) to (a)? (human|person)", "talk to a human", []string{"talk to a human"}},
		{"(talk|speak|chat) to (a)? (human|person)", "talk to the human", nil},
		{"转 .. 人工", "转一下人工", []string{"转一下人工"}},
		{"转 .. 人工", "转人工", []string{"转人工"}},
		{"转 .. 人工", "转，给我人工", []string{"转，给我人工"}},
		{"转 .. 人工", "转。给我人工", nil},
		{"转 .. 人工", "转一二三四五六七八九十人工", []string{"转一二三四五六七八九十人工"}},
		{"转 .. 人工", "转一二三四五六七八九十一人工", nil},
		{"speak .. manager", "speak to your very best manager", []string{"speak to your very best manager"}},
		{"speak .. manager", "speak to your very very best manager", nil},
		{"refund*", "refunding refund ref", []string{"refunding", "refund"}},
		{"=人工", "人工", []string{"人工"}},
		{"=人工", "人工！！", []string{"人工"}},
		{"=人工", "转人工", nil},
		{"=人工 (客服)?", "人工客服", []string{"人工客服"}},
		{`/\d{5}/`, "call 12315 now", []string{"12315"}},
		{`/人工+/`, "人工工 agent", []string{"人工工"}},
		{`/don't\s+want/`, "I DON’T want", []string{"DON’T want"}},
		{`/在吗？/`, "你在吗?", []string{"在吗"}},
		{`/在吗？/`, "你在吗？", []string{"在吗"}},
		{`/在吗？/`, "你在", nil},
		{`/（急）/`, "（急）退款", []string{"急"}},
		{`/（急）/`, "很急", nil},
		{`/急[！？]{2}/`, "急！？", []string{"急"}},
		{`/急\！/`, "急!", []string{"急"}},
		{`/[０-９]{3}单/`, "123单", []string{"123单"}},
		{`/等…/`, "等...", []string{"等"}},
		{`/轉.工/`, "转人工", []string{"转人工"}},
		{`/[?!]{2,}/`, "what?!", []string{""}},
		{"representative", "i need a representitive", []string{"representitive"}},
		{"representative", "i need a reprsentitive", []string{"reprsentitive"}},
		{"agent", "agnet please", []string{"agnet"}},
		{"agent", "agents", nil},
		{"human", "humna", []string{"humna"}},
		{"talk", "tlak", nil},
		{"dont want", "I don't want", []string{"don't want"}},
		{"找人工", "找人工", []string{"找人工"}},
		{"（转｜接）人工", "接人工", []string{"接人工"}},
		{"转 人工", "转 人工", []string{"转 人工"}},
		{"转人工", "转 人工", []string{"转 人工"}},
		{"转人工", "转 人 工", []string{"转 人 工"}},
		{"转人工", "转 人。工", nil},
		{"转人工", "转-人工", nil},
		{"转人工", "转\n人工", nil},
		{"找客服经理", "找 客服 经理", nil},
		{"（转｜接）人工", "接 人工", []string{"接 人工"}},
		{"查(快递|订单)", "查 订单 了", []string{"查 订单"}},
		{"找 .. 人工", "我找一个人 工作忙", nil},
		{"转人工", "请转 人 工 谢谢", []string{"转 人 工"}},
		{"转人工", "我要转-人-工谢谢", []string{"转-人-工"}},
		{"转人工", "我要转，人，工", nil},
		{"human", "i want h u m a n now", []string{"h u m a n"}},
		{"human", "我要h.u.m.a.n客服", []string{"h.u.m.a.n"}},
		{"human", "h-u-m-a-a-a-a-a-n", []string{"h-u-m-a-a-a-a-a-n"}},
		{"human", "h u m a n n n", []string{"h u m a n n n"}},
		{"agent", "AGENTTTT", []string{"AGENTTTT"}},
		{"agent", "a g e n t t t t", []string{"a g e n t t t t"}},
		{"agent", "a-g-g-g-g-e-n-n-n-n-n-t", []string{"a-g-g-g-g-e-n-n-n-n-n-t"}},
		{"agent", "h h h h h h", nil},
		{"human", "Humaaaaannn!", []string{"Humaaaaannn"}},
		{"food", "foooood", []string{"foooood"}},
		{"food", "foodd", nil},
		{"оператор", "оператоооор", []string{"оператоооор"}},
		{"representative", "reprsentativeeee", []string{"reprsentativeeee"}},
		{"help*", "hellllping", []string{"hellllping"}},
		{"god", "goooood", []string{"goooood"}},
		{"agree", "agreeement", nil},
		{"оператор", "аператор", []string{"аператор"}},
		{"οδηγία", "οδηγια", []string{"οδηγια"}},
		{"इंसान", "इनसान", []string{"इनसान"}},
		{"موظف", "مـوظــف", []string{"مـوظــف"}},
		{"موظف", "مُوَظَّف", []string{"مُوَظَّف"}},
		{"الموظف", "الموضف", []string{"الموضف"}},
		{"asesor", "acesor", []string{"acesor"}},
	} {
		got := spans(matcherOf(t, tt.phrase), tt.message)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s in %q (-want +got):\n%s", tt.phrase, tt.message, diff)
		}
	}
}

func TestAdd_saysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		src    string
		offset int
		want   string
	}{
		{"(a", 0, "not closed"},
		{"a)", 1, "without its"},
		{"a|b", 1, "outside parentheses"},
		{"(a|)", 3, "empty alternative"},
		{"()", 1, "empty alternative"},
		{"(|a)", 1, "empty alternative"},
		{"x (！|a)", 3, "nothing is left of this alternative"},
		{"(a)? (b)?", 0, "optional"},
		{".. a", 0, "beginning"},
		{"a ..", 2, "end"},
		{"..", 0, "nothing but a gap"},
		{"(a ..|b) (c)?", 3, "end"},
		{"", 0, "nothing is left"},
		{"！？", 0, "nothing is left"},
		{"re*fund", 2, "middle"},
		{"* a", 0, "without a word"},
		{"人*", 3, "script without spaces"},
		{"talk(ing)?", 4, "inside a word"},
		{"colou?r", 5, "inside a word"},
		{"/a(/", 1, "missing closing )"},
		{"/a*/", 1, "empty text"},
		{"/abc", 0, "not closed"},
		{"=/abc/", 1, "does not go"},
		{strings.Repeat("一", 300), 0, "longer than"},
		{strings.Repeat("(", 40) + "a" + strings.Repeat(")", 40), 32, "nested"},
		{"(" + strings.Repeat("a|", 30000) + "x)", 0, "too complex"},
	} {
		var b Builder
		_, err := b.Add(tt.src, Options{})
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("Add(%q) = %v, want a SyntaxError", tt.src, err)
			continue
		}
		if se.Offset != tt.offset || !strings.Contains(se.Message.String(), tt.want) {
			t.Errorf("Add(%q) = %d: %s; want %d: …%s…", tt.src, se.Offset, se.Message, tt.offset, tt.want)
		}
	}
}

func TestFind_byManyGoroutinesAtOnce_sharesOneMatcher(t *testing.T) {
	phrases := benchPhrases(300)
	m := benchMatcher(t, phrases)
	messages := benchMessages(phrases)
	want := make([]int, len(messages))
	var msg Message
	for i, s := range messages {
		msg.Reset(s)
		want[i] = len(m.Find(&msg, nil))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var msg Message
			for i, s := range messages {
				msg.Reset(s)
				if got := len(m.Find(&msg, nil)); got != want[i] {
					t.Errorf("%q: %d hits, want %d", s, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

func TestAdd_theSamePhraseTwice_hasOneID(t *testing.T) {
	var b Builder
	first, _ := b.Add("转人工", Options{})
	other, _ := b.Add("转人工", Options{NoTypos: true})
	again, _ := b.Add("转人工", Options{Lang: "en"})
	if first != again || first == other {
		t.Errorf("IDs %d, %d with typing errors off, %d again", first, other, again)
	}
	m, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if m.Len() != 2 || m.Phrase(first) != "转人工" {
		t.Errorf("%d phrases, the first %q", m.Len(), m.Phrase(first))
	}
}

func TestVariants_oneStepIsEnough(t *testing.T) {
	for i, s := range simplified {
		if s != 0 && simplify(rune(s)) != rune(s) {
			t.Errorf("%c becomes %c becomes %c", rune(i+firstVariant), rune(s), simplify(rune(s)))
		}
	}
}

func TestReset_longMessage_headAndTailAreRead(t *testing.T) {
	m := matcherOf(t, "转人工", "human")
	for _, tt := range []struct {
		text string
		want int
	}{
		{"转人工" + strings.Repeat("好", 5000) + "human", 2},
		{strings.Repeat("好", 2000) + "转人工" + strings.Repeat("好", 2000), 0},
		{strings.Repeat("好", 998) + "转人工" + strings.Repeat("好", 2000), 0},
		{strings.Repeat("好", 997) + "转人工" + strings.Repeat("好", 2000), 1},
		{strings.Repeat("好", 2000) + "转人工" + strings.Repeat("好", 997), 1},
		{strings.Repeat("好", 999) + "转" + strings.Repeat("x", 999) + "人工" + strings.Repeat("好", 998), 0},
	} {
		if got := spans(m, tt.text); len(got) != tt.want {
			t.Errorf("%d bytes: hits %q, want %d", len(tt.text), got, tt.want)
		}
	}
}

func TestWhole_punctuationBetweenItsWordsDoesNotCount(t *testing.T) {
	var b Builder
	for _, src := range []string{"=no (thanks|(thank)? you)", "=好的 麻烦 了", "no thanks"} {
		if _, err := b.Add(src, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	m, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		"No, thanks!": 1, "no. thank you": 1, "no thanks": 2, "好的，麻烦了。": 1, "no, thanks, not now": 0, "no": 0,
	} {
		var msg Message
		msg.Reset(text)
		if hits := m.Find(&msg, nil); len(hits) != want {
			t.Errorf("%q: %d hits, want %d", text, len(hits), want)
		}
	}
}

func TestBigrams_areThePairsOfNeighbours(t *testing.T) {
	for _, s := range []string{"", "a", "ab", "怎么改 地址？", "año ñandú", "ひらがな", "😀 ok 𠮷野家", "Café déjà vu 订单"} {
		var m Message
		m.Reset(s)
		var want []uint32
		var letters []rune
		for i := range m.Tokens() {
			letters = append(letters, []rune(m.Word(i))...)
		}
		for i := 1; i < len(letters); i++ {
			want = append(want, uint32((uint64(letters[i-1])<<21|uint64(letters[i]))*hashPrime>>32))
		}
		if got, chars := m.Bigrams(nil); chars != len(letters) || !slices.Equal(got, want) {
			t.Errorf("%q: %x of %d letters, want %x of %d", s, got, chars, want, len(letters))
		}
	}
}
