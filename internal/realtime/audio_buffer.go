package realtime

// audioBuffer follows what the provider has in its buffer of the client's audio, and
// so how long a piece of it is that becomes an item. All places are counted in bytes
// of PCM since the session began.
type audioBuffer struct {
	written   int64  // what the client has appended
	start     int64  // where begins what is in the buffer
	speechEnd int64  // where the provider heard a speaker stop, 0: it did not say
	marks     []mark // what the client asked for and the provider has not done yet
	// isReported says that this provider tells of its commits: some do not.
	isReported bool
}

// mark is where the client asked for a commit, or to clear the buffer.
type mark struct {
	at     int64
	clears bool
}

// maxMarks bounds what is remembered of a client that asks for more than is done.
// Without the oldest a piece counts as longer.
const maxMarks = 64

func (b *audioBuffer) write(bytes int64) { b.written += bytes }

// ask notes that the client asks for a commit, or to clear the buffer: what it
// appends after that is not meant.
func (b *audioBuffer) ask(clears bool) {
	if len(b.marks) == maxMarks {
		b.marks = b.marks[1:]
	}
	b.marks = append(b.marks, mark{b.written, clears})
}

// answered drops the mark of a commit that is done, or for which there was too
// little audio.
func (b *audioBuffer) answered() {
	if len(b.marks) > 0 && !b.marks[0].clears {
		b.marks = b.marks[1:]
	}
}

// inBuffer is what may still become an item.
func (b *audioBuffer) inBuffer() int64 { return b.written - b.start }

// speechStarted leaves out the silence before a speaker, as the provider does.
func (b *audioBuffer) speechStarted(milliseconds int64) {
	b.start, b.speechEnd = b.within(milliseconds), 0
}

func (b *audioBuffer) speechStopped(milliseconds int64) { b.speechEnd = b.within(milliseconds) }

// within is a place in what is in the buffer, whatever the provider names.
func (b *audioBuffer) within(milliseconds int64) int64 {
	return min(max(milliseconds*audioBytesPerMillisecond, b.start), b.written)
}

// commit takes the piece out of the buffer that has become an item, and tells its
// length.
func (b *audioBuffer) commit() int64 {
	b.dropPassed()
	end := b.written
	switch {
	case b.speechEnd > 0:
		end = b.speechEnd
	case len(b.marks) > 0:
		end = b.marks[0].at
		b.answered()
	}
	length := end - b.start
	b.start, b.speechEnd = end, 0
	return length
}

// dropPassed drops what the provider has not answered and never will.
func (b *audioBuffer) dropPassed() {
	for len(b.marks) > 0 && b.marks[0].at <= b.start {
		b.marks = b.marks[1:]
	}
}

// clear takes out what the client wanted to be cleared.
func (b *audioBuffer) clear() {
	for len(b.marks) > 0 {
		first := b.marks[0]
		b.marks = b.marks[1:]
		if first.clears {
			b.start, b.speechEnd = max(b.start, first.at), 0
			return
		}
	}
}
