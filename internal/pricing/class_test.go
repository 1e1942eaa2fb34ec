package pricing

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

// usageField returns the count of the i-th class, found by its JSON name and
// so independently of Usage.values.
func usageField(usage *Usage, i int) *int64 {
	return fieldByJSONName(reflect.ValueOf(usage).Elem(), classes[i])
}

// ratesField is usageField for rates.
func ratesField(rates *Rates, i int) *int64 {
	return fieldByJSONName(reflect.ValueOf(rates).Elem(), classes[i])
}

func fieldByJSONName(value reflect.Value, class Class) *int64 {
	for i := range value.NumField() {
		if value.Type().Field(i).Tag.Get("json") == string(class)+",omitempty" {
			return value.Field(i).Addr().Interface().(*int64)
		}
	}
	panic("no field for " + string(class))
}

func TestEveryFieldIsOneClass(t *testing.T) {
	t.Parallel()
	for name, fields := range map[string]int{
		"Usage": reflect.TypeFor[Usage]().NumField(),
		"Rates": reflect.TypeFor[Rates]().NumField(),
	} {
		if fields != classCount {
			t.Errorf("%s has %d fields, but there are %d classes", name, fields, classCount)
		}
	}
	for i, class := range classes {
		var usage Usage
		var rates Rates
		*usageField(&usage, i) = 7
		*ratesField(&rates, i) = 9
		var wantUsage, wantRates [classCount]int64
		wantUsage[i], wantRates[i] = 7, 9
		if usage.values() != wantUsage {
			t.Errorf("Usage.values puts %s at another place: %v", class, usage.values())
		}
		if rates.values() != wantRates {
			t.Errorf("Rates.values puts %s at another place: %v", class, rates.values())
		}
	}
}

func TestOutClassesComeLast(t *testing.T) {
	t.Parallel()
	for i, class := range classes {
		isOut := class == ClassOutText || class == ClassOutAudio
		if isOut != (i >= firstOutClass) {
			t.Errorf("%s is on the wrong side", class)
		}
	}
}

func TestValidateBounds(t *testing.T) {
	t.Parallel()
	for i, class := range classes {
		var usage Usage
		var rates Rates
		count, rate := usageField(&usage, i), ratesField(&rates, i)

		*count, *rate = MaxCount, MaxRate
		if err := errors.Join(usage.Validate(), rates.Validate()); err != nil {
			t.Errorf("%s at its bound: %v", class, err)
		}
		for _, beyond := range []int64{-1, 1} {
			*count, *rate = beyond, beyond
			if beyond > 0 {
				*count, *rate = MaxCount+1, MaxRate+1
			}
			for _, err := range []error{usage.Validate(), rates.Validate()} {
				var rangeError *RangeError
				if !errors.As(err, &rangeError) || rangeError.Field != string(class) {
					t.Errorf("%s beyond its bound: got %v", class, err)
				}
			}
		}
	}
}

func TestUsageJSONNames(t *testing.T) {
	t.Parallel()
	usage := Usage{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	const want = `{"in_text":1,"in_audio":2,"in_image":3,"in_cached_text":4,"in_cached_audio":5,"in_cached_image":6,` +
		`"in_cache_write_5m":7,"in_cache_write_1h":8,"out_text":9,"out_audio":10,"milliseconds":11,"requests":12}`
	text, err := json.Marshal(usage)
	if err != nil || string(text) != want {
		t.Fatalf("got %s, %v; want %s", text, err, want)
	}
	rates, err := json.Marshal(Rates(usage))
	if err != nil || string(rates) != want {
		t.Fatalf("rates are spelled otherwise: %s, %v", rates, err)
	}
	var back Usage
	if err := json.Unmarshal(text, &back); err != nil || back != usage {
		t.Fatalf("read back as %+v, %v", back, err)
	}
}
