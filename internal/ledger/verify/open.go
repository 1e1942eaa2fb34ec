package verify

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver that PocketBase brings
)

// sqliteHeader begins every SQLite file.
const sqliteHeader = "SQLite format 3\x00"

// busyTimeout is how long a read waits for a lock, which a reader of a WAL file
// needs for a moment at most.
const busyTimeout = 10 * time.Second

// Files that SQLite keeps beside a database.
const (
	walSuffix     = "-wal"
	shmSuffix     = "-shm"
	journalSuffix = "-journal"
)

// Database is a file that is open to be read, and nothing else.
type Database struct {
	*sql.DB
	path string
	// before is what a file without a server looked like when it was opened; the
	// zero value for one that is shared with a server.
	before    fileState
	temporary string // a folder of ours that goes when the database is closed; may be empty
}

// fileState tells whether a file was written to.
type fileState struct {
	size     int64
	modified time.Time
}

// OpenReadOnly opens a data.db: that of a running server, or a copy, also one in a
// folder that cannot be written to. It never changes a file and leaves none
// behind; a copy whose WAL lacks its index is copied again, to a temporary folder.
func OpenReadOnly(path string) (*Database, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := checkHeader(path); err != nil {
		return nil, err
	}
	if size(path+journalSuffix) > 0 {
		return nil, fmt.Errorf("%s has a rollback journal beside it, which only a writer can resolve: start the server on it once", path)
	}
	switch {
	case exists(path+walSuffix) && exists(path+shmSuffix):
		return openShared(path)
	case size(path+walSuffix) > 0:
		return openCopy(path)
	}
	return openAlone(path)
}

// openShared reads beside a server, through the index of its WAL, which it does
// not write to.
func openShared(path string) (*Database, error) {
	db, err := connect(path, "readonly_shm=1")
	if err == nil {
		return &Database{DB: db, path: path}, nil
	}
	// The index may be in a state that only another connection can begin with.
	if db, err = connect(path, ""); err != nil {
		return nil, err
	}
	return &Database{DB: db, path: path}, nil
}

// openAlone reads a file that nobody has open: it takes no locks and looks for no
// WAL. Unchanged tells afterwards whether that was so.
func openAlone(path string) (*Database, error) {
	before, err := stateOf(path)
	if err != nil {
		return nil, err
	}
	db, err := connect(path, "immutable=1")
	if err != nil {
		return nil, err
	}
	return &Database{DB: db, path: path, before: before}, nil
}

// openCopy reads a database with its WAL through a copy of both, because SQLite
// would put an index beside the WAL.
func openCopy(path string) (_ *Database, err error) {
	folder, err := os.MkdirTemp("", "sokuji_verify_*")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	for _, suffix := range []string{"", walSuffix} {
		if err := copyFile(filepath.Join(folder, databaseName+suffix), path+suffix); err != nil {
			return nil, err
		}
	}
	return openOwn(folder)
}

// openOwn opens the database in a folder of ours.
func openOwn(folder string) (*Database, error) {
	path := filepath.Join(folder, databaseName)
	db, err := connect(path, "")
	if err != nil {
		return nil, err
	}
	return &Database{DB: db, path: path, temporary: folder}, nil
}

func connect(path, option string) (*sql.DB, error) {
	query := fmt.Sprintf("mode=ro&_pragma=busy_timeout(%d)&_pragma=query_only(1)", busyTimeout.Milliseconds())
	if option != "" {
		query += "&" + option
	}
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query}
	db, err := sql.Open("sqlite", address.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := tryRead(db); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), db.Close())
	}
	return db, nil
}

func tryRead(db *sql.DB) error {
	var count int64
	return db.QueryRowContext(context.Background(), `SELECT COUNT(*) FROM sqlite_schema`).Scan(&count)
}

// ErrChanged says that a server began to write to a file while it was read.
var ErrChanged = errors.New("it was written to while it was read: a server has started on it; try again")

// Unchanged returns ErrChanged when a server began to write to the file while it
// was read as one that nobody has open. What was read then means nothing.
func (d *Database) Unchanged() error {
	if d.before == (fileState{}) {
		return nil
	}
	now, err := stateOf(d.path)
	if err != nil {
		return err
	}
	if now != d.before || exists(d.path+walSuffix) {
		return fmt.Errorf("%s: %w", d.path, ErrChanged)
	}
	return nil
}

// Close closes the file and removes what was made to read it.
func (d *Database) Close() error {
	err := d.DB.Close()
	if d.temporary != "" {
		err = errors.Join(err, os.RemoveAll(d.temporary))
	}
	return err
}

func checkHeader(path string) error {
	header, err := readHeader(path)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(header, []byte(sqliteHeader)) {
		return fmt.Errorf("%s is not a SQLite database", path)
	}
	return nil
}

// readHeader reads the first bytes of a file, fewer when it is shorter.
func readHeader(path string) (_ []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	header := make([]byte, len(sqliteHeader))
	length, err := io.ReadFull(file, header)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return header[:length], err
}

func stateOf(path string) (fileState, error) {
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}, err
	}
	return fileState{info.Size(), info.ModTime()}, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// size is 0 for a file that is not there.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func copyFile(target, source string) (err error) {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return writeFile(target, in)
}

// temporaryMode keeps copies of a database to their user.
const temporaryMode = 0o600

func writeFile(target string, content io.Reader) (err error) {
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, temporaryMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, content)
	return err
}
