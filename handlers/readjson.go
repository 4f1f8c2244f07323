package handlers

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"escalator/rules/lang"
)

// readJSON reads a body strictly; false means that it has answered.
func readJSON(c *gin.Context, into any) bool {
	d := json.NewDecoder(c.Request.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if _, more := d.Token(); err == nil && !errors.Is(more, io.EOF) {
		err = lang.Errorf("there is more than one value")
	}
	if err == nil {
		return true
	}
	fail(c, http.StatusBadRequest, lang.Say("the body must be JSON of the documented form: %s", inPlainWords(err)))
	return false
}

// inPlainWords says what is wrong with a body without the words of Go.
func inPlainWords(err error) lang.Text {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var moment *time.ParseError
	switch {
	case errors.As(err, &kind) && kind.Field == "":
		return lang.Say("it must be %s, not %s", nameOf(kind.Type.Kind().String()), found(kind.Value))
	case errors.As(err, &kind):
		return lang.Say("%q must be %s, not %s", kind.Field, nameOf(kind.Type.Kind().String()), found(kind.Value))
	case errors.As(err, &moment):
		return lang.Say("%s is not a time like 2026-01-05T10:00:00+08:00", moment.Value)
	case errors.Is(err, io.EOF):
		return "it is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends early"
	case errors.As(err, &syntax):
		return lang.Say("it is not valid JSON at byte %d", syntax.Offset)
	default:
		if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return lang.Say("it has no field %s", field)
		}
		return lang.Of(err)
	}
}

// nameOf names what a kind of Go is in JSON.
func nameOf(kind string) lang.Text {
	switch kind {
	case "string":
		return "text"
	case "bool":
		return "true or false"
	case "slice", "array":
		return "a list"
	case "struct", "map":
		return "an object"
	default:
		return "a number"
	}
}

// found is what encoding/json calls what it met, in the words that we use.
func found(value string) lang.Text {
	switch kind, _, _ := strings.Cut(value, " "); kind {
	case "array":
		return "a list"
	case "string":
		return "text"
	case "bool":
		return "true or false"
	case "object":
		return "an object"
	default: // with its digits
		return "a number"
	}
}
