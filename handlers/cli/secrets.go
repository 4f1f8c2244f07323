package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// maxSecretFile bounds what is read of a …_FILE: it may name anything.
const maxSecretFile = 64 << 10

// secretValue finds the value of a setting that may hold a secret, in the
// environment or in a file. No error shows any of it.
func (s *setting) secretValue(getenv func(string) string) (string, error) {
	name, value, file := s.name(), getenv(s.name()), getenv(s.name()+"_FILE")
	switch {
	case file == "" && value == "":
		return s.def, nil
	case file != "" && value != "":
		return "", fmt.Errorf("%s and %s_FILE are both set: leave one out", name, name)
	case file != "":
		var err error
		name += "_FILE"
		if value, err = readSecret(file); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
	}
	if wrong := badlyCopied(value); wrong != "" {
		return "", fmt.Errorf("%s %s", name, wrong)
	}
	return value, nil
}

// readSecret reads a file without what editors put around a text: a byte order
// mark, and one line end.
func readSecret(file string) (string, error) {
	f, err := os.Open(file) //nolint:gosec // the operator names the file
	if err != nil {
		return "", err //nolint:wrapcheck // it names the file
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	switch {
	case err != nil:
		return "", err //nolint:wrapcheck // the same
	case len(b) > maxSecretFile:
		return "", fmt.Errorf("%s is larger than %d KiB", file, maxSecretFile>>10)
	}
	value := strings.TrimPrefix(string(b), "\ufeff")
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	if value == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return value, nil
}

// badlyCopied says what stands in a key, a token or an address that cannot be a
// part of it: with it every signature would be another one. Blanks beside the comma
// of a list are read over.
func badlyCopied(value string) string {
	if strings.TrimSpace(value) == "" {
		return "is blank"
	}
	for _, r := range strings.ReplaceAll(strings.ReplaceAll(value, " ,", ","), ", ", ",") {
		switch {
		case strings.ContainsRune("\"'`“”„‘’«»", r):
			return "has quotes in it: write the value without them"
		case unicode.IsSpace(r):
			return "has white space in it, a line end perhaps: write the value without it"
		case !unicode.IsPrint(r):
			return "has an invisible character in it, a byte order mark perhaps: write the value without it"
		}
	}
	return ""
}
