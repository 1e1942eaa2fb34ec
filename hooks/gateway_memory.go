package hooks

import (
	"bytes"
	"context"
	"errors"
	"io"

	"golang.org/x/sync/semaphore"

	"sokuji/internal/ledger"
)

// Bounds of what all calls together keep in memory, in bytes. A request is in
// memory up to three times while it is sent on.
const (
	smallBodyBytes       = 1 << 20   // up to this length a body is not counted
	maxLargeBodiesBytes  = 256 << 20 // the larger requests
	maxLargeAnswersBytes = 512 << 20 // the larger answers that come in one piece
)

// bodyRoom is the memory that is left for large bodies.
type bodyRoom struct {
	free *semaphore.Weighted
	most int64 // the longest body, in bytes
	// take reserves so many bytes, or says why not.
	take func(ctx context.Context, length int64) error
}

// newRequestRoom refuses a large request when there is no room: the client still
// has it, and can try again.
func newRequestRoom(total, most int64) *bodyRoom {
	room := &bodyRoom{free: semaphore.NewWeighted(total), most: most}
	room.take = func(_ context.Context, length int64) error {
		if room.free.TryAcquire(length) {
			return nil
		}
		return &ledger.Error{Code: ledger.CodeOverloaded, Message: "Too many large requests are under way: try again in a moment."}
	}
	return room
}

// newAnswerRoom lets a large answer wait for room: the provider has done its work.
func newAnswerRoom(total, most int64) *bodyRoom {
	room := &bodyRoom{free: semaphore.NewWeighted(total), most: most}
	room.take = func(ctx context.Context, length int64) error {
		if room.free.Acquire(ctx, length) != nil {
			return context.Cause(ctx)
		}
		return nil
	}
	return room
}

// read reads a whole body of a length that is known, or -1. The body may go on for
// one byte more than the longest, for the caller to refuse it. What was read before
// an error comes with it, and free must be called in any case.
func (r *bodyRoom) read(ctx context.Context, body io.Reader, length int64) (read []byte, free func(), err error) {
	var begun bytes.Buffer
	if length <= smallBodyBytes {
		begun.Grow(int(max(length, 0)) + bytes.MinRead)
		_, err := io.CopyN(&begun, body, smallBodyBytes+1)
		if errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			return r.readLarge(ctx, body, &begun, r.most)
		}
		return begun.Bytes(), func() {}, err
	}
	return r.readLarge(ctx, body, &begun, min(length, r.most))
}

// readLarge reads the rest of a body for which so many bytes are reserved first.
func (r *bodyRoom) readLarge(ctx context.Context, body io.Reader, begun *bytes.Buffer, reserved int64) ([]byte, func(), error) {
	if err := r.take(ctx, reserved); err != nil {
		return begun.Bytes(), func() {}, err
	}
	_, err := io.Copy(begun, io.LimitReader(body, r.most+1-int64(begun.Len())))
	if spare := reserved - int64(begun.Len()); spare > 0 {
		r.free.Release(spare)
		reserved -= spare
	}
	return begun.Bytes(), func() { r.free.Release(reserved) }, err
}
