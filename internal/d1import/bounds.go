package d1import

// Bounds of an import.
const (
	// MaxStatementBytes is the longest statement that is looked at. D1 allows 2 MB
	// in a row, which a blob spells in 4 MB of hexadecimal digits.
	MaxStatementBytes = 16 << 20
	// maxColumns is how many columns a table may have; D1 allows 100.
	maxColumns = 1_000
	// maxExpressionDepth is how deep functions may stand in each other.
	maxExpressionDepth = 32
	// maxGeneratedBytes is the longest text that functions may make of a statement.
	maxGeneratedBytes = MaxStatementBytes
	// maxExamples is how many ids a report shows for one reason.
	maxExamples = 20
	// maxReasons is how many reasons one table of a report keeps apart.
	maxReasons = 200
	// maxOtherTables is how many tables that are not of the backend are named.
	maxOtherTables = 100
	// maxRowsPerUser is how many sessions, or sign-ins, one user may bring.
	maxRowsPerUser = 10_000
	// batchUsers, batchEntries and batchRows are how many rows one transaction writes.
	batchUsers   = 250
	batchEntries = 2_000
	batchRows    = 1_000
	// maxNameBytes, maxImageBytes and maxTextBytes are what the columns here hold.
	maxNameBytes  = 255
	maxImageBytes = 2_048
	maxTextBytes  = 1_000
	// maxPayloadBytes bounds the raw body of a webhook, maxJSONBytes a JSON column.
	maxPayloadBytes = 1 << 20
	maxJSONBytes    = 1 << 20
	// progressRows is how many rows are done between two calls of Progress.
	progressRows = 1_000
)
