package jsondoc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/core/internal/jsondoc"
)

// FuzzParse holds the parser to encoding/json: the same texts are JSON, and
// every value, name and repetition reads the same. The one difference is the
// depth.
func FuzzParse(f *testing.F) {
	addSeeds(f)
	var d jsondoc.Doc // one for all, so that nothing may be left over in it
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "\uFFFD") // as Parse is promised
		err := d.Parse(text)
		if errors.Is(err, jsondoc.ErrTooDeep) || errors.Is(err, jsondoc.ErrTooMany) {
			if strings.Count(text, "[")+strings.Count(text, "{") <= jsondoc.MaxDepth {
				t.Fatal("too deep without as many brackets")
			}
			return
		}
		if valid := json.Valid([]byte(text)); (err == nil) != valid {
			t.Fatalf("Parse says %v, json.Valid %t", err, valid)
		}
		if err != nil {
			return
		}
		if raw := d.Root().Raw(); raw != strings.Trim(text, " \t\r\n") {
			t.Fatalf("the root's text is %q", raw)
		}
		sameOrder(t, d.Root(), text)
		sameValue(t, d.Root(), decode(t, text))
	})
}

// FuzzAppendString holds the writer to encoding/json: what it writes is read
// back as what it was given.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\/\b\f\n\r\t\x00\x7f", "é\u2028😀", "\xff\xed\xa0\x80\xc3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := string(jsondoc.AppendString(nil, s))
		var got string
		if err := json.Unmarshal([]byte(text), &got); err != nil || !utf8.ValidString(text) {
			t.Fatalf("%q is no JSON string: %v", text, err)
		}
		// Each bad byte is one U+FFFD, as in a conversion to runes.
		if want := string([]rune(s)); got != want || root(t, text).Text() != want {
			t.Fatalf("%q reads back as %q, want %q", text, got, want)
		}
	})
}

// addSeeds takes the table's texts, and the payloads of all cases.
func addSeeds(f *testing.F) {
	for _, row := range texts {
		for text := range strings.SplitSeq(row.good+"¦"+row.bad, "¦") {
			f.Add(text)
		}
	}
	f.Add(benchBody)
	f.Add(strings.Repeat("[", jsondoc.MaxDepth) + strings.Repeat("]", jsondoc.MaxDepth))
	all, err := cases.Load()
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range all {
		for _, s := range c.Steps {
			f.Add(string(s.Request.Bytes()))
		}
	}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// sameValue compares by name, so that of a repeated name the last counts.
func sameValue(t *testing.T, got jsondoc.Value, want any) {
	t.Helper()
	same := false
	switch want := want.(type) {
	case nil:
		same = got.Kind() == jsondoc.Null && got.Text() == ""
	case bool:
		same = got.Kind() == jsondoc.Bool && got.True() == want
	case json.Number:
		same = got.Kind() == jsondoc.Number && got.Text() == want.String()
	case string:
		same = got.Kind() == jsondoc.String && got.Text() == want
		again := root(t, string(jsondoc.AppendString(nil, got.Text())))
		same = same && again.Text() == want
	case []any:
		same = got.Kind() == jsondoc.Array
		e := got.First()
		for _, w := range want {
			sameValue(t, e, w)
			e = e.Next()
		}
		same = same && !e.Exists()
	case map[string]any:
		same = got.Kind() == jsondoc.Object
		for name, w := range want {
			sameValue(t, got.Get(name), w)
		}
		same = same && !got.Get(missingName(want)).Exists()
	}
	if !same {
		t.Fatalf("%q is not %v", got.Raw(), want)
	}
}

func missingName(m map[string]any) string {
	name := "missing"
	for {
		if _, there := m[name]; !there {
			return name
		}
		name += "!"
	}
}

// sameOrder compares token by token, so that nothing is left out or moved.
func sameOrder(t *testing.T, v jsondoc.Value, text string) {
	t.Helper()
	var got, want bytes.Buffer
	writeTokens(&got, v)
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		writeToken(&want, token)
	}
	if got.String() != want.String() {
		t.Fatalf("walked %s, want %s", &got, &want)
	}
}

func writeTokens(b *bytes.Buffer, v jsondoc.Value) {
	switch v.Kind() {
	case jsondoc.Null:
		writeToken(b, nil)
	case jsondoc.Bool:
		writeToken(b, v.True())
	case jsondoc.Number:
		writeToken(b, json.Number(v.Text()))
	case jsondoc.String:
		writeToken(b, v.Text())
	case jsondoc.Array:
		writeToken(b, json.Delim('['))
		for e := v.First(); e.Exists(); e = e.Next() {
			writeTokens(b, e)
		}
		writeToken(b, json.Delim(']'))
	case jsondoc.Object:
		writeToken(b, json.Delim('{'))
		for m := v.First(); m.Exists(); m = m.Next() {
			writeToken(b, m.Name())
			writeTokens(b, m)
		}
		writeToken(b, json.Delim('}'))
	}
}

func writeToken(b *bytes.Buffer, token json.Token) {
	data, err := json.Marshal(token)
	if delim, ok := token.(json.Delim); ok {
		data, err = []byte(delim.String()), nil
	}
	if err != nil {
		panic(err)
	}
	b.Write(append(data, ' '))
}
