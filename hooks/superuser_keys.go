package hooks

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// superuserKeysAge is how old a read may be. It bounds how late a change is seen
// that does not mark itself, such as one by the sqlite3 program.
const superuserKeysAge = time.Second

// superuserKeys knows the token keys of superusers as they are on disk, because
// "superuser update" changes them from another process. That command leaves a
// mark, and holds from the next request on. Requests that wait at the same time
// share one read, and each gets a read that began after it asked.
type superuserKeys struct {
	read *sql.Stmt
	mark superuserMark
	now  func() time.Time

	latest atomic.Pointer[keysRead] // the last one without an error

	mu      sync.Mutex
	next    *keysRead // the read that will begin next, nil when nobody waits for it
	running bool
}

type keysRead struct {
	done chan struct{}
	keys map[string]string // token keys by superuser id
	err  error

	began time.Time
	mark  markState // as it was when the read began
}

func newSuperuserKeys(reader *sql.DB, mark superuserMark, now func() time.Time) (*superuserKeys, error) {
	read, err := reader.Prepare(`SELECT id, tokenKey FROM _superusers`)
	if err != nil {
		return nil, fmt.Errorf("prepare the read of superusers: %w", err)
	}
	return &superuserKeys{read: read, mark: mark, now: now}, nil
}

func (k *superuserKeys) close() error { return k.read.Close() }

// of returns the token key of a superuser, or false when there is none.
func (k *superuserKeys) of(id string) (string, bool, error) {
	read := k.recent()
	if read == nil {
		read = k.join()
		<-read.done
	}
	key, found := read.keys[id]
	return key, found, read.err
}

// recent returns the latest read, unless it is too old, or a mark says that the
// superusers were changed since, or a mark cannot be looked at.
func (k *superuserKeys) recent() *keysRead {
	read := k.latest.Load()
	if read == nil {
		return nil
	}
	if age := k.now().Sub(read.began); age < 0 || age >= superuserKeysAge {
		return nil
	}
	if mark, err := k.mark.state(); err != nil || mark != read.mark {
		return nil
	}
	return read
}

// join returns the next read, and sees to it that it begins.
func (k *superuserKeys) join() *keysRead {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next == nil {
		k.next = &keysRead{done: make(chan struct{})}
	}
	if !k.running {
		k.running = true
		go k.run()
	}
	return k.next
}

// run does one read after the other until nobody waits.
func (k *superuserKeys) run() {
	for {
		k.mu.Lock()
		read := k.next
		k.next = nil
		k.running = read != nil
		k.mu.Unlock()
		if read == nil {
			return
		}
		k.fill(read)
		close(read.done)
	}
}

// fill looks at the mark first: a change that comes after it leaves another one.
func (k *superuserKeys) fill(read *keysRead) {
	mark, err := k.mark.state()
	read.began, read.mark = k.now(), mark
	read.keys, read.err = k.readAll()
	if err == nil && read.err == nil {
		k.latest.Store(read)
	}
}

func (k *superuserKeys) readAll() (keys map[string]string, err error) {
	rows, err := k.read.Query()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	keys = make(map[string]string)
	for rows.Next() {
		var id, key string
		if err := rows.Scan(&id, &key); err != nil {
			return nil, err
		}
		keys[id] = key
	}
	return keys, rows.Err()
}
