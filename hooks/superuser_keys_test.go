package hooks

import (
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// keysTrial is a superuser whose token key a test changes behind the server's
// back, and the keys as the server sees them.
type keysTrial struct {
	*house
	keys *superuserKeys
	mark superuserMark
	now  time.Time
}

func newKeysTrial(t *testing.T) *keysTrial {
	t.Helper()
	h := newHouse(t)
	reader, err := sqlPool(h.app.ConcurrentDB())
	if err != nil {
		t.Fatal(err)
	}
	trial := &keysTrial{house: h, mark: superuserMark(filepath.Join(t.TempDir(), superuserMarkFile)), now: time.Now()}
	if trial.keys, err = newSuperuserKeys(reader, trial.mark, func() time.Time { return trial.now }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := trial.keys.close(); err != nil {
			t.Error(err)
		}
	})
	return trial
}

func (k *keysTrial) change(t *testing.T, key string) {
	t.Helper()
	if err := k.execute("UPDATE _superusers SET tokenKey = '"+key+"' WHERE id = {:id}", "id", k.root.Id); err != nil {
		t.Fatal(err)
	}
}

func (k *keysTrial) leaveMark(t *testing.T) {
	t.Helper()
	if err := k.mark.leave(); err != nil {
		t.Fatal(err)
	}
}

func (k *keysTrial) expect(t *testing.T, want string) {
	t.Helper()
	if got, found, err := k.keys.of(k.root.Id); got != want || !found || err != nil {
		t.Errorf("got %q, %v, %v; want %q", got, found, err, want)
	}
}

// However many ask at once, each sees what was on disk when it asked.
func TestASuperusersKeyIsAsNewAsTheQuestion(t *testing.T) {
	trial := newKeysTrial(t)
	for round := range 50 {
		want := string(rune('a' + round%26))
		trial.change(t, want)
		trial.leaveMark(t)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() { trial.expect(t, want) })
		}
		wg.Wait()
	}
	if _, found, err := trial.keys.of("nobody"); found || err != nil {
		t.Fatalf("got %v, %v", found, err)
	}
}

// A change without a mark is seen when the last read is too old, also when the
// clock was set back.
func TestASuperusersKeyIsReadAgainInTime(t *testing.T) {
	trial := newKeysTrial(t)
	trial.change(t, "first")
	trial.expect(t, "first")

	trial.change(t, "second")
	trial.now = trial.now.Add(superuserKeysAge - time.Nanosecond)
	trial.expect(t, "first")
	trial.now = trial.now.Add(time.Nanosecond)
	trial.expect(t, "second")

	trial.change(t, "third")
	trial.now = trial.now.Add(-time.Hour)
	trial.expect(t, "third")
}

// Without being able to look for marks there is nothing to rely on but the disk.
func TestASuperusersKeyIsReadWhenMarksCannotBe(t *testing.T) {
	trial := newKeysTrial(t)
	trial.leaveMark(t)
	trial.keys.mark = superuserMark(filepath.Join(string(trial.mark), "below a file"))
	for _, want := range []string{"first", "second"} {
		trial.change(t, want)
		trial.expect(t, want)
	}
}
