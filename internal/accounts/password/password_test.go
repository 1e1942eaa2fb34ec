package password

import (
	"bytes"
	"crypto/rand"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/crypto/bcrypt"
)

// The first two are published vectors of Better Auth's own hash function, the
// others were written by its versions 1.7.25 and 1.4.3 for "password123".
const (
	plainHash   = "00112233445566778899aabbccddeeff:73122e887cfc14f91396cdef78dfe4b9dec28d459037601c4904cedba5a637ab97b39b40c236df5d42881d0109ca8cf0f85e39dbaba2911c190915bd8f30fe85"
	unicodeHash = "00112233445566778899aabbccddeeff:5ff8fdfce302bb50175025e8f8973ac5215165758f7954b3bad27aefcb9b25270d917fedc5b2dc4b106690d62e3e4dd03525a1664b496d43d46453f67eb0f4ef"
)

func TestVerifyScryptAcceptsBetterAuthHashes(t *testing.T) {
	for _, c := range []struct{ name, hash, password string }{
		{"plain", plainHash, "password123"},
		{"compatibility characters", unicodeHash, "pässwörd ﬁ №"},
		{"normalised before", unicodeHash, "pässwörd fi No"},
		{"decomposed", unicodeHash, "pa\u0308sswo\u0308rd fi No"},
		{"written by 1.7.25", "c6b9343f970c88e4e804bad3a71cfbc5:230b90d6835594442d626d46743dbceedd5dc089764beced1922b869f543be2b7f45b4a6baef22f239b3309cfb5d6f9447253592449ddc33bbe45ae2fe42c2dd", "password123"},
		{"written by 1.4.3", "363d031f7f7a64677f821afa1a4a4b3c:509fcc08e24a4b2ec7e9e1e09f880557c9144d0a38474696c1d27487b59de5b473d351424b6a861811072a815f56750d791284784561721273b37af14cfa919b", "password123"},
		{"key in upper case", plainHash[:33] + strings.ToUpper(plainHash[33:]), "password123"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !VerifyScrypt(c.hash, c.password) {
				t.Error("the hash was not accepted")
			}
		})
	}
}

func TestVerifyScryptRefuses(t *testing.T) {
	salt, key := plainHash[:32], plainHash[33:]
	for _, c := range []struct{ name, hash, password string }{
		{"another password", plainHash, "password124"},
		{"another case", plainHash, "Password123"},
		{"a space behind", plainHash, "password123 "},
		{"no password", plainHash, ""},
		{"another salt", "1" + plainHash[1:], "password123"},
		{"another case of the salt, which is text", strings.ToUpper(salt) + ":" + key, "password123"},
		{"a changed last digit", plainHash[:len(plainHash)-1] + "4", "password123"},
		{"no hash", "", "password123"},
		{"only a colon", ":", ""},
		{"no key", salt + ":", "password123"},
		{"no salt", ":" + key, "password123"},
		{"no colon", salt + key, "password123"},
		{"two colons", plainHash + ":", "password123"},
		{"half a key", plainHash[:33+64], "password123"},
		{"a longer key", plainHash + "00", "password123"},
		{"a shorter salt", plainHash[2:], "password123"},
		{"a salt that is no number", "zz" + plainHash[2:], "password123"},
		{"a key that is no number", plainHash[:len(plainHash)-2] + "zz", "password123"},
		{"a bcrypt hash", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", "password123"},
		{"an over-long hash", plainHash + strings.Repeat("0", 1<<20), "password123"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if VerifyScrypt(c.hash, c.password) {
				t.Error("the hash was accepted")
			}
		})
	}
}

func TestHashScryptWritesBetterAuthHashes(t *testing.T) {
	salt := []byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	for password, want := range map[string]string{
		"password123":  plainHash,
		"pässwörd ﬁ №": unicodeHash,
	} {
		got, err := HashScrypt(bytes.NewReader(salt), password)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q\n got %s\nwant %s", password, got, want)
		}
	}
}

