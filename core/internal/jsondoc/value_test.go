package jsondoc_test

import (
	"testing"

	"github.com/hookward/hookward/core/internal/jsondoc"
)

func root(t *testing.T, text string) jsondoc.Value {
	t.Helper()
	var d jsondoc.Doc
	if err := d.Parse(text); err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return d.Root()
}

func TestText(t *testing.T) {
	for raw, want := range map[string]string{
		`"plain"`:                        "plain",
		`""`:                             "",
		`"\"\\\/\b\f\n\r\t"`:             "\"\\/\b\f\n\r\t",
		`"caf\u00e9 caf\u00E9"`:          "café café",
		`"\ud83d\ude00!"`:                "😀!",
		`"\ud83d"`:                       "\uFFFD",
		`"\ude00\ud83d"`:                 "\uFFFD\uFFFD",
		`"\ud83d\u0041"`:                 "\uFFFDA",
		`"\ud83d\ud83d\ude00"`:           "\uFFFD😀",
		`"a\u0000b"`:                     "a\x00b",
		`-0.50e+07`:                      "-0.50e+07",
		`123456789012345678901234567890`: "123456789012345678901234567890",
		`true`:                           "true",
		`false`:                          "false",
		`null`:                           "",
		`["a"]`:                          "",
		`{"a":"b"}`:                      "",
	} {
		v := root(t, raw)
		if v.Text() != want {
			t.Errorf("Text of %s = %q, want %q", raw, v.Text(), want)
		}
		if v.Raw() != raw {
			t.Errorf("Raw of %s = %q", raw, v.Raw())
		}
	}
}

func TestKind(t *testing.T) {
	for raw, want := range map[string]jsondoc.Kind{
		`null`: jsondoc.Null, `true`: jsondoc.Bool, `-1`: jsondoc.Number, `""`: jsondoc.String,
		`[]`: jsondoc.Array, `[1]`: jsondoc.Array, `{}`: jsondoc.Object, `{"a":1}`: jsondoc.Object,
	} {
		v := root(t, " "+raw+"\n")
		if v.Kind() != want || !v.Exists() || v.Raw() != raw || v.True() != (raw == "true") {
			t.Errorf("%s: kind %d, raw %q, true %t", raw, v.Kind(), v.Raw(), v.True())
		}
	}
}

func TestGet(t *testing.T) {
	v := root(t, `{"a":1,"b":{"a":2},"":3,"a":4,"\u0063":5,"c\n":6,"d":null,"e":[7]}`)
	for name, want := range map[string]string{
		"a": "4", "": "3", "c": "5", "c\n": "6", "b": `{"a":2}`, "d": "null", "e": "[7]",
		"A": "", "z": "", "\\u0063": "", "b.a": "",
	} {
		if got := v.Get(name).Raw(); got != want {
			t.Errorf("Get(%q) = %s, want %s", name, got, want)
		}
	}
	if got := v.Get("b").Get("a").Text(); got != "2" {
		t.Errorf("b.a = %q, want 2: a name is looked for in its own object alone", got)
	}
	if got := v.Get("e").Get("").Raw(); got != "" {
		t.Errorf("an array has a member %s", got)
	}
}

func TestWalk(t *testing.T) {
	v := root(t, `{"a":[1,[2,3],{},{"c":4},5],"b":"x","a":false}`)
	var got []string
	for m := v.First(); m.Exists(); m = m.Next() {
		got = append(got, m.Name()+"="+m.Raw())
		for e := m.First(); e.Exists(); e = e.Next() {
			got = append(got, e.Name()+e.Raw())
		}
	}
	want := []string{`a=[1,[2,3],{},{"c":4},5]`, `1`, `[2,3]`, `{}`, `{"c":4}`, `5`, `b="x"`, `a=false`}
	if len(got) != len(want) {
		t.Fatalf("walked %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("step %d is %s, want %s", i, got[i], want[i])
		}
	}
}

// What Get has found can be walked on from, too.
func TestNextAfterGet(t *testing.T) {
	v := root(t, `[{"a":1,"b":2},3]`)
	b := v.First().Get("a").Next()
	if b.Name() != "b" || b.Next().Exists() {
		t.Errorf("after a comes %q and then %q", b.Raw(), b.Next().Raw())
	}
}

func TestAbsentValuesAnswer(t *testing.T) {
	var none jsondoc.Value
	for about, v := range map[string]jsondoc.Value{
		"the zero value":        none,
		"an empty document":     new(jsondoc.Doc).Root(),
		"a path into nothing":   none.Get("a").First().Next(),
		"a member of a scalar":  root(t, `1`).Get("a"),
		"inside of a string":    root(t, `"a"`).First(),
		"inside of nothing":     root(t, `{}`).First(),
		"after the root":        root(t, `[1]`).Next(),
		"after the last":        root(t, `[[1],2]`).First().First().Next(),
		"a member that is not":  root(t, `{"a":1}`).Get("b"),
		"an element by no name": root(t, `[1]`).Get(""),
	} {
		if v.Exists() || v.Kind() != jsondoc.Absent || v.Text() != "" || v.Raw() != "" || v.Name() != "" || v.True() {
			t.Errorf("%s: kind %d, raw %q", about, v.Kind(), v.Raw())
		}
	}
}

func TestAppendString(t *testing.T) {
	for s, want := range map[string]string{
		"":                 `""`,
		"plain /<>&'":      `"plain /<>&'"`,
		`"\`:               `"\"\\"`,
		"\n\r\t\b\x00\x1f": `"\n\r\t\u0008\u0000\u001f"`,
		"\x7fé\u2028😀":     "\"\x7fé\u2028😀\"",
		"\uFFFD":           "\"\uFFFD\"",
		"a\xffb":           "\"a\uFFFDb\"",
		"\xed\xa0\x80":     "\"\uFFFD\uFFFD\uFFFD\"",
		"\xf0\x9f\x98":     "\"\uFFFD\uFFFD\uFFFD\"",
		"\xc0\xaf\xc3\"":   "\"\uFFFD\uFFFD\uFFFD\\\"\"",
	} {
		if got := string(jsondoc.AppendString(nil, s)); got != want {
			t.Errorf("AppendString(%q) = %s, want %s", s, got, want)
		}
		if got := string(jsondoc.AppendString([]byte("x:"), s)); got != "x:"+want {
			t.Errorf("AppendString does not append: %s", got)
		}
	}
}
