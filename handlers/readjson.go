package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// readJSON reads a body strictly; false means that it has answered.
func readJSON(c *gin.Context, into any) bool {
	d := json.NewDecoder(c.Request.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if _, more := d.Token(); err == nil && !errors.Is(more, io.EOF) {
		err = errors.New("there is more than one value")
	}
	if err == nil {
		return true
	}
	c.JSON(http.StatusBadRequest, gin.H{"error": "the body must be JSON of the documented form: " + inPlainWords(err)})
	return false
}

// inPlainWords says what is wrong with a body without the words of Go.
func inPlainWords(err error) string {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var moment *time.ParseError
	switch {
	case errors.As(err, &kind) && kind.Field == "":
		return "it must be an " + nameOf(kind.Type.Kind().String()) + ", not a " + found(kind.Value)
	case errors.As(err, &kind):
		return fmt.Sprintf("%q must be %s, not a %s", kind.Field, nameOf(kind.Type.Kind().String()), found(kind.Value))
	case errors.As(err, &moment):
		return fmt.Sprintf("%s is no time like 2026-01-05T10:00:00+08:00", moment.Value)
	case errors.Is(err, io.EOF):
		return "it is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends early"
	case errors.As(err, &syntax):
		return fmt.Sprintf("it is no JSON at byte %d", syntax.Offset)
	default:
		return strings.TrimPrefix(err.Error(), "json: ")
	}
}

// nameOf names what a kind of Go is in JSON.
func nameOf(kind string) string {
	switch kind {
	case "string":
		return "text"
	case "bool":
		return "true or false"
	case "slice", "array":
		return "a list"
	case "struct", "map":
		return "object"
	default:
		return "a number"
	}
}

// found is what encoding/json calls what it met, in the words that we use.
func found(value string) string {
	switch kind, _, _ := strings.Cut(value, " "); kind {
	case "array":
		return "list"
	case "string":
		return "text"
	case "bool":
		return "truth value"
	default: // a number (with its digits), or an object
		return kind
	}
}
