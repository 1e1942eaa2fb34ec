package verify

import "fmt"

// MaxFindings bounds the findings that are kept; the others are only counted.
const MaxFindings = 1_000

// Finding names a row that breaks a rule.
type Finding struct {
	Table string
	// RowID is the row's id; "rowid N" where the id itself cannot be read, and the
	// parts of the key with slashes between them in tables without an id.
	RowID   string
	Problem string // a sentence without a full stop
}

func (f Finding) String() string {
	return fmt.Sprintf("%s %s: %s", f.Table, f.RowID, f.Problem)
}

// Report is what a verification read and found.
type Report struct {
	Wallets  int64
	Entries  int64
	Usage    int64
	Holds    int64
	Grants   int64
	Requests int64
	Findings []Finding // at most MaxFindings, in the order in which they were found
	More     int64     // those that were not kept

	kept map[Finding]bool
}

// Sound tells whether nothing was found.
func (r *Report) Sound() bool { return len(r.Findings) == 0 }

// find keeps a finding, once.
func (r *Report) find(table, rowID, format string, arguments ...any) {
	finding := Finding{table, rowID, fmt.Sprintf(format, arguments...)}
	if r.kept[finding] {
		return
	}
	if len(r.Findings) == MaxFindings {
		r.More++
		return
	}
	if r.kept == nil {
		r.kept = make(map[Finding]bool)
	}
	r.kept[finding] = true
	r.Findings = append(r.Findings, finding)
}
