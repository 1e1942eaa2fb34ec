package ledger

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

func validAmount(field string, amount int64) error {
	if amount < 1 || amount > MaxAmountTokens {
		return Invalid(field, field+" must be a whole number of tokens from 1 to 10^15.")
	}
	return nil
}

func validCount(field string, count int64) error {
	if count < 0 || count > MaxAmountTokens {
		return Invalid(field, field+" must be a whole number from 0 to 10^15.")
	}
	return nil
}

func validText(field, text string, maxBytes int) error {
	if len(text) > maxBytes {
		return Invalid(field, fmt.Sprintf("%s is too long: at most %d bytes.", field, maxBytes))
	}
	if !utf8.ValidString(text) {
		return Invalid(field, field+" is not valid UTF-8 text.")
	}
	return nil
}

func validMetadata(metadata json.RawMessage) error {
	if len(metadata) > MaxMetadataBytes {
		return Invalid("metadata", fmt.Sprintf("metadata is too long: at most %d bytes of JSON.", MaxMetadataBytes))
	}
	if len(metadata) > 0 && !json.Valid(metadata) {
		return Invalid("metadata", "metadata is not valid JSON.")
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
