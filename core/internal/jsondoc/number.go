package jsondoc

// IsNumber says that s is exactly one JSON number (RFC 8259), so that it can
// stand in a text without quotes.
func IsNumber(s string) bool {
	kind, end := number(s, 0)
	return kind == Number && end == len(s)
}
