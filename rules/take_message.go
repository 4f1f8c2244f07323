package rules

import (
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

// TakeMessage asks a customer to leave words, because nobody is there. It is stored with a transfer, as part of its target.
type TakeMessage struct {
	// Target is the id of the target whose agents are to contact the customer, within its hours.
	Target string  `json:"target"`
	Say    *Speech `json:"say"`
	// For is how long words are taken, ContactWithin how long the customer may wait for the contact.
	For           time.Duration `json:"for"`
	ContactWithin time.Duration `json:"contact_within"`
}

const (
	// maxLeft and maxLeftChars bound what one customer may leave. What comes after that is the bot's again: it would be
	// lost otherwise.
	maxLeft      = 10
	maxLeftChars = 2000
	// maxContactWithin is how long words are kept that led to no contact.
	maxContactWithin = 7 * 24 * time.Hour
)

var takeMessageShape = &shape{
	name: "a mapping of say, for and contact_within", ref: "takeMessage", form: formRecord,
	doc: "Asks the customer to leave words. They are kept, the staff is told, and the customer is contacted once as soon as somebody is free.",
	fields: []field{
		{key: "say", of: aSentence, required: true, doc: "Asks for the words; they are taken from the moment on that it was sent.", aka: []string{"text", "message", "ask"}},
		{key: "for", of: aSpan, standard: "15m", doc: "How long words are taken; at most session_ttl.", aka: []string{"within", "during", "until"}},
		{key: "contact_within", of: aSpan, standard: "24h", doc: "After this nobody contacts the customer any more; at most 7d.", aka: []string{"contact", "call_back_within"}},
	},
	examples: []string{"{say: 现在没有人工客服，请留言，我们会尽快联系您。, for: 15m, contact_within: 24h}"},
}

// takeMessage reads a request for words, nil if there is none.
func (l *loader) takeMessage(n *yaml.Node, target string) *TakeMessage {
	if n == nil {
		return nil
	}
	long, within := l.get(n, "for"), l.get(n, "contact_within")
	t := &TakeMessage{
		Target: target, Say: l.speech(l.get(n, "say")),
		For: l.duration(l.value(n, takeMessageShape, "for")), ContactWithin: l.duration(l.value(n, takeMessageShape, "contact_within")),
	}
	if t.For > l.policy.sessionTTL {
		hint := lang.Text("shorten it, or raise defaults.session_ttl")
		if long == nil {
			long, hint = n, "add a shorter `for`, or raise defaults.session_ttl"
		}
		l.fail(long, hint, "words would be taken for %s, longer than a conversation is remembered (session_ttl %s)", formatDuration(t.For), formatDuration(l.policy.sessionTTL))
	}
	if t.ContactWithin > maxContactWithin {
		l.fail(within, "for example contact_within: 24h", "words are kept for %s at most, so nobody could be contacted later", formatDuration(maxContactWithin))
	}
	return t
}

// IfNobody is what a customer hears when nobody was there in a whole chain: the first text on the way. take is not nil
// where it asks for words. A nil say leaves the words to Desk's own tip.
func IfNobody(chain []*Target) (say *Speech, take *TakeMessage) {
	for _, t := range chain {
		if t.TakeMessage != nil {
			return t.TakeMessage.Say, t.TakeMessage
		}
		if t.SayIfNoAgent != nil {
			return t.SayIfNoAgent, nil
		}
	}
	return nil, nil
}

// openMessage is a request for words that the customer has before them. Whatever becomes of the file, it is kept to.
type openMessage struct {
	rule, target  string
	opened, until int64 // until 0: none is open
	contactWithin int64
	left          uint8
	chars         uint16
}

// Left is a message that a customer left.
type Left struct {
	// Words are the customer's own, cut to what may be left; [image] and the like stand for what is no text.
	Words string
	// Opened is when the customer was asked for words: those of one request belong together.
	Opened        time.Time
	ContactWithin time.Duration
}

// AwaitWords notes that a customer was asked for words on behalf of a rule: send_msg succeeded. It is of no use any more
// when somebody has the customer by now.
func (c *Conversation) AwaitWords(rule string, t *TakeMessage, at time.Time) {
	now := c.see(at)
	if c.phase == PhaseQueued || c.phase == PhaseHuman {
		return
	}
	c.own().ownRare().message = openMessage{
		rule: rule, target: t.Target, opened: now, until: now + t.For.Milliseconds(), contactWithin: t.ContactWithin.Milliseconds(),
	}
}

// endMessage takes no more words.
func (c *Conversation) endMessage() {
	if c.memory != nil && c.memory.rare != nil {
		c.memory.rare.message = openMessage{}
	}
}

// takeWords keeps a message of the customer who was asked for words, when no rule has a say in it.
func (e *evaluation) takeWords(d *Decision) {
	m := e.c.recall().recallRare().message
	if m.until == 0 || e.kind != onUser || e.c.phase != PhaseBot {
		return
	}
	if e.now > m.until {
		e.c.endMessage()
		return
	}
	words := clipChars(e.leaves(), maxLeftChars-int(m.chars))
	if words == "" {
		return
	}
	*d = Decision{
		Rule: m.rule, Mode: string(ModeEnforce), Outcome: OutcomeMessage, Target: m.target, Shadow: d.Shadow, Would: d.Would,
		Left: &Left{Words: words, Opened: time.UnixMilli(m.opened), ContactWithin: time.Duration(m.contactWithin) * time.Millisecond},
	}
	if m.left == 0 {
		d.Say = builtinThanks.only(e.c.Language())
	}
	m.left++
	m.chars += uint16(utf8.RuneCountInString(words))
	if e.t.WithWhy {
		d.Why = Why{{"take_message", lang.Say("words kept, %s of at most %s", itoa(int(m.left)), itoa(maxLeft)), false}}
	}
	if m.left == maxLeft || m.chars >= maxLeftChars {
		m = openMessage{}
	}
	e.c.memory.rare.message = m
	e.c.waiting = 0 // the bot is not asked, so its silence means nothing
	e.noteLeft(d)
}

// leaves is what the customer's message leaves: its text, and a word for each thing that is none.
func (e *evaluation) leaves() string {
	parts := []string{strings.ToValidUTF8(strings.TrimSpace(e.t.Text), "\uFFFD")}
	for _, name := range e.t.Sends.Names() {
		parts = append(parts, "["+name+"]")
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// clipChars cuts a text to so many characters.
func clipChars(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}

// noteLeft writes down that the customer's words are kept.
func (e *evaluation) noteLeft(d *Decision) {
	r := e.p.findRule(d.Rule)
	if e.trace == nil || r == nil {
		return
	}
	e.trace.notes[r.id] = RuleTrace{ID: r.id, Mode: r.mode, Result: "fired", Why: "the customer leaves words, as it asked"}
	e.noteEffect(r, d)
}

// lintTakeMessage points at requests for words that cannot be made, and at what they stand in for.
func (l *loader) lintTakeMessage(n *yaml.Node, t *Target) {
	take := t.TakeMessage != nil
	l.idle(n, "say_if_no_agent", take, "`take_message` stands in for it", "take one of the two out")
	l.idle(n, "say_if_closed", take && t.calendar != nil, "`take_message` stands in for it", "take one of the two out")
	ends := t.EndSession != nil && *t.EndSession && t.calendar == nil
	l.idle(n, "take_message", ends, "`end_session_if_no_agent` ends the conversation first", "take one of the two out")
}

// only is the speech in the language in which it will be said.
func (s *Speech) only(lang string) *Speech {
	return &Speech{Texts: []SpeechText{{Lang: lang, Text: s.For(lang)}}}
}

// builtinThanks acknowledges the first words that a customer leaves.
var builtinThanks = &Speech{Texts: []SpeechText{
	{"zh", "已收到您的留言，客服上线后会尽快联系您。您还可以继续补充。"},
	{"en", "Thank you, we have your message. Somebody will contact you as soon as possible. You can add more if you like."},
	{"ja", "メッセージを承りました。担当者よりできるだけ早くご連絡いたします。続けてご記入いただくこともできます。"},
	{"ko", "메시지를 잘 받았습니다. 상담원이 가능한 한 빨리 연락드리겠습니다. 내용을 더 남기셔도 됩니다."},
	{"id", "Terima kasih, pesan Anda sudah kami terima. Petugas akan segera menghubungi Anda. Anda masih bisa menambahkan pesan."},
	{"ms", "Terima kasih, mesej anda telah kami terima. Ejen akan menghubungi anda secepat mungkin. Anda boleh menambah mesej."},
	{"th", "ได้รับข้อความของคุณแล้ว เจ้าหน้าที่จะติดต่อกลับโดยเร็วที่สุด คุณสามารถพิมพ์เพิ่มเติมได้"},
	{"vi", "Cảm ơn bạn, chúng tôi đã nhận được lời nhắn. Nhân viên sẽ liên hệ với bạn sớm nhất có thể. Bạn có thể nhắn thêm."},
	{"es", "Gracias, hemos recibido su mensaje. Un agente se pondrá en contacto con usted lo antes posible. Puede añadir más información."},
	{"pt", "Obrigado, recebemos a sua mensagem. Um atendente entrará em contato assim que possível. Você pode acrescentar mais informações."},
	{"fr", "Merci, nous avons bien reçu votre message. Un conseiller vous contactera dès que possible. Vous pouvez le compléter."},
	{"de", "Vielen Dank, wir haben Ihre Nachricht erhalten. Ein Mitarbeiter meldet sich so bald wie möglich. Sie können gern noch etwas ergänzen."},
	{"ru", "Спасибо, мы получили ваше сообщение. Оператор свяжется с вами как можно скорее. Вы можете дополнить сообщение."},
	{"ar", "شكرًا لك، لقد استلمنا رسالتك. سيتواصل معك أحد الموظفين في أقرب وقت ممكن. يمكنك إضافة المزيد."},
	{"it", "Grazie, abbiamo ricevuto il suo messaggio. Un operatore la contatterà il prima possibile. Può aggiungere altro."}, //nolint:misspell // Italian
	{"nl", "Bedankt, we hebben uw bericht ontvangen. Een medewerker neemt zo snel mogelijk contact met u op. U kunt nog iets toevoegen."},
	{"hi", "धन्यवाद, आपका संदेश हमें मिल गया है। हमारा प्रतिनिधि जल्द से जल्द आपसे संपर्क करेगा। आप और भी लिख सकते हैं।"},
	{"tr", "Teşekkürler, mesajınızı aldık. Bir temsilci en kısa sürede sizinle iletişime geçecek. Dilerseniz ekleme yapabilirsiniz."},
}}
