package ledger

import "strings"

// SubjectType says whose wallet it is.
type SubjectType string

const (
	SubjectUser         SubjectType = "user"
	SubjectOrganization SubjectType = "organization"
)

// Subject names a wallet. IDs are unique over both types, because a wallet's
// record id is its subject's id.
type Subject struct {
	Type SubjectType
	ID   string
}

// UserSubject names the wallet of a user.
func UserSubject(userID string) Subject {
	return Subject{Type: SubjectUser, ID: userID}
}

// ParseSubject checks a subject that a client sent. The error names the field.
func ParseSubject(subjectType, id string) (Subject, error) {
	t := SubjectType(subjectType)
	if t != SubjectUser && t != SubjectOrganization {
		return Subject{}, Invalid("subjectType", `subjectType must be "user" or "organization".`)
	}
	if strings.TrimSpace(id) == "" {
		return Subject{}, Invalid("subjectId", "subjectId is missing: send the id of the wallet's owner.")
	}
	return Subject{Type: t, ID: id}, nil
}
