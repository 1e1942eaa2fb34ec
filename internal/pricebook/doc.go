// Package pricebook looks at a whole price book: is it sound, and what would
// another one have charged.
//
// It owns the file format of a candidate book, the findings of a check and the
// repricing of recorded usage. It must never change a price or a charge, never use
// a floating point number and never read a database.
package pricebook
