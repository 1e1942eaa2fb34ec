package betterauth

import (
	"testing"
	"time"
)

func mustEncode(t *testing.T, value any) string {
	t.Helper()
	encoded, err := Encode(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

func at(t *testing.T, text string) Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return Time(parsed)
}

func recordedUser(t *testing.T) User {
	t.Helper()
	return User{
		ID: "EyR0tzXeuf5WSo1acnQHy254aYxxvOvM", Name: "Ada", Email: "ada@example.com",
		CreatedAt: at(t, "2026-11-23T05:36:25.902Z"), UpdatedAt: at(t, "2026-11-23T05:36:25.902Z"),
	}
}

func recordedSession(t *testing.T) Session {
	t.Helper()
	return Session{
		ID: "ve961lakxJ1gq5qU0QDT5iXzJmcT4nx2", UserID: "EyR0tzXeuf5WSo1acnQHy254aYxxvOvM", Token: recordedToken,
		ExpiresAt: at(t, "2026-11-30T05:36:25.906Z"),
		CreatedAt: at(t, "2026-11-23T05:36:25.906Z"), UpdatedAt: at(t, "2026-11-23T05:36:25.906Z"),
	}
}

func TestAnswersAsRecorded(t *testing.T) {
	const (
		user    = `{"name":"Ada","email":"ada@example.com","emailVerified":false,"createdAt":"2026-11-23T05:36:25.902Z","updatedAt":"2026-11-23T05:36:25.902Z","id":"EyR0tzXeuf5WSo1acnQHy254aYxxvOvM"}`
		session = `{"expiresAt":"2026-11-30T05:36:25.906Z","token":"9c8xVWYq9f512D6WqA6l9FzY1r5VwSgI","createdAt":"2026-11-23T05:36:25.906Z","updatedAt":"2026-11-23T05:36:25.906Z","ipAddress":"","userAgent":"","userId":"EyR0tzXeuf5WSo1acnQHy254aYxxvOvM","id":"ve961lakxJ1gq5qU0QDT5iXzJmcT4nx2"}`
	)
	dashboard, none := "/dash", ""
	const token = "suSbWwStcSGeT3viYsxn02DoQbGIkghK"
	for _, c := range []struct {
		name   string
		answer any
		want   string
	}{
		{"sign-up", SignUpAnswer{Token: new(recordedToken), User: recordedUser(t)},
			`{"token":"9c8xVWYq9f512D6WqA6l9FzY1r5VwSgI","user":` + user + `}`},
		{"sign-in", NewSignInAnswer(token, recordedUser(t), nil),
			`{"redirect":false,"token":"suSbWwStcSGeT3viYsxn02DoQbGIkghK","user":` + user + `}`},
		{"sign-in that goes on", NewSignInAnswer(token, recordedUser(t), &dashboard),
			`{"redirect":true,"token":"suSbWwStcSGeT3viYsxn02DoQbGIkghK","url":"/dash","user":` + user + `}`},
		{"sign-in that goes nowhere", NewSignInAnswer(token, recordedUser(t), &none),
			`{"redirect":false,"token":"suSbWwStcSGeT3viYsxn02DoQbGIkghK","url":"","user":` + user + `}`},
		{"get-session", &SessionAnswer{Session: recordedSession(t), User: recordedUser(t)},
			`{"session":` + session + `,"user":` + user + `}`},
		{"get-session without one", (*SessionAnswer)(nil), `null`},
		{"list-sessions", []Session{recordedSession(t)}, `[` + session + `]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := mustEncode(t, c.answer); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestUserWithEverything(t *testing.T) {
	image := "https://x/y.png"
	user := recordedUser(t)
	user.EmailVerified, user.Image, user.Name = true, &image, `Ada <"Lovelace"> & Söhne`
	const want = `{"name":"Ada <\"Lovelace\"> & Söhne","email":"ada@example.com","emailVerified":true,"image":"https://x/y.png","createdAt":"2026-11-23T05:36:25.902Z","updatedAt":"2026-11-23T05:36:25.902Z","id":"EyR0tzXeuf5WSo1acnQHy254aYxxvOvM"}`
	if got := mustEncode(t, user); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	image = ""
	const emptyImage = `{"name":"Ada","email":"ada@example.com","emailVerified":false,"image":"","createdAt":"2026-11-23T05:36:25.902Z","updatedAt":"2026-11-23T05:36:25.902Z","id":"EyR0tzXeuf5WSo1acnQHy254aYxxvOvM"}`
	user = recordedUser(t)
	user.Image = &image
	if got := mustEncode(t, user); got != emptyImage {
		t.Errorf("\n got %s\nwant %s", got, emptyImage)
	}
}

func TestTimeAsJavaScriptPrintsIt(t *testing.T) {
	for in, want := range map[string]string{
		"2026-11-23T05:36:25.902Z":       `"2026-11-23T05:36:25.902Z"`,
		"2026-11-23T05:36:25Z":           `"2026-11-23T05:36:25.000Z"`,
		"2026-11-23T05:36:25.5Z":         `"2026-11-23T05:36:25.500Z"`,
		"2026-11-23T05:36:25.902999999Z": `"2026-11-23T05:36:25.902Z"`,
		"2026-11-23T07:36:25.902+02:00":  `"2026-11-23T05:36:25.902Z"`,
		"2027-01-01T00:30:00+01:00":      `"2026-12-31T23:30:00.000Z"`,
		"0001-01-01T00:00:00Z":           `"0001-01-01T00:00:00.000Z"`,
		"9999-12-31T23:59:59.999Z":       `"9999-12-31T23:59:59.999Z"`,
	} {
		if got := mustEncode(t, at(t, in)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestTimeBeyondTheFormatIsAnError(t *testing.T) {
	for _, year := range []int{-1, 10_000} {
		if encoded, err := Encode(Time(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC))); err == nil {
			t.Errorf("the year %d became %s", year, encoded)
		}
	}
}

func TestEncodeFailsOnWhatJSONCannotHold(t *testing.T) {
	if encoded, err := Encode(func() {}); err == nil || encoded != nil {
		t.Errorf("got %q, %v", encoded, err)
	}
}
