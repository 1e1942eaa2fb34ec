package hooks

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// superuserKeys reads the token keys of superusers from disk for every request
// that comes with one's token, because "superuser update" changes them from
// another process. Requests that wait at the same time share one read, and each
// gets a read that began after it asked.
type superuserKeys struct {
	read *sql.Stmt

	mu      sync.Mutex
	next    *keysRead // the read that will begin next, nil when nobody waits for it
	running bool
}

type keysRead struct {
	done chan struct{}
	keys map[string]string // token keys by superuser id
	err  error
}

func newSuperuserKeys(reader *sql.DB) (*superuserKeys, error) {
	read, err := reader.Prepare(`SELECT id, tokenKey FROM _superusers`)
	if err != nil {
		return nil, fmt.Errorf("prepare the read of superusers: %w", err)
	}
	return &superuserKeys{read: read}, nil
}

func (k *superuserKeys) close() error { return k.read.Close() }

// of returns the token key of a superuser, or false when there is none.
func (k *superuserKeys) of(id string) (string, bool, error) {
	read := k.join()
	<-read.done
	key, found := read.keys[id]
	return key, found, read.err
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
		read.keys, read.err = k.readAll()
		close(read.done)
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
