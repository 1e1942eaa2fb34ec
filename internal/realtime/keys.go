package realtime

// keys remembers the newest of the events that were billed.
type keys struct {
	known map[string]bool
	order []string // as a ring once it is full
	next  int
}

// add tells whether a key is new.
func (k *keys) add(key string) bool {
	if k.known[key] {
		return false
	}
	if k.known == nil {
		k.known = make(map[string]bool)
	}
	k.known[key] = true
	if len(k.order) < maxBilledKeys {
		k.order = append(k.order, key)
		return true
	}
	delete(k.known, k.order[k.next])
	k.order[k.next] = key
	k.next = (k.next + 1) % maxBilledKeys
	return true
}
