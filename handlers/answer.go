package handlers

import (
	"github.com/gin-gonic/gin"

	"escalator/rules/lang"
)

// answer writes a fresh answer in the language that the reader's Accept-Language asks for; what is no message stays.
func answer(c *gin.Context, status int, body any) {
	c.Header("Vary", "Accept-Language")
	c.JSON(status, lang.Translate(body, lang.Accepted(c.GetHeader("Accept-Language"))))
}
