package accounts_test

import (
	"testing"

	"sokuji/internal/accounts"
)

func TestClosingsAreNotedOnceAndForgotten(t *testing.T) {
	db := open(t).app.NonconcurrentDB()
	for _, closing := range []accounts.Closing{
		{UserID: "b", Actor: "user:b"}, {UserID: "a", Actor: "superuser:x"}, {UserID: "c", Actor: "system"},
		{UserID: "b", Actor: "somebody else"}, // a second note changes nothing
	} {
		if err := accounts.NoteClosing(db, closing); err != nil {
			t.Fatal(err)
		}
	}
	if err := accounts.ForgetClosing(db, "c"); err != nil {
		t.Fatal(err)
	}
	if err := accounts.ForgetClosing(db, "never noted"); err != nil {
		t.Fatal(err)
	}
	left, err := accounts.Closings(db, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []accounts.Closing{{UserID: "a", Actor: "superuser:x"}, {UserID: "b", Actor: "user:b"}}
	if len(left) != len(want) || left[0] != want[0] || left[1] != want[1] {
		t.Errorf("left are %v, want %v", left, want)
	}
	if bounded, err := accounts.Closings(db, 1); err != nil || len(bounded) != 1 {
		t.Errorf("a limit of 1 gives %v (%v)", bounded, err)
	}
}
