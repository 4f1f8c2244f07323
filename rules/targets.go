package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Target is where a transfer goes. It is stored with the transfer, so a pending one survives a change of the file.
// Pointers are nil when the file does not set the field: then nothing is sent for it.
type Target struct {
	ID                string        `json:"id"`
	Group             *int64        `json:"group,omitempty"`
	Agents            []string      `json:"agents,omitempty"`
	TipIfNoAgent      bool          `json:"tip_if_no_agent"`
	CheckWorkingHours *bool         `json:"check_working_hours,omitempty"`
	PromptOutside     *bool         `json:"prompt_outside_working_hours,omitempty"`
	EndSession        *bool         `json:"end_session_if_no_agent,omitempty"`
	DisableQueuing    *bool         `json:"disable_queuing,omitempty"`
	AllowBusy         *bool         `json:"allow_busy_agents,omitempty"`
	Priority          *int          `json:"priority,omitempty"`
	QueueTimeout      time.Duration `json:"queue_timeout,omitempty"`
	SayIfQueued       *Speech       `json:"say_if_queued,omitempty"`
	SayIfClosed       *Speech       `json:"say_if_closed,omitempty"`
	SayIfNoAgent      *Speech       `json:"say_if_no_agent,omitempty"`
	// SayIfFailed is never nil: the file's text, an empty one for "say nothing", or the built-in sentence.
	SayIfFailed *Speech `json:"say_if_failed,omitempty"`
	Retry       *Retry  `json:"retry_if_no_agent,omitempty"`
	// TakeMessage asks for words when nobody is there, or everything is closed.
	TakeMessage *TakeMessage `json:"take_message,omitempty"`
	// LastAgent marks the step before a target, of the same name, in which only the agent is asked who had the customer
	// last: whatever Desk has against it, the target comes next.
	LastAgent bool `json:"last_agent,omitempty"`

	calendar *calendar
	next     *Target
}

// MarshalJSON leaves the built-in sentence out: it is long, and the same everywhere.
func (t Target) MarshalJSON() ([]byte, error) {
	type plain Target
	short := plain(t)
	if short.SayIfFailed == builtinFailure {
		short.SayIfFailed = nil
	}
	return json.Marshal(short)
}

// UnmarshalJSON puts the built-in sentence back.
func (t *Target) UnmarshalJSON(data []byte) error {
	type plain Target
	if err := json.Unmarshal(data, (*plain)(t)); err != nil {
		return fmt.Errorf("reading a target: %w", err)
	}
	if t.SayIfFailed == nil {
		t.SayIfFailed = builtinFailure
	}
	return nil
}

// Retry repeats a transfer that found nobody online.
type Retry struct {
	Every time.Duration `json:"every"`
	For   time.Duration `json:"for"`
}

// Speech is a text to the customer, in one or several languages.
type Speech struct {
	Texts []SpeechText `json:"texts"`
}

// SpeechText is a speech in one language; Lang is "" when the file gives the text without a language.
type SpeechText struct {
	Lang string `json:"lang,omitempty"`
	Text string `json:"text"`
}

// For gives the text for a language; the first text is the default. A nil speech is silent.
func (s *Speech) For(lang string) string {
	if s == nil || len(s.Texts) == 0 {
		return ""
	}
	for _, t := range s.Texts {
		if t.Lang == lang && lang != "" {
			return t.Text
		}
	}
	return s.Texts[0].Text
}

// anywhere is the target `default` of a file that does not define it: Desk's own choice.
var anywhere = &Target{ID: "default", TipIfNoAgent: true, SayIfFailed: builtinFailure}

// chain gives the targets to try at a time, closed ones left out.
func (t *Target) chain(at time.Time) []*Target {
	var open []*Target
	for ; t != nil; t = t.next {
		if t.IsOpen(at) {
			open = append(open, t)
		}
	}
	return open
}

// IsOpen says whether the target takes customers at a time, by the calendar of its `open`.
func (t *Target) IsOpen(at time.Time) bool { return t.calendar == nil || t.calendar.isOpen(at) }

// chain gives the targets that the rule's transfer tries now, closed ones left out, as the rule changes them.
func (e *evaluation) chain(r *rule) []*Target {
	first := e.destination(r)
	chain := r.adapt(first.chain(e.wall), first)
	if u := e.t.User; len(chain) > 0 && r.lastAgent > 0 && u != nil && u.Agent != "" && u.hadAgent(e.t.At, r.lastAgent) {
		return slices.Insert(chain, 0, chain[0].lastAgentFirst(u.Agent))
	}
	return chain
}

// adapt makes the changes that a rule's `then` asks for: its priority counts wherever the transfer leads, its agents at
// the target that it names, first.
func (r *rule) adapt(chain []*Target, first *Target) []*Target {
	if r == nil || r.priority == nil && r.agents == nil {
		return chain
	}
	for i, t := range chain {
		own := *t
		if r.priority != nil {
			own.Priority = r.priority
		}
		if r.agents != nil && t == first {
			own.Group, own.Agents = nil, r.agents
		}
		chain[i] = &own
	}
	return chain
}

// lastAgentFirst gives the step before the target in which one agent is asked alone. Nobody waits for them, and Desk must
// neither tell the customer that they are away nor end the session because of it.
func (t *Target) lastAgentFirst(agent string) *Target {
	step, yes := *t, true
	step.LastAgent, step.Group, step.Agents = true, nil, []string{agent}
	step.TipIfNoAgent, step.PromptOutside, step.EndSession = false, nil, nil
	step.DisableQueuing, step.QueueTimeout = &yes, 0
	return &step
}

// Written returns the first target of a chain that stands in the file, and not the step before it (LastAgent); nil for an
// empty chain.
func Written(chain []*Target) *Target {
	for _, t := range chain {
		if !t.LastAgent {
			return t
		}
	}
	return nil
}

// Chain returns the targets that a transfer of a rule to the target id would try at a time, closed ones left out. When all
// are closed it returns all of them: this is for an operator who insists. A rule that is gone changes nothing of the
// target. Nil: no target has that name, which "default" always has.
func (p *Policy) Chain(ruleID, id string, at time.Time) []*Target {
	first := p.Target(id)
	chain := first.chain(at)
	if len(chain) == 0 {
		for t := first; t != nil; t = t.next {
			chain = append(chain, t)
		}
	}
	r := p.findRule(ruleID)
	if r != nil && r.goal != nil && r.goal.target != nil && r.goal.target != first {
		first = nil // the rule's own target, for which its agents are meant, was closed
	}
	return r.adapt(chain, first)
}

// ifClosed is what to say when the whole chain is closed: the first text on the way. take is not nil where it asks for
// words.
func (t *Target) ifClosed() (say *Speech, take *TakeMessage) {
	for ; t != nil; t = t.next {
		if t.TakeMessage != nil {
			return t.TakeMessage.Say, t.TakeMessage
		}
		if t.SayIfClosed != nil {
			return t.SayIfClosed, nil
		}
	}
	return nil, nil
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
	{"it", "Siamo spiacenti, non è stato possibile metterla in contatto con un operatore. Riprovi più tardi."}, //nolint:misspell // Italian
	{"nl", "Sorry, we konden u niet met een medewerker verbinden. Probeer het later opnieuw."},
	{"hi", "क्षमा करें, हम आपको किसी प्रतिनिधि से नहीं जोड़ सके। कृपया बाद में फिर प्रयास करें।"},
	{"tr", "Üzgünüz, sizi bir temsilciye bağlayamadık. Lütfen daha sonra tekrar deneyin."},
}}
