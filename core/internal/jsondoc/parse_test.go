package jsondoc_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hookward/hookward/core/internal/jsondoc"
)

// texts are RFC 8259's grammar with the near misses on the other side. Whether
// each is JSON is what encoding/json says, which the test holds us to; the
// columns are for the reader, and the test fails if one is wrong.
var texts = []struct {
	about, good, bad string // a text or several, separated by ¦
}{
	{"literals", `true¦false¦null`, `True¦tru¦truefalse¦nul¦NaN¦Infinity¦undefined¦t¦¦ `},
	{"zero", `0¦-0¦0.0¦0e0¦-0E-0`, `00¦-¦+0¦-00¦01¦.0¦0.¦0e¦0e+¦--0`},
	{"whole numbers", `1¦-1¦10¦18446744073709551616¦-9223372036854775809`, `+1¦1 0¦0x10¦1_000¦1n¦- 1¦١`},
	{"fractions", `1.5¦-1.50¦0.000001`, `1.¦1.e1¦1..5¦1.5.5¦1,5¦.5`},
	{"exponents", `1e1¦1E+1¦1e-1¦1.5e999¦1e0000001`, `1e¦1e+¦1e1.5¦1e1e1¦e1¦1 e1`},
	{"strings", `""¦"a"¦"/"¦"é"¦"😀"¦" "`, `"¦"a¦a"¦'a'¦"a""¦"a" "b"`},
	{"escapes", `"\""¦"\\"¦"\/"¦"\b\f\n\r\t"¦"\u0000"¦"\u00e9"¦"\u00E9"`, `"\"¦"\a"¦"\'"¦"\x41"¦"\u"¦"\u00e"¦"\u00g0"¦"\U00e9"¦"\u+0e9"¦"\u 0e9"`},
	{"surrogates", `"\ud83d\ude00"¦"\ud83d"¦"\ude00"¦"\ude00\ud83d"¦"\ud83d\u0041"¦"\ud83dx"¦"\ud83d\n"`, `"\ud83d\u"¦"\ud83d\ude0"`},
	{"control characters", "\"\u007f\"¦\"\u0080\"¦\"\u2028\"", "\"\n\"¦\"\t\"¦\"\x00\"¦\"\x1f\"¦\"\\\n\""},
	{"arrays", `[]¦[ ]¦[1]¦[1,2]¦[[],[]]¦[[[]]]`, `[¦]¦[1¦[1,¦[,]¦[1,]¦[,1]¦[1 2]¦[1}¦[]]¦[1:2]`},
	{"objects", `{}¦{ }¦{"a":1}¦{"a":1,"b":{}}¦{"":0}¦{"a":{"a":{"a":[]}}}`, `{¦}¦{"a"¦{"a":¦{"a":1¦{"a":1,¦{"a":1,}¦{,}¦{"a" 1}¦{"a"=1}¦{a:1}¦{1:1}¦{null:1}¦{"a":1]¦{"a"}¦{"a",1}¦{"a"::1}¦{:1}`},
	{"repeated names", `{"a":1,"a":2}¦{"a":1,"\u0061":2}`, `{"a":1 "a":2}`},
	{"white space", " 1 ¦\t[\n1\r,\t2 ]\n¦{ \"a\" : 1 , \"b\" : 2 }", "\v1¦\f1¦\u00a01¦1\x00¦\u20281¦- 1"},
	{"trailing text", `1`, `1 1¦{} {}¦[]x¦""""¦{},¦1//¦/**/1¦1#`},
	{"byte order mark", `1`, "\ufeff1¦\ufeff{}¦1\ufeff"},
}

func TestParseTakesJSONAlone(t *testing.T) {
	var d jsondoc.Doc
	for _, row := range texts {
		for _, text := range strings.Split(row.good, "¦") {
			checkParse(t, &d, row.about, text, true)
		}
		for _, text := range strings.Split(row.bad, "¦") {
			checkParse(t, &d, row.about, text, false)
		}
	}
}

func checkParse(t *testing.T, d *jsondoc.Doc, about, text string, want bool) {
	t.Helper()
	if json.Valid([]byte(text)) != want {
		t.Fatalf("%s: the table is wrong about %q", about, text)
	}
	err := d.Parse(text)
	if (err == nil) != want {
		t.Errorf("%s: Parse(%q) = %v, want good = %t", about, text, err, want)
	}
	if d.Root().Exists() != want {
		t.Errorf("%s: after Parse(%q) there is a root: %t, want %t", about, text, d.Root().Exists(), want)
	}
}

