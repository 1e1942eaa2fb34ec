package pricing

import "fmt"

// Class names one disjoint kind of usage, as it is spelled in stored rows.
type Class string

// The classes of the normal form. A unit of usage is counted in exactly one.
const (
	ClassInText         Class = "in_text"
	ClassInAudio        Class = "in_audio"
	ClassInImage        Class = "in_image"
	ClassInCachedText   Class = "in_cached_text"
	ClassInCachedAudio  Class = "in_cached_audio"
	ClassInCachedImage  Class = "in_cached_image"
	ClassInCacheWrite5m Class = "in_cache_write_5m"
	ClassInCacheWrite1h Class = "in_cache_write_1h"
	ClassOutText        Class = "out_text"
	ClassOutAudio       Class = "out_audio"
	ClassMilliseconds   Class = "milliseconds"
	ClassRequests       Class = "requests"
)

// classCount is how many classes there are.
const classCount = 12

// classes lists every class, the in side first. Usage.values and Rates.values
// follow this order.
var classes = [classCount]Class{
	ClassInText, ClassInAudio, ClassInImage,
	ClassInCachedText, ClassInCachedAudio, ClassInCachedImage,
	ClassInCacheWrite5m, ClassInCacheWrite1h,
	ClassMilliseconds, ClassRequests,
	ClassOutText, ClassOutAudio,
}

// Classes lists every class, the in side first.
func Classes() []Class {
	return classes[:]
}

// firstOutClass is the index in classes at which the out side starts.
const firstOutClass = 10

// RangeError says that a number is outside the bounds of its field.
type RangeError struct {
	Field    string
	Value    int64
	Min, Max int64 // inclusive
}

// Error names the field, the value and the bounds.
func (e *RangeError) Error() string {
	return fmt.Sprintf("%s must be from %d to %d, not %d", e.Field, e.Min, e.Max, e.Value)
}

// checkRange returns a *RangeError unless least <= value <= most.
func checkRange(field string, value, least, most int64) error {
	if value < least || value > most {
		return &RangeError{Field: field, Value: value, Min: least, Max: most}
	}
	return nil
}

// checkValues applies one bound to the values of all classes.
func checkValues(values [classCount]int64, most int64) error {
	for i, value := range values {
		if err := checkRange(string(classes[i]), value, 0, most); err != nil {
			return err
		}
	}
	return nil
}
