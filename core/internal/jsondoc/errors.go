package jsondoc

import (
	"errors"
	"strconv"
)

// An error says what is wrong and where, and never what stands there: it may
// be a secret.
func failure(what string, i int) error {
	return errors.New(what + " at byte " + strconv.Itoa(i))
}

func stringError(text string, i int) error {
	switch {
	case i == len(text):
		return failure("string without an end", i)
	case text[i] == '\\':
		return failure("bad escape in a string", i)
	default:
		return failure("control character in a string", i)
	}
}

// scalarError is for a value that begins at start and goes wrong at i.
func scalarError(text string, start, i int) error {
	switch {
	case start == len(text):
		return failure("text ends early", i)
	case start == i:
		return failure("no JSON value", i)
	default:
		return failure("bad number", i)
	}
}

func commaError(text string, i int) error {
	if i == len(text) {
		return failure("text ends early", i)
	}
	return failure("neither a comma nor the end of the array or object", i)
}
