package rules

import "time"

// goal is what a rule's `transfer` names: a target, or a route to one.
type goal struct {
	name   string
	target *Target
	lines  []*routeLineOf
}

// routeLineOf is one line of a route.
type routeLineOf struct {
	when *cond // nil: always
	to   *goal
}

// resolve follows routes to a target: the first line that holds decides. It is nil when no line holds.
func (g *goal) resolve(e *evaluation) *Target {
	for g != nil && g.target == nil {
		var next *goal
		for _, l := range g.lines {
			if l.when == nil || l.when.eval(e) == yes {
				next = l.to
				break
			}
		}
		g = next
	}
	if g == nil {
		return nil
	}
	return g.target
}

// anywhere stands in for a route of which no line holds: Desk's own choice.
var anywhere = &Target{ID: "default", TipIfNoAgent: true, SayIfFailed: builtinFailure}

// chain gives the targets to try at a time, closed ones left out.
func (t *Target) chain(at time.Time) []*Target {
	var open []*Target
	for ; t != nil; t = t.next {
		if t.calendar == nil || t.calendar.isOpen(at) {
			open = append(open, t)
		}
	}
	return open
}

// closedText is what to say when the whole chain is closed: the first text on the way.
func (t *Target) closedText() *Speech {
	for ; t != nil; t = t.next {
		if t.SayIfClosed != nil {
			return t.SayIfClosed
		}
	}
	return nil
}

// builtinFailure is said when a transfer failed for good and the file has no text for it.
var builtinFailure = &Speech{Texts: []SpeechText{
	{"zh", "抱歉，暂时无法为您转接人工客服，请稍后再试。"},
	{"en", "Sorry, we could not connect you to an agent. Please try again later."},
	{"ja", "申し訳ございません。現在オペレーターにおつなぎできません。しばらくしてからもう一度お試しください。"},
	{"ko", "죄송합니다. 지금은 상담원에게 연결할 수 없습니다. 잠시 후 다시 시도해 주세요."},
	{"id", "Maaf, kami belum dapat menghubungkan Anda dengan petugas. Silakan coba lagi nanti."},
	{"ms", "Maaf, kami tidak dapat menghubungkan anda dengan ejen. Sila cuba lagi nanti."},
	{"th", "ขออภัย ขณะนี้ไม่สามารถเชื่อมต่อกับเจ้าหน้าที่ได้ กรุณาลองใหม่ภายหลัง"},
	{"vi", "Xin lỗi, hiện chưa thể kết nối bạn với nhân viên. Vui lòng thử lại sau."},
	{"es", "Lo sentimos, no hemos podido conectarle con un agente. Inténtelo de nuevo más tarde."},
	{"pt", "Desculpe, não foi possível conectar você a um atendente. Tente novamente mais tarde."},
	{"fr", "Désolé, nous n'avons pas pu vous mettre en relation avec un conseiller. Veuillez réessayer plus tard."},
	{"de", "Leider konnten wir Sie nicht mit einem Mitarbeiter verbinden. Bitte versuchen Sie es später erneut."},
	{"ru", "К сожалению, не удалось соединить вас с оператором. Попробуйте позже."},
	{"ar", "عذرًا، تعذّر توصيلك بأحد الموظفين. يرجى المحاولة لاحقًا."},
	{"tr", "Üzgünüz, sizi bir temsilciye bağlayamadık. Lütfen daha sonra tekrar deneyin."},
}}
