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

// fail answers that something is wrong, to whoever reads it.
func fail(c *gin.Context, status int, why lang.Text) { c.JSON(status, fault(c, why)) }

// fault is the body that says what is wrong.
func fault(c *gin.Context, why lang.Text) gin.H { return gin.H{"error": why.To(language(c))} }

// read gives the reader what was kept in English.
func read(c *gin.Context, words *string) { *words = lang.Recognize(*words).In(language(c)) }
