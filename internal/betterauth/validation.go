package betterauth

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// unbounded stands for a length that only MaxBodyLength bounds.
const unbounded = MaxBodyLength

// validation reads fields in the order of its calls and collects what is wrong
// with them, in the words of zod, the schema library behind the original.
// https://zod.dev
type validation struct {
	fields   body
	problems []string
}

// result returns a ValidationError with all problems, or nil.
func (v *validation) result() error {
	if len(v.problems) == 0 {
		return nil
	}
	return ValidationError(strings.Join(v.problems, "; "))
}

func (v *validation) report(name, problem string) {
	v.problems = append(v.problems, "[body."+name+"] "+problem)
}

func (v *validation) reportType(name, expected, received string) {
	v.report(name, "Invalid input: expected "+expected+", received "+received)
}

// text returns the content of a text field with at most maxLength characters, and
// whether there is one. Anything else that was sent is reported.
func (v *validation) text(name string, maxLength int) (text string, ok bool) {
	field, sent := v.fields[name]
	if !sent {
		return "", false
	}
	if field.typeName != typeString {
		v.reportType(name, typeString, field.typeName)
		return "", false
	}
	if utf8.RuneCountInString(field.text) > maxLength {
		v.report(name, "Too big: expected string to have <="+strconv.Itoa(maxLength)+" characters")
		return "", false
	}
	return field.text, true
}

func (v *validation) requiredText(name string, maxLength int) string {
	if _, sent := v.fields[name]; !sent {
		v.reportType(name, typeString, typeUndefined)
		return ""
	}
	text, _ := v.text(name, maxLength)
	return text
}

func (v *validation) optionalText(name string, maxLength int) *string {
	text, ok := v.text(name, maxLength)
	if !ok {
		return nil
	}
	return &text
}

func (v *validation) nonEmptyText(name string) string {
	if field := v.fields[name]; field.typeName == typeString && field.text == "" {
		v.report(name, "Too small: expected string to have >=1 characters")
		return ""
	}
	return v.requiredText(name, unbounded)
}

// email returns a valid address in lower case.
func (v *validation) email(name string) string {
	if field := v.fields[name]; field.typeName == typeString && !ValidEmail(field.text) {
		v.report(name, "Invalid email address")
		return ""
	}
	return strings.ToLower(v.requiredText(name, MaxEmailLength))
}

// optionalBoolean takes true and false and, out of a form, which has no other
// types than text, the words "true" and "false".
func (v *validation) optionalBoolean(name string) *bool {
	field, sent := v.fields[name]
	if !sent {
		return nil
	}
	isWord := field.text == "true" || field.text == "false"
	if field.typeName != typeBoolean && !(field.fromForm && isWord) {
		v.reportType(name, typeBoolean, field.typeName)
		return nil
	}
	answer := field.text == "true"
	return &answer
}
