package sqlitestore

import (
	"sync"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// unlimited lets a statement's journal stay in memory, in pieces of 1 KiB.
const unlimited int32 = -1

// SmallJournals makes SQLite keep the journal of a single statement, which it
// needs for every change that a trigger may refuse, in small pieces of memory. By
// default the first piece has 64 KiB, which the driver maps and unmaps each time:
// a quarter of the processor time of a hold and its settlement. It holds for the
// whole process from its first database on, and reports whether it came in time;
// later everything works as well, only slower.
var SmallJournals = sync.OnceValue(func() bool {
	tls := libc.NewTLS()
	defer tls.Close()
	arguments := libc.NewVaList(unlimited)
	defer libc.Xfree(tls, arguments)
	return sqlite3.Xsqlite3_config(tls, sqlite3.SQLITE_CONFIG_STMTJRNL_SPILL, arguments) == sqlite3.SQLITE_OK
})
