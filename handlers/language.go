package handlers

import (
	"github.com/gin-gonic/gin"

	"escalator/rules/lang"
)

// language is that in which the reader wants messages, by Accept-Language.
func language(c *gin.Context) lang.Language {
	c.Header("Vary", "Accept-Language")
	return lang.Accepted(c.GetHeader("Accept-Language"))
}

// fault is the body that says what is wrong, to whoever reads it.
func fault(c *gin.Context, err error) gin.H { return gin.H{"error": lang.Of(err).To(language(c))} }
