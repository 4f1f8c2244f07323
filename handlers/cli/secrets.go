package cli

import (
	"os"

	"escalator/bot/secrets"
	"escalator/rules/lang"
)

// secretValue finds the value of a setting that may hold a secret, in the
// environment or in a file. No error shows any of it.
func (s *setting) secretValue(getenv func(string) string) (string, error) {
	name, value, file := s.name(), getenv(s.name()), getenv(s.name()+"_FILE")
	switch {
	case file == "" && value == "":
		return s.def, nil
	case file != "" && value != "":
		return "", lang.Errorf("%s and %s_FILE are both set: leave one out", name, name)
	case file != "":
		var err error
		name += "_FILE"
		if value, err = readSecret(file); err != nil {
			return "", lang.Errorf("%s: %w", name, err)
		}
	}
	if wrong := secrets.Flaw(value); wrong != "" {
		return "", lang.Errorf("%s %s", name, wrong)
	}
	return value, nil
}

// readSecret reads the file that a …_FILE names.
func readSecret(file string) (string, error) {
	f, err := os.Open(file) //nolint:gosec // the operator names the file
	if err != nil {
		return "", err //nolint:wrapcheck // it names the file
	}
	defer func() { _ = f.Close() }()
	value, err := secrets.Read(f)
	if err != nil {
		return "", lang.Errorf("%s %w", file, err)
	}
	return value, nil
}