func TestParseDepth(t *testing.T) {
	for _, c := range []struct {
		about, open, inside, close string
	}{
		{"arrays", "[", "", "]"},
		{"arrays around a scalar", "[", "1", "]"},
		{"objects", `{"a":`, "{}", "}"},
		{"both", `[{"a":`, "[]", "}]"},
	} {
		levels := strings.Count(c.open, "[") + strings.Count(c.open, "{")
		inner := strings.Count(c.inside, "[") + strings.Count(c.inside, "{")
		for _, depth := range []int{jsondoc.MaxDepth - 1, jsondoc.MaxDepth, jsondoc.MaxDepth + 1, jsondoc.MaxDepth + 2, 100_000} {
			n := (depth - inner) / levels
			actual := n*levels + inner
			text := strings.Repeat(c.open, n) + c.inside + strings.Repeat(c.close, n)
			var d jsondoc.Doc
			err := d.Parse(text)
			if wantErr := actual > jsondoc.MaxDepth; errors.Is(err, jsondoc.ErrTooDeep) != wantErr || (err != nil) != wantErr {
				t.Errorf("%s nested %d deep: %v", c.about, actual, err)
			}
		}
	}
}

func TestParseBoundsValues(t *testing.T) {
	const small = 1 << 16
	for _, c := range []struct {
		about, text string
		want        error
	}{
		{"a short text full of values", "[" + strings.Repeat("1,", small-1) + "1]", nil},
		{"a long one", "[" + strings.Repeat("1,", 2*small) + "1]", jsondoc.ErrTooMany},
		{"a long one of longer values", "[" + strings.Repeat(`"123456",`, 2*small) + "1]", nil},
	} {
		var d jsondoc.Doc
		if err := d.Parse(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.about, err, c.want)
		}
	}
}

// A mistake's place is a byte offset, and what stands there is not repeated:
// it may be a secret.
func TestParseErrorsSayWhere(t *testing.T) {
	for text, want := range map[string]string{
		``:              "text ends early at byte 0",
		`{"a":1`:        "text ends early at byte 6",
		`[1 hunter2]`:   "neither a comma nor the end of the array or object at byte 3",
		`{hunter2:1}`:   "no member name at byte 1",
		`{"a" hunter2}`: "no colon after the member name at byte 5",
		`{"a":hunter2}`: "no JSON value at byte 5",
		`[1.hunter2]`:   "bad number at byte 3",
		`"hunter2`:      "string without an end at byte 8",
		`"a\hunter2"`:   "bad escape in a string at byte 2",
		"\"a\nhunter2":  "control character in a string at byte 2",
		`[] hunter2`:    "text after the value at byte 3",
	} {
		var d jsondoc.Doc
		if err := d.Parse(text); err == nil || err.Error() != want {
			t.Errorf("Parse(%q) = %v, want %s", text, err, want)
		}
	}
}

func TestParseForgetsWhatWasBefore(t *testing.T) {
	var d jsondoc.Doc
	for _, text := range []string{`{"a name that the next text is too short for":`, `[[[[`, `{"a":1}`} {
		d.Parse(text)
		if err := d.Parse(`1`); err != nil {
			t.Fatal(err)
		}
		if root := d.Root(); root.Text() != "1" || root.Name() != "" || root.Next().Exists() || root.First().Exists() {
			t.Errorf("after %s: root %q named %q", text, root.Text(), root.Name())
		}
	}
}

func TestParseUsesItsMemoryAgain(t *testing.T) {
	var d jsondoc.Doc
	allocs := testing.AllocsPerRun(100, func() {
		if err := d.Parse(benchBody); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("Parse allocates %v times", allocs)
	}
}

func TestShrinkEmpties(t *testing.T) {
	for _, limit := range []int{0, 1 << 20} {
		var d jsondoc.Doc
		d.Parse(benchBody)
		d.Shrink(limit)
		if d.Root().Exists() {
			t.Errorf("Shrink(%d) leaves a root", limit)
		}
		if err := d.Parse(`[1,2]`); err != nil || d.Root().First().Next().Text() != "2" {
			t.Errorf("after Shrink(%d) the document does not parse: %v", limit, err)
		}
	}
}
