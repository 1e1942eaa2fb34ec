package usagearchive

import (
	"context"
	"time"
)

// Bounds of a run.
const (
	MaxArchiveRows = 50_000 // usage rows of one file
	maxArchives    = 200    // files of one run; the next run goes on
	pageRows       = 500    // old rows that are read at a time
	lookRows       = 20_000 // rows that are looked at for them
	// maxLooked bounds the rows that one run looks at; the next run goes on. Old rows
	// can lie behind any number of newer ones: a late import put them there, or a
	// clock that was ahead.
	maxLooked  = 20_000_000
	removeRows = 500 // rows that one transaction removes

	// removePause is what charges have for themselves after each removal, and after
	// each look that found nothing.
	removePause = 50 * time.Millisecond
)

// Archive is the manifest of one file.
type Archive struct {
	ID              int64  // ascending in the order of the files
	File            string // its name in the folder
	FirstID, LastID string // ids of the first and the last usage row in it
	Rows            int64
	Tokens          int64     // wallet tokens charged by its rows
	Cutoff          time.Time // its rows are older than this start of a UTC day
	SHA256          string    // of the file as it lies on disk, in hexadecimal
	CreatedAt       time.Time
}

// Row is a usage row that is old enough.
type Row struct {
	ID     string
	Tokens int64
	JSON   []byte // all columns, one object on one line, without its end
}

// Page is a run of usage rows in the order in which they were stored.
type Page struct {
	Rows   []Row // those older than the cutoff; the others are left out
	Last   int64 // the position to go on after
	Looked int64 // rows that were looked at
	IsEnd  bool  // no row is stored behind it
}

// Store keeps the usage rows and the manifests.
type Store interface {
	// OldUsage looks at up to look usage rows after a position, 0 for the first, and
	// returns the first old ones, at most limit.
	OldUsage(ctx context.Context, cutoff time.Time, after int64, look, limit int) (Page, error)
	// HasArchive tells whether a file has a manifest, whatever the case of its name.
	HasArchive(ctx context.Context, file string) (bool, error)
	// AddArchive commits a manifest; it sets no id of its own.
	AddArchive(ctx context.Context, archive Archive) error
	// UnfinishedArchives lists those whose rows may still be in the database.
	UnfinishedArchives(ctx context.Context) ([]Archive, error)
	// RemoveUsage removes usage rows by id in one transaction; those that are not
	// there any more are passed over.
	RemoveUsage(ctx context.Context, ids []string) error
	// FinishArchive notes that the rows of an archive are gone.
	FinishArchive(ctx context.Context, id int64) error
}

// Cutoff is the start of the UTC day that lies a number of days before now.
func Cutoff(now time.Time, days int) time.Time {
	year, month, day := now.UTC().Date()
	return time.Date(year, month, day-days, 0, 0, 0, 0, time.UTC)
}
