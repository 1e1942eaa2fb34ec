package verify

import "time"

// archived is what usage rows before the archives' cutoff must add up to.
//
// A run writes a file, then its row in usage_archives, then removes the usage rows,
// and then marks the row as removed. So the uses whose rows are gone charged what
// the removed archives say, and at most what all of them say. Rows that came with an
// import are archived too, and the ledger does not say how many there were: only
// what the entries charged that they belong to.
type archived struct {
	rows, tokens     int64 // of all archives
	tokensRemoved    int64 // of those whose rows are gone for certain
	goneRows         int64 // uses of ours before the cutoff without their usage row
	goneTokens       int64
	importedCharges  int64 // of imported uses whose usage row is not there, if they ever had one
	importedPayments int64 // of those with the other sign, below 0
}

const allArchives = `SELECT rowid, cutoff, rows, tokens, removed, created_at FROM ` + archivesTable

// readArchives reads since when usage rows are still here, and how many are not.
func (a *audit) readArchives() error {
	now := a.options.Now
	if now.IsZero() {
		now = time.Now()
	}
	return a.each(func(c *cells) error {
		id := c.integer()
		cutoff, text := c.instant()
		rows, tokens := c.integer(), c.integer()
		isRemoved := c.flag()
		created, _ := c.instant()
		switch {
		case c.problem != "":
		case rows < 1:
			c.fail("rows is %d: an archive has one row or more", rows)
		case cutoff.After(created) || cutoff.After(now):
			c.fail("cutoff %s lies in the future, or after created_at: only older rows are archived", text)
		}
		if c.problem != "" {
			a.report.find(archivesTable, rowName("", id), "%s", c.problem)
			return nil
		}
		a.cutoff = max(a.cutoff, text)
		a.archived.rows += rows
		a.archived.tokens += tokens
		if isRemoved {
			a.archived.tokensRemoved += tokens
		}
		return nil
	}, allArchives)
}

// countGone counts uses of ours, and takes away those whose usage row is there.
func (s *archived) countGone(uses, tokens int64) {
	s.goneRows += uses
	s.goneTokens += tokens
}

// countImported does the same with imported ones.
func (s *archived) countImported(sign, tokens int64) {
	if tokens > 0 {
		s.importedCharges += sign * tokens
	} else {
		s.importedPayments += sign * tokens
	}
}

// compareArchives looks for usage rows that are gone and that no archive has.
func (a *audit) compareArchives() {
	s := a.archived
	if a.cutoff == "" {
		return
	}
	isPaid := s.tokensRemoved-s.importedCharges <= s.goneTokens && s.goneTokens <= s.tokens-s.importedPayments
	if isPaid && s.goneRows <= s.rows {
		return
	}
	a.report.find(archivesTable, "(all)", "the archives have %d rows that charged %d tokens, but of the uses before %s %d are without a usage row, which charged %d: "+
		"usage rows are gone that were not archived, or an archive's row is not what the server wrote", s.rows, s.tokens, a.cutoff, s.goneRows, s.goneTokens)
}
