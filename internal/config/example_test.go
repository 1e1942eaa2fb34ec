package config

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"testing"
)

// exampleLine is a variable of .env.example, commented out with its default.
var exampleLine = regexp.MustCompile(`(?m)^#([A-Z_]+)=(.*)$`)

// readExample returns the variables of the example file.
func readExample(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, match := range exampleLine.FindAllStringSubmatch(string(content), -1) {
		values[match[1]] = match[2]
	}
	return values
}

func TestExampleNamesEveryVariable(t *testing.T) {
	t.Parallel()
	asked := map[string]bool{}
	if _, err := Load(func(name string) string { asked[name] = true; return "" }); err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(maps.Keys(asked))
	if got := slices.Sorted(maps.Keys(readExample(t))); !slices.Equal(got, want) {
		t.Fatalf(".env.example has %q, Load reads %q", got, want)
	}
}

func TestExampleShowsTheDefaults(t *testing.T) {
	t.Parallel()
	example := readExample(t)
	if got, want := mustLoad(t, example), mustLoad(t, nil); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	for name, value := range map[string]string{
		"ENVIRONMENT": "development", "FRONTEND_URL": "http://localhost:5173", "AUTH_RATE_LIMIT": "3", "API_RATE_LIMIT": "6000",
		"TOKEN_VALUE_MICRO_USD": "10", "MARGIN_PPM": "1200000", "PUBLIC_DIR": "pb_public",
		"USAGE_RETENTION_DAYS": "0",
	} {
		if example[name] != value {
			t.Errorf("%s shows %q, want %q", name, example[name], value)
		}
	}
}
