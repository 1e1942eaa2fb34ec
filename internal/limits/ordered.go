package limits

import "strings"

// ordered keeps a bounded number of keys in the order of their last touch. It has
// no lock of its own.
type ordered[V any] struct {
	most  int // keys; a further one takes the place of the first
	items map[string]*item[V]
	ring  item[V] // the sentinel: ring.next was touched longest ago
}

// item is a key and what is known of it.
type item[V any] struct {
	value          V
	key            string
	previous, next *item[V]
}

func (o *ordered[V]) init(most int) {
	o.most = most
	o.items = make(map[string]*item[V])
	o.ring.next, o.ring.previous = &o.ring, &o.ring
}

// get returns what is known of a key, nil for nothing.
func (o *ordered[V]) get(key string) *item[V] { return o.items[key] }

// first returns what was touched longest ago, nil when there is nothing.
func (o *ordered[V]) first() *item[V] {
	if o.ring.next == &o.ring {
		return nil
	}
	return o.ring.next
}

// add puts a new key last, and drops the first where there is no room.
func (o *ordered[V]) add(key string, value V) *item[V] {
	if len(o.items) >= o.most {
		o.remove(o.ring.next)
	}
	// A key cut from a request would keep all of that request alive.
	added := &item[V]{value: value, key: strings.Clone(key)}
	o.items[added.key] = added
	o.append(added)
	return added
}

// touch puts an item last.
func (o *ordered[V]) touch(i *item[V]) {
	i.unlink()
	o.append(i)
}

func (o *ordered[V]) remove(i *item[V]) {
	i.unlink()
	delete(o.items, i.key)
}

func (i *item[V]) unlink() { i.previous.next, i.next.previous = i.next, i.previous }

func (o *ordered[V]) append(i *item[V]) {
	last := o.ring.previous
	i.previous, i.next = last, &o.ring
	last.next, o.ring.previous = i, i
}
