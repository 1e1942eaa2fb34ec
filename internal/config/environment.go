package config

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	// maxEnvironmentLength is the longest name of an environment, in bytes.
	maxEnvironmentLength = 64

	// maxShown is how much of a wrong value a sentence repeats, in bytes.
	maxShown = 80

	// maxNumberShown is the longest wrong number that is repeated, in bytes.
	maxNumberShown = 24
)

// environment reads variables and collects what is wrong with them.
type environment struct {
	getenv   func(string) string
	problems []error
}

// text returns a variable without the spaces around it.
func (e *environment) text(name string) string {
	return strings.TrimSpace(e.getenv(name))
}

// textOr returns a variable, or a default when it is unset.
func (e *environment) textOr(name, unset string) string {
	if text := e.text(name); text != "" {
		return text
	}
	return unset
}

// refuse notes one problem as one sentence: what is wrong, then what to set.
func (e *environment) refuse(name, wrong, example string) {
	e.problems = append(e.problems, fmt.Errorf("%s %s: set for example %s=%s", name, wrong, name, example))
}

// environmentName reads ENVIRONMENT.
func (e *environment) environmentName() string {
	name := e.textOr(variableEnvironment, DefaultEnvironment)
	if len(name) > maxEnvironmentLength || strings.ContainsFunc(name, isOutsideName) {
		e.refuse(variableEnvironment,
			fmt.Sprintf("must be 1 to %d letters, digits, - or _", maxEnvironmentLength), "production")
	}
	return name
}

func isOutsideName(r rune) bool {
	isLetterOrDigit := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !isLetterOrDigit && r != '-' && r != '_'
}

// number reads a whole number from least to most, both inclusive.
func (e *environment) number(name string, unset, least, most int64) int64 {
	text := e.text(name)
	if text == "" {
		return unset
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || text[0] == '+' || value < least || value > most {
		e.refuse(name, fmt.Sprintf("must be a whole number from %d to %d%s", least, most, shownNumber(text)),
			strconv.FormatInt(unset, 10))
	}
	return value
}

// shownNumber repeats a wrong value only when it is a number of some kind:
// anything else could be a secret that was pasted into the wrong line.
func shownNumber(text string) string {
	if len(text) > maxNumberShown || strings.Trim(text, "0123456789.,+-_eE") != "" {
		return ""
	}
	return fmt.Sprintf(", not %q", text)
}

// shown repeats the start of a wrong value, quoted. Values that can carry a
// password or a token are not repeated.
func shown(text string) string {
	if strings.ContainsAny(text, "@?#") {
		return "a value (not shown, it could carry a password)"
	}
	if len(text) > maxShown {
		text = text[:maxShown] + "…"
	}
	return strconv.Quote(text)
}
