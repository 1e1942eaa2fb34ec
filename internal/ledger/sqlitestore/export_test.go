package sqlitestore

// Queries whose plan the tests look at.
const (
	SelectQuarters = selectQuarters
	SelectOldUsage = selectOldUsage
	RemoveUsage    = removeUsage
)
