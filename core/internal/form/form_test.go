package form_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/core/internal/form"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]form.Form{
		"":                     nil,
		"&&":                   nil,
		"a=1":                  {{"a", "1"}},
		"a=1&b=2":              {{"a", "1"}, {"b", "2"}},
		"b=2&a=1&b=1":          {{"b", "2"}, {"a", "1"}, {"b", "1"}},
		"a":                    {{"a", ""}},
		"a=":                   {{"a", ""}},
		"=1":                   {{"", "1"}},
		"=":                    {{"", ""}},
		"a=1=2":                {{"a", "1=2"}},
		"a=1&&b=2&":            {{"a", "1"}, {"b", "2"}},
		"a+b=c+d":              {{"a b", "c d"}},
		"a%2Bb=%2b":            {{"a+b", "+"}},
		"%61=%26%3D%25":        {{"a", "&=%"}},
		"a=%C3%A9%F0%9F%98%80": {{"a", "é😀"}},
		"a=%FF":                {{"a", "\xff"}},
		"a=%":                  {{"a", "%"}},
		"a=%2":                 {{"a", "%2"}},
		"a=%2g%g2%%41":         {{"a", "%2g%g2%A"}},
		"a=%2541":              {{"a", "%41"}},
		"a=1;b=2":              {{"a", "1;b=2"}},
		"a=é b":                {{"a", "é b"}},
	} {
		got, ok := form.Parse(text)
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%q) = %q %t, want %q", text, got, ok, want)
		}
	}
}

func TestParseIsBounded(t *testing.T) {
	for n, want := range map[int]bool{form.MaxParameters - 1: true, form.MaxParameters: true, form.MaxParameters + 1: false} {
		f, ok := form.Parse(strings.Repeat("a=1&", n))
		if ok != want || (ok && len(f) != n) {
			t.Errorf("%d parameters: %d read, ok %t", n, len(f), ok)
		}
	}
	if _, ok := form.Parse(strings.Repeat("&", 2*form.MaxParameters)); !ok {
		t.Error("ampersands alone are counted as parameters")
	}
}

func TestGetAndHas(t *testing.T) {
	f, _ := form.Parse("a=1&b=&a=2&=3")
	for name, want := range map[string]string{"a": "2", "b": "", "": "3", "c": "", "A": ""} {
		if got := f.Get(name); got != want {
			t.Errorf("Get(%q) = %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]bool{"a": true, "b": true, "": true, "c": false, "A": false} {
		if got := f.Has(name); got != want {
			t.Errorf("Has(%q) = %t, want %t", name, got, want)
		}
	}
}

func TestAppendJSON(t *testing.T) {
	for text, want := range map[string]string{
		"":                    `{}`,
		"a=1":                 `{"a":"1"}`,
		"b=2&a=1":             `{"b":"2","a":"1"}`,
		"a=1&b=2&a=3&a=1":     `{"a":["1","3","1"],"b":"2"}`,
		"a=%22%5C%0A{":        `{"a":"\"\\\n{"}`,
		"{=%FF&b=":            "{\"{\":\"\uFFFD\",\"b\":\"\"}",
		"%FF=1&%FE=2&%C3=%C3": "{\"\uFFFD\":[\"1\",\"2\",\"\uFFFD\"]}",
	} {
		f, _ := form.Parse(text)
		if got := string(f.AppendJSON([]byte("x"))); got != "x"+want {
			t.Errorf("AppendJSON of %q = %s, want %s", text, got, want)
		}
	}
}

// FuzzParse holds the reader to net/url where that takes the text: the same
// names, and for each the same values in the same order. Whatever the text,
// its JSON is JSON and holds every value.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "a=1&b=&a=2", "a+b=%2B&%61", "=&=&&a", "a=%&b=%2&c=%zz", "a=1;b=2", "%FF=%C3%28"} {
		f.Add(text)
	}
	all, err := cases.Load()
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range all {
		for _, s := range c.Steps {
			_, query, _ := strings.Cut(s.Request.Target, "?")
			f.Add(query)
			f.Add(string(s.Request.Bytes()))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := form.Parse(text)
		if parts := strings.Count(text, "&") + 1; !ok {
			if parts <= form.MaxParameters {
				t.Fatalf("%d parameters are too many", parts)
			}
			return
		}
		if want, err := url.ParseQuery(text); err == nil && !maps.EqualFunc(byName(got), want, slices.Equal) {
			t.Fatalf("%q, want %q", got, want)
		}
		if again, ok := form.Parse(encode(got)); !ok || !slices.Equal(again, got) {
			t.Fatalf("%q written and read again is %q", got, again)
		}
		checkJSON(t, got)
	})
}

func byName(f form.Form) url.Values {
	values := url.Values{}
	for _, p := range f {
		values[p.Name] = append(values[p.Name], p.Value)
	}
	return values
}

func encode(f form.Form) string {
	var parts []string
	for _, p := range f {
		parts = append(parts, url.QueryEscape(p.Name)+"="+url.QueryEscape(p.Value))
	}
	return strings.Join(parts, "&")
}

func checkJSON(t *testing.T, f form.Form) {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(f.AppendJSON(nil), &object); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{}
	for _, p := range f {
		name, value := string([]rune(p.Name)), string([]rune(p.Value))
		switch before := want[name].(type) {
		case nil:
			want[name] = value
		case string:
			want[name] = []any{before, value}
		case []any:
			want[name] = append(before, value)
		}
	}
	if !reflect.DeepEqual(object, want) {
		t.Fatalf("JSON %v, want %v", object, want)
	}
}
