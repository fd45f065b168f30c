// The compiler accepts functions without a body, as go:linkname needs them, only in a package that has
// an assembly file.
