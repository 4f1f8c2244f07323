package handlers

import (
	"errors"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/rules/lang"
)

// conversation shows what is kept of a conversation, by the name that the log has for it.
func (s *Server) conversation(c *gin.Context) {
	session := desk.ID(pathValue(c, "session"))
	told, err := s.Bot.Conversation(c.Request.Context(), session)
	if err != nil {
		writeHistoryError(c, err)
		return
	}
	if l := language(c); l != lang.English {
		told = inLanguage(told, l)
	}
	c.JSON(http.StatusOK, told)
}

// inLanguage is a conversation for a reader of another language: it is kept in English. Turn after turn the same is said of
// most rules, so it is looked up once.
func inLanguage(told *history.Conversation, l lang.Language) *history.Conversation {
	known := map[string]string{}
	read := func(words *string) {
		if _, ok := known[*words]; !ok {
			known[*words] = lang.Recognize(*words).In(l)
		}
		*words = known[*words]
	}
	copied := *told
	told = &copied
	told.Entries = slices.Clone(told.Entries)
	for i := range told.Entries {
		e := &told.Entries[i]
		e.CodeWords = e.CodeWords.To(l)
		read(&e.Why)
		read(&e.Error)
		e.Rules = slices.Clone(e.Rules)
		for j := range e.Rules {
			read(&e.Rules[j].Why)
		}
	}
	return told
}

// forget removes what is kept of a user.
func (s *Server) forget(c *gin.Context) {
	if _, ok := readOperator(c); !ok {
		return
	}
	gone, err := s.Bot.Forget(c.Request.Context(), desk.ID(pathValue(c, "user")))
	if err != nil {
		writeHistoryError(c, err)
		return
	}
	c.JSON(http.StatusOK, gone)
}

func writeHistoryError(c *gin.Context, err error) {
	status := http.StatusServiceUnavailable
	if errors.Is(err, history.ErrUnknown) || errors.Is(err, bot.ErrNoHistory) {
		status = http.StatusNotFound
	} else {
		c.Header("Retry-After", "1")
	}
	fail(c, status, lang.Of(err))
}
