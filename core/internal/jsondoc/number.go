package jsondoc

// IsNumber says that s is exactly one JSON number (RFC 8259), so that it can
// stand in a text without quotes.
func IsNumber(s string) bool {
	p := parser{text: s}
	return p.number() && p.at == len(s)
}
