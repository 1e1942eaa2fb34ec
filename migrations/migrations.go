// Package migrations owns the schema: small, typed, forward-only steps that run
// inside one transaction when the server starts.
//
// A file's name is its identity and its place in the order: a released file is
// never renamed, reordered or edited. There are no down steps, because undoing a
// change to money tables by machine is not safe.
package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// idPattern allows the ids of imported rows (32 letters and digits, or an
// organisation's slug) beside those made here.
const idPattern = `^[a-zA-Z0-9_-]+$`

const (
	idLengthMax        = 64
	idLengthGenerated  = `[a-z0-9]{15}`
	jsonBytesMax       = 64 * 1024
	textLengthMax      = 1_000
	rawPayloadBytesMax = 1 << 20
)

// ownedRule lets a signed-in user see the rows of their own wallet.
const ownedRule = `@request.auth.id != "" && subject_type = "user" && subject_id = @request.auth.id`

// newCollection returns a base collection whose rules admit superusers only.
func newCollection(name string, fields ...core.Field) *core.Collection {
	collection := core.NewBaseCollection(name)
	id, _ := collection.Fields.GetByName("id").(*core.TextField)
	id.Pattern, id.Min, id.Max = idPattern, 1, idLengthMax
	id.AutogeneratePattern = idLengthGenerated
	collection.Fields.Add(fields...)
	return collection
}

// visible sets who may list and view; nobody but superusers gets more.
func visible(collection *core.Collection, rule string) {
	collection.ListRule = types.Pointer(rule)
	collection.ViewRule = types.Pointer(rule)
}

func text(name string) *core.TextField {
	return &core.TextField{Name: name, Max: textLengthMax}
}

func requiredText(name string) *core.TextField {
	return &core.TextField{Name: name, Max: textLengthMax, Required: true}
}

// integer is a whole number. The bounds that matter are the ledger's own; these
// columns are written by SQL and only read through records.
func integer(name string) *core.NumberField {
	return &core.NumberField{Name: name, OnlyInt: true}
}

func flag(name string) *core.BoolField {
	return &core.BoolField{Name: name}
}

func object(name string) *core.JSONField {
	return &core.JSONField{Name: name, MaxSize: jsonBytesMax}
}

func date(name string) *core.DateField {
	return &core.DateField{Name: name}
}

func createdAt() *core.AutodateField {
	return &core.AutodateField{Name: "created_at", OnCreate: true}
}

func updatedAt() *core.AutodateField {
	return &core.AutodateField{Name: "updated_at", OnCreate: true, OnUpdate: true}
}

func subject() []core.Field {
	return []core.Field{
		&core.SelectField{Name: "subject_type", Values: []string{"user", "organization"}, MaxSelect: 1, Required: true},
		requiredText("subject_id"),
	}
}

func execute(app core.App, statements ...string) error {
	for _, statement := range statements {
		if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
			return err
		}
	}
	return nil
}

// appendOnly makes the database itself refuse to change or delete rows, whoever
// asks: our own code, raw SQL, or a superuser's truncate.
func appendOnly(app core.App, table string) error {
	return execute(app,
		`CREATE TRIGGER `+table+`_no_update BEFORE UPDATE ON `+table+
			` BEGIN SELECT RAISE(ABORT, '`+table+` is append-only'); END`,
		`CREATE TRIGGER `+table+`_no_delete BEFORE DELETE ON `+table+
			` BEGIN SELECT RAISE(ABORT, '`+table+` is append-only'); END`,
	)
}
