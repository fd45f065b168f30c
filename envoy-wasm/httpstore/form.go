package httpstore

import (
	"bytes"
	"errors"
)

// form is how an API writes a command of several words, and its answer.
type form struct {
	contentType string
	credentials func(token string) string
	first       func(b []byte, word string) []byte
	word        func(b []byte, word string) []byte
	end         func(b []byte) []byte
	// result is the member of the answer that holds what the command gave.
	result string
}

var forms = map[string]form{
	// https://github.com/nicolasff/webdis: POST / with EVAL/script/1/key. What
	// follows a dot in the last word would name a format, so dots are escaped.
	"webdis": {
		contentType: "text/plain", credentials: basic, result: "EVAL",
		first: appendEscaped,
		word:  func(b []byte, word string) []byte { return appendEscaped(append(b, '/'), word) },
		end:   func(b []byte) []byte { return b },
	},
	// https://upstash.com/docs/redis/features/restapi: POST / with
	// ["EVAL","script","1","key"].
	"upstash": {
		contentType: "application/json", credentials: bearer, result: "result",
		first: func(b []byte, word string) []byte { return appendQuoted(append(b, '['), word) },
		word:  func(b []byte, word string) []byte { return appendQuoted(append(b, ','), word) },
		end:   func(b []byte) []byte { return append(b, ']') },
	},
}

const hexDigits = "0123456789abcdef"

// appendEscaped escapes all but letters and digits.
func appendEscaped(b []byte, word string) []byte {
	for i := range len(word) {
		c := word[i]
		if '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b = append(b, c)
		} else {
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}

// appendQuoted writes ASCII as a JSON string.
func appendQuoted(b []byte, word string) []byte {
	b = append(b, '"')
	for i := range len(word) {
		switch c := word[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// Refused is what the server itself said against a command: it has changed
// nothing.
type Refused string

func (r Refused) Error() string { return "redis: " + string(r) }

// Errors that leave open whether the server has carried out the command.
var (
	ErrNoAnswer   = errors.New("http: no answer within the time-out")
	ErrUnreadable = errors.New("http: the answer can't be read: is this the API that is configured?")
	ErrToken      = errors.New("http: the server wants another token")
	ErrMixedUp    = errors.New("http: the answer is to another call: the server has mixed them up")
)

// statusError is an answer that is no success.
type statusError string

func (s statusError) Error() string { return "http: the server answered " + string(s) }

// letters reads an answer that is one string: the call's name and n letters. An
// empty status says that no answer came.
func (f *form) letters(status string, body []byte, call string, n int) ([]byte, error) {
	name, value, isObject := onlyMember(body)
	switch {
	case status == "" || status == "504":
		return nil, ErrNoAnswer
	case status == "401" || status == "403":
		return nil, ErrToken
	case isObject && name == "error" && isString(value):
		return nil, refused(value)
	case status != "200":
		return nil, statusError(status)
	case isObject && name == f.result && isString(value):
		return lettersOf(value[1:len(value)-1], call, n)
	}
	if text, isError := bytes.CutPrefix(value, []byte("[false,")); isObject && name == f.result && isError {
		return nil, refused(bytes.TrimSuffix(text, []byte("]")))
	}
	return nil, ErrUnreadable
}

func lettersOf(text []byte, call string, n int) ([]byte, error) {
	switch letters, ours := bytes.CutPrefix(text, []byte(call)); {
	case ours && len(letters) == n:
		return letters, nil
	case !ours && len(text) >= len(call) && text[0] == call[0]:
		return nil, ErrMixedUp
	}
	return nil, ErrUnreadable
}

// onlyMember takes an object with one member apart.
func onlyMember(body []byte) (name string, value []byte, ok bool) {
	body = bytes.TrimSpace(body)
	if len(body) < 2 || body[0] != '{' || body[len(body)-1] != '}' {
		return "", nil, false
	}
	key, value, found := bytes.Cut(body[1:len(body)-1], []byte(":"))
	if key = bytes.TrimSpace(key); !found || !isString(key) {
		return "", nil, false
	}
	return string(key[1 : len(key)-1]), bytes.TrimSpace(value), true
}

func isString(b []byte) bool { return len(b) >= 2 && b[0] == '"' && b[len(b)-1] == '"' }

// refused keeps the beginning of the server's words: what follows may be the
// command itself.
func refused(quoted []byte) error {
	const enough = 120
	text := bytes.Trim(quoted, `"`)
	text, _, _ = bytes.Cut(text, []byte(", command was"))
	return Refused(text[:min(len(text), enough)])
}
