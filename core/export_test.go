package core

// Reject lets the tests see the answer of every code.
var Reject = reject
