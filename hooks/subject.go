package hooks

import (
	"net/url"

	"sokuji/internal/ledger"
)

// subjectOfQuery reads the wallet that a GET names.
func subjectOfQuery(query url.Values) (ledger.Subject, bool, error) {
	return parseSubject(query.Get("userId"), query.Get("subjectType"), query.Get("subjectId"))
}

// subjectOfBody reads the wallet that a POST names.
func subjectOfBody(body *fields) (ledger.Subject, bool, error) {
	userID, subjectType, subjectID := body.text("userId"), body.text("subjectType"), body.text("subjectId")
	if body.err != nil {
		return ledger.Subject{}, false, body.err
	}
	return parseSubject(userID, subjectType, subjectID)
}

// parseSubject takes either userId, or subjectType with subjectId.
func parseSubject(userID, subjectType, subjectID string) (ledger.Subject, bool, error) {
	if subjectType == "" && subjectID == "" {
		return ledger.UserSubject(userID), userID != "", nil
	}
	subject, err := ledger.ParseSubject(subjectType, subjectID)
	if err != nil {
		return ledger.Subject{}, false, err
	}
	if userID != "" && subject != ledger.UserSubject(userID) {
		return ledger.Subject{}, false, ledger.Invalid("userId", "userId and subjectType with subjectId name different wallets: send one of them.")
	}
	return subject, true, nil
}

func missingSubject() error {
	return ledger.Invalid("userId", "userId is missing: name the wallet by userId, or by subjectType and subjectId.")
}
