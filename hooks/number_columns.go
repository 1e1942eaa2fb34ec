package hooks

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// bindNumberColumns refuses what is no number in the columns of limits and prices:
// PocketBase stores it as 0, and a limit of 0 is none.
func bindNumberColumns(app core.App) {
	check := func(e *core.RecordRequestEvent) error {
		if err := checkNumberColumns(e); err != nil {
			return notSaved(err)
		}
		return e.Next()
	}
	for _, name := range []string{keysCollection, plansCollection, entitlementsCollection, pricesCollection, providersCollection} {
		app.OnRecordCreateRequest(name).BindFunc(check)
		app.OnRecordUpdateRequest(name).BindFunc(check)
	}
}

func checkNumberColumns(e *core.RecordRequestEvent) error {
	sent := make(map[string]any) // as it came: in RequestInfo it is a number already
	if err := e.BindBody(&sent); err != nil {
		return err
	}
	for _, field := range e.Collection.Fields {
		column := field.GetName()
		if _, isNumber := field.(*core.NumberField); !isNumber {
			continue
		}
		for _, name := range []string{column, column + "+", column + "-"} { // PocketBase's own ways to write it
			if value, given := sent[name]; given && !isNumber(value) {
				return invalidColumn(column, errors.New("must be a number"))
			}
		}
	}
	return nil
}

// isNumber tells whether a value of a body is a number, or nothing: forms send
// texts, and an emptied field of the dashboard is null or empty.
func isNumber(value any) bool {
	switch value := value.(type) {
	case nil, float64, int, int64:
		return true
	case string:
		text := strings.TrimSpace(value)
		if text == "" {
			return true
		}
		number, err := strconv.ParseFloat(text, 64)
		return err == nil && !math.IsNaN(number) && !math.IsInf(number, 0)
	}
	return false
}
