package ledger_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"regexp"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"sokuji/internal/ledger"
)

func TestIdentifiersGrow(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-v]{20}$`)
	rapid.Check(t, func(t *rapid.T) {
		ids := ledger.NewIdentifiers(rand.Reader)
		now, last := noon, ""
		for range rapid.IntRange(2, 50).Draw(t, "count") {
			now = now.Add(time.Duration(rapid.IntRange(-5000, 5000).Draw(t, "milliseconds")) * time.Millisecond)
			id, err := ids.Next(now)
			if err != nil {
				t.Fatal(err)
			}
			if id <= last || !form.MatchString(id) {
				t.Fatalf("%s came after %s", id, last)
			}
			last = id
		}
	})
}

func TestIdentifiersOfTwoWritersDiffer(t *testing.T) {
	a, errA := ledger.NewIdentifiers(rand.Reader).Next(noon)
	b, errB := ledger.NewIdentifiers(rand.Reader).Next(noon)
	if err := errors.Join(errA, errB); err != nil || a == b {
		t.Fatalf("got %s and %s, %v", a, b, err)
	}
	if a[:9] != b[:9] {
		t.Fatalf("%s and %s do not begin with the same time", a, b)
	}
}

func TestIdentifiersNeedRandomBits(t *testing.T) {
	if id, err := ledger.NewIdentifiers(iotest.ErrReader(errors.New("broken"))).Next(noon); err == nil {
		t.Fatalf("got %s", id)
	}
}

func TestIdentifiersEndBeforeTheyRepeat(t *testing.T) {
	ids := ledger.NewIdentifiers(bytes.NewReader(make([]byte, 8)))
	if id, err := ids.Next(time.UnixMilli(1 << 45)); err == nil {
		t.Fatalf("got %s for a time that has no room", id)
	}
}
