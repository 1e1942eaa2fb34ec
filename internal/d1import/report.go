package d1import

import "cmp"

// Report is what an import read and did. In each table
// Read = Imported + AlreadyThere + Skipped.
type Report struct {
	File     string         `json:"file"`
	SHA256   string         `json:"sha256"`
	Bytes    int64          `json:"bytes"`
	DryRun   bool           `json:"dryRun"`
	Tables   []*TableReport `json:"tables"`
	Other    []OtherTable   `json:"otherTables"`
	Problems []Reason       `json:"unreadableStatements"`
}

// TableReport is what became of the rows of one table of the dump.
type TableReport struct {
	Table        string `json:"table"`
	Read         int64  `json:"read"`
	Imported     int64  `json:"imported"`
	AlreadyThere int64  `json:"alreadyThere"`
	Skipped      int64  `json:"skipped"`
	// Made counts rows that the dump does not have and the product needs, such as
	// the wallet of a user without one.
	Made int64 `json:"made"`
	// Missing: the dump, of an older schema, has no such table.
	Missing        bool     `json:"missing,omitempty"`
	MissingColumns []string `json:"missingColumns,omitempty"`
	UnknownColumns []string `json:"unknownColumns,omitempty"`
	Why            []Reason `json:"skippedBecause"`
	Notes          []Reason `json:"notes"`
}

// OtherTable is a table that is not the backend's. Nothing of it is imported.
type OtherTable struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

// Reason is why rows were skipped, or what is to be said of rows that were not.
type Reason struct {
	Text     string   `json:"reason"`
	Count    int64    `json:"count"`
	Examples []string `json:"examples"` // ids, the first few
}

// otherReasons gathers what is beyond maxReasons.
const otherReasons = "other reasons"

func addReason(reasons *[]Reason, text, id string, rows int64) {
	for {
		for i := range *reasons {
			if reason := &(*reasons)[i]; reason.Text == text {
				reason.Count += rows
				if len(reason.Examples) < maxExamples {
					reason.Examples = append(reason.Examples, id)
				}
				return
			}
		}
		if len(*reasons) >= maxReasons && text != otherReasons {
			text = otherReasons
			continue
		}
		*reasons = append(*reasons, Reason{Text: text})
	}
}

func (t *TableReport) skip(reason, id string) { t.skipRows(reason, cmp.Or(id, "(no id)"), 1) }

// skipRows skips rows of which only one is named.
func (t *TableReport) skipRows(reason, example string, rows int64) {
	t.Skipped += rows
	addReason(&t.Why, reason, cut(example, maxNameBytes), rows)
}

func (t *TableReport) note(text, id string) {
	addReason(&t.Notes, text, cut(cmp.Or(id, "(no id)"), maxNameBytes), 1)
}

// settle counts a row that was looked for and, unless it was there, written.
func (t *TableReport) settle(isNew bool) {
	if isNew {
		t.Imported++
		return
	}
	t.AlreadyThere++
}

// Table returns the report of one table of the dump.
func (r *Report) Table(name string) *TableReport {
	for _, t := range r.Tables {
		if t.Table == name {
			return t
		}
	}
	t := &TableReport{Table: name}
	r.Tables = append(r.Tables, t)
	return t
}

// Imported is how many rows were written that the dump has.
func (r *Report) Imported() (rows int64) {
	for _, t := range r.Tables {
		rows += t.Imported
	}
	return rows
}
