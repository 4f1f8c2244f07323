package handlers

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"escalator/bot/desk"
	"escalator/bot/messages"
	"escalator/rules/lang"
)

// Messages are the words that customers left; *messages.Keeper is one.
type Messages interface {
	// Messages returns all that are kept, the oldest first, the words masked.
	List(ctx context.Context) ([]messages.Shown, error)
	// Delete forgets those of a session; messages.ErrNone: there are none.
	Delete(ctx context.Context, session string) error
}

// messages lists the words that customers left, and what became of them.
func (s *Server) messages(c *gin.Context) {
	list, err := s.Messages.List(c.Request.Context())
	if err != nil {
		fail(c, http.StatusServiceUnavailable, lang.Of(err))
		return
	}
	for i := range list {
		read(c, &list[i].Error)
	}
	c.JSON(http.StatusOK, gin.H{"messages": list})
}

// deleteMessage forgets the words of a session: nobody contacts its customer then.
// Who does it may be told with ?by=; else it is the address of the caller.
func (s *Server) deleteMessage(c *gin.Context) {
	session := desk.ID(c.Query("session"))
	if session == "" {
		fail(c, http.StatusBadRequest, "name the session with ?session=, as GET /api/messages shows it")
		return
	}
	c.Set(actor, cmp.Or(c.Query("by"), remoteHost(c.Request.RemoteAddr)))
	c.Set(subject, session)
	switch err := s.Messages.Delete(c.Request.Context(), session); {
	case errors.Is(err, messages.ErrNone):
		fail(c, http.StatusNotFound, lang.Of(err))
	case err != nil:
		fail(c, http.StatusServiceUnavailable, lang.Of(err))
	default:
		c.JSON(http.StatusOK, gin.H{"session": session, "state": "deleted"})
	}
}