func TestHashScryptSaltsEachHash(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{32}:[0-9a-f]{128}$`)
	seen := map[string]bool{}
	for range 2 {
		hash, err := HashScrypt(rand.Reader, "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		if !form.MatchString(hash) {
			t.Errorf("%q has not the form of a hash", hash)
		}
		if !VerifyScrypt(hash, "correct horse") {
			t.Error("the hash does not match its own password")
		}
		seen[hash[:32]] = true
	}
	if len(seen) != 2 {
		t.Error("two hashes share a salt")
	}
}

func TestHashScryptFailsWithoutRandomBytes(t *testing.T) {
	broken := errors.New("no entropy")
	hash, err := HashScrypt(iotest.ErrReader(broken), "hunter2hunter2")
	if !errors.Is(err, broken) || hash != "" {
		t.Errorf("got %q, %v", hash, err)
	}
	if _, err := HashScrypt(bytes.NewReader(make([]byte, 15)), "hunter2hunter2"); err == nil {
		t.Error("a short salt was accepted")
	} else if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error repeats the password: %v", err)
	}
}

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"":                 "",
		"password123":      "password123",
		"pässwörd ﬁ №":     "pässwörd fi No",
		"e\u0301":          "é",
		"Ａ１":               "A1",
		"\u212b":           "Å",
		"a\u00a0b":         "a b",
		"😀":                "😀",
		"\xff not unicode": "\xff not unicode",
	} {
		if got := Normalize(in); got != want {
			t.Errorf("Normalize(%q) = %q, want %q", in, got, want)
		}
		if again := Normalize(Normalize(in)); again != Normalize(in) {
			t.Errorf("normalising %q twice gives %q", in, again)
		}
	}
}

// Pins the one known difference from JavaScript, so that an update of the library
// that removes it is noticed and the comment on Normalize goes too.
func TestNormalizeInsertsAJoinerIntoLongRunsOfMarks(t *testing.T) {
	if marks := "a" + strings.Repeat("\u0316", 30); Normalize(marks) != marks {
		t.Error("30 marks were changed")
	}
	if marks := "a" + strings.Repeat("\u0316", 31); !strings.Contains(Normalize(marks), "\u034f") {
		t.Error("31 marks were left alone")
	}
}

func TestFitsBcrypt(t *testing.T) {
	for _, c := range []struct {
		name, password string
		want           bool
	}{
		{"empty", "", true},
		{"short", "password123", true},
		{"71 bytes", strings.Repeat("a", 71), true},
		{"72 bytes", strings.Repeat("a", 72), false},
		{"69 bytes in 23 characters", strings.Repeat("語", 23), true},
		{"72 bytes in 24 characters", strings.Repeat("語", 24), false},
		{"128 bytes", strings.Repeat("a", 128), false},
		{"a zero byte", "password\x00password", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := FitsBcrypt(c.password); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// The next two tests hold bcrypt to what FitsBcrypt's comment says of it.

func TestBcryptTakesWhatFits(t *testing.T) {
	longest := strings.Repeat("a", MaxBcryptLength)
	hash, err := bcrypt.GenerateFromPassword([]byte(longest), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if bcrypt.CompareHashAndPassword(hash, []byte(longest[1:]+"b")) == nil {
		t.Error("bcrypt ignores the last byte of the longest password that fits")
	}
	if _, err := bcrypt.GenerateFromPassword([]byte(longest+"aa"), bcrypt.MinCost); err == nil {
		t.Error("bcrypt takes 73 bytes: the bound has lost its reason")
	}
}

func TestBcryptConfusesZeroBytes(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("password"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if bcrypt.CompareHashAndPassword(hash, []byte("password\x00password")) != nil {
		t.Error("bcrypt tells the two apart: refusing zero bytes has lost its reason")
	}
}

func FuzzVerifyScrypt(f *testing.F) {
	f.Add(plainHash, "password123")
	f.Add(plainHash, "wrong")
	f.Add(unicodeHash, "pässwörd ﬁ №")
	f.Add("", "")
	f.Add(":", "password123")
	f.Add(plainHash[:40], "password123")
	f.Add(plainHash+plainHash, "password123")
	f.Add(strings.Repeat(":", 161), "\xff\x00")
	f.Add(plainHash[2:], "password123")
	f.Add("00"+plainHash, "password123")
	f.Add(plainHash[:33+64], "password123")
	f.Add(plainHash+"00", "password123")
	f.Add("zz"+plainHash[2:], "password123")
	f.Add(plainHash[:len(plainHash)-2]+"zz", "password123")
	form := regexp.MustCompile(`^[0-9a-fA-F]{32}:[0-9a-fA-F]{128}$`)
	f.Fuzz(func(t *testing.T, hash, password string) {
		_, _, ok := parseHash(hash)
		if ok != form.MatchString(hash) {
			t.Fatalf("%q: taken for well-formed: %v", hash, ok)
		}
		// Well-formed hashes have their tables above: deriving a key is so slow that
		// fuzzing would try nothing else.
		if !ok && VerifyScrypt(hash, password) {
			t.Fatalf("the malformed hash %q was accepted", hash)
		}
	})
}
