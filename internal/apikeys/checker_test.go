package apikeys

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// numberedKey returns the n-th of many different keys.
func numberedKey(t testing.TB, n int) Key {
	t.Helper()
	return mustGenerate(t, binary.BigEndian.AppendUint64(nil, uint64(n))...)
}

func TestCheckerGrants(t *testing.T) {
	t.Parallel()
	key := mustGenerate(t, 1)
	tests := []struct {
		name  string
		grant Grant
		valid bool
	}{
		{"without an end", Grant{ID: "a", UserID: "u", Scopes: DefaultScopes()}, true},
		{"before its end", Grant{ExpiresAt: noon.Add(1)}, true},
		{"at its end", Grant{ExpiresAt: noon}, false},
		{"after its end", Grant{ExpiresAt: noon.Add(-1)}, false},
		{"an end in another time zone", Grant{ExpiresAt: noon.Add(1).In(time.FixedZone("west", -8*3600))}, true},
		{"disabled", Grant{Disabled: true}, false},
		{"disabled before its end", Grant{Disabled: true, ExpiresAt: noon.Add(time.Hour)}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checker := NewChecker()
			checker.Put(key.Hash(), test.grant)
			got, ok := checker.Check(key, noon)
			if ok != test.valid {
				t.Fatalf("valid is %v, want %v", ok, test.valid)
			}
			want := test.grant
			if !test.valid {
				want = Grant{}
			}
			if got != want {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestCheckerRefusesUnknownKeys(t *testing.T) {
	t.Parallel()
	checker := NewChecker()
	checker.Put(mustGenerate(t, 1).Hash(), Grant{ID: "one"})
	if grant, ok := checker.Check(mustGenerate(t, 2), noon); ok || grant != (Grant{}) {
		t.Errorf("an unknown key is granted %+v", grant)
	}
}

func TestCheckerNeverAcceptsTheZeroKey(t *testing.T) {
	t.Parallel()
	checker := NewChecker()
	checker.Put(Key{}.Hash(), Grant{ID: "by mistake"})
	if grant, ok := checker.Check(Key{}, noon); ok {
		t.Errorf("the zero key is granted %+v", grant)
	}
}

func TestCheckerPutRemoveReplace(t *testing.T) {
	t.Parallel()
	first, second, third := mustGenerate(t, 1), mustGenerate(t, 2), mustGenerate(t, 3)
	checker := NewChecker()
	expect := func(step string, key Key, want string) {
		t.Helper()
		if grant, ok := checker.Check(key, noon); grant.ID != want || ok != (want != "") {
			t.Errorf("%s: got %q, %v; want %q", step, grant.ID, ok, want)
		}
	}

	checker.Put(first.Hash(), Grant{ID: "first"})
	expect("put", first, "first")
	checker.Put(first.Hash(), Grant{ID: "first, changed"})
	expect("put again", first, "first, changed")
	checker.Remove(first.Hash())
	expect("removed", first, "")
	checker.Remove(first.Hash())

	checker.Put(first.Hash(), Grant{ID: "first"})
	given := map[Hash]Grant{second.Hash(): {ID: "second"}, third.Hash(): {ID: "third"}}
	checker.Replace(given)
	expect("replaced away", first, "")
	expect("replaced", second, "second")
	expect("replaced", third, "third")
	if checker.Len() != 2 {
		t.Errorf("knows %d keys, want 2", checker.Len())
	}

	clear(given)
	expect("the caller's map was changed", second, "second")
	checker.Replace(nil)
	expect("replaced by nothing", third, "")
	checker.Put(third.Hash(), Grant{ID: "third"})
	expect("put after nothing", third, "third")
}

// TestCheckerAgainstMap compares a random history with a plain map.
func TestCheckerAgainstMap(t *testing.T) {
	t.Parallel()
	keys := make([]Key, 8)
	for i := range keys {
		keys[i] = numberedKey(t, i)
	}
	rapid.Check(t, func(t *rapid.T) {
		checker, model := NewChecker(), map[Hash]Grant{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			hash := rapid.SampledFrom(keys).Draw(t, "key").Hash()
			switch rapid.SampledFrom([]string{"put", "remove", "replace"}).Draw(t, "step") {
			case "put":
				grant := Grant{ID: rapid.StringMatching(`[a-z]`).Draw(t, "id"), Disabled: rapid.Bool().Draw(t, "disabled")}
				checker.Put(hash, grant)
				model[hash] = grant
			case "remove":
				checker.Remove(hash)
				delete(model, hash)
			case "replace":
				model = map[Hash]Grant{hash: {ID: "only"}}
				checker.Replace(model)
			}
		}
		if checker.Len() != len(model) {
			t.Fatalf("knows %d keys, want %d", checker.Len(), len(model))
		}
		for _, key := range keys {
			want, known := model[key.Hash()]
			got, ok := checker.Check(key, noon)
			if ok != (known && !want.Disabled) || ok && got != want {
				t.Fatalf("got %+v, %v; want %+v, %v", got, ok, want, known)
			}
		}
	})
}

// TestCheckerConcurrently is for the race detector, and checks that readers see
// one grant or the other, never a mixture.
func TestCheckerConcurrently(t *testing.T) {
	t.Parallel()
	const rounds = 500
	checker := NewChecker()
	key := mustGenerate(t, 1)
	checker.Put(key.Hash(), Grant{ID: "a", UserID: "a"})
	var group sync.WaitGroup
	for _, name := range []string{"a", "b"} {
		group.Go(func() {
			for range rounds {
				checker.Put(key.Hash(), Grant{ID: name, UserID: name})
				checker.Replace(map[Hash]Grant{key.Hash(): {ID: name, UserID: name}})
			}
		})
	}
	for range 4 {
		group.Go(func() {
			for range rounds {
				grant, ok := checker.Check(key, noon)
				if !ok || grant.ID != grant.UserID {
					t.Errorf("read %+v, %v", grant, ok)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestCheckerRemoveHoldsAtOnce(t *testing.T) {
	t.Parallel()
	checker := NewChecker()
	var group sync.WaitGroup
	for n := range 200 {
		key := numberedKey(t, n)
		group.Go(func() {
			checker.Put(key.Hash(), Grant{ID: "key"})
			checker.Remove(key.Hash())
			if _, ok := checker.Check(key, noon); ok {
				t.Errorf("key %d is valid after Remove returned", n)
			}
		})
	}
	group.Wait()
}

func TestCheckAllocatesNothing(t *testing.T) {
	checker := NewChecker()
	known, unknown := mustGenerate(t, 1), mustGenerate(t, 2)
	checker.Put(known.Hash(), Grant{ID: "id", UserID: "user", Scopes: DefaultScopes(), ExpiresAt: noon.Add(time.Hour)})
	allocations := testing.AllocsPerRun(100, func() {
		checker.Check(known, noon)
		checker.Check(unknown, noon)
	})
	if allocations != 0 {
		t.Fatalf("%v allocations", allocations)
	}
}

func BenchmarkCheck(b *testing.B) {
	checker := NewChecker()
	for n := range 100_000 {
		checker.Put(numberedKey(b, n).Hash(), Grant{ID: "id", UserID: "user", Scopes: DefaultScopes()})
	}
	key := numberedKey(b, 4711)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, ok := checker.Check(key, noon); !ok {
				b.Error("refused")
				return
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := numberedKey(b, 4711).Reveal()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDerive(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Derive(testSecret, "user_1234567890", 1); err != nil {
			b.Fatal(err)
		}
	}
}
