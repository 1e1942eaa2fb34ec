// Package statement writes down what one wallet did in a period, and checks such a
// document: every entry with all the columns that its hash covers, between the
// opening and the closing of the chain. Whoever holds a statement can prove with
// nothing else that no entry in it was changed, left out or added, and with the
// books, or a checkpoint of them, that it is theirs.
//
// It owns the two forms of the document, JSON and CSV, which carry the same. It
// must never hold all entries in memory, write a statement of a chain that does
// not hold, or know where entries come from.
package statement
