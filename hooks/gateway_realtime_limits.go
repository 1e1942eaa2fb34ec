package hooks

// spent counts a turn of a session against the tokens a minute. A call takes an
// estimate and gives the rest back; a session has no estimate, because nobody knows
// how many turns it will have.
func (a *admission) spent(tokens int64) {
	now := a.limits.now()
	for _, r := range a.tokens {
		r.buckets.Give(r.key, r.perMinute, -tokens, now)
	}
}

// mayTurn refuses a further turn while those before it have used more than there is.
func (a *admission) mayTurn() error {
	now := a.limits.now()
	for _, r := range a.tokens {
		if level := r.buckets.Take(r.key, r.perMinute, 0, now); !level.Allowed {
			return tooFast(r, "tokens", level)
		}
	}
	return nil
}
