package hookward

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

var description = regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([\w,]*)\}`)

// described are the labels of all our metrics, by name.
func described(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, c := range collectors {
		descs := make(chan *prometheus.Desc, 10)
		c.Describe(descs)
		close(descs)
		for d := range descs {
			m := description.FindStringSubmatch(d.String())
			if m == nil {
				t.Fatalf("what is this: %s", d)
			}
			all[m[1]] = strings.Split(m[2], ",")
		}
	}
	return all
}

// TestReadmeListsTheMetrics: all of them, with their labels, and no other.
func TestReadmeListsTheMetrics(t *testing.T) {
	listed := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`hookward_.*?) \\| (.*?) \\|").FindAllStringSubmatch(read(t, "../README.md"), -1) {
		for _, name := range quoted(row[1]) {
			listed[name] = quoted(row[2])
		}
	}
	if want := described(t); !maps.EqualFunc(listed, want, slices.Equal) {
		t.Errorf("the README lists\n%v\nthere are\n%v", listed, want)
	}
}

// quoted are the words in backquotes.
func quoted(text string) (words []string) {
	for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(text, -1) {
		words = append(words, m[1])
	}
	return words
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	selector = regexp.MustCompile(`(hookward_\w+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`(\w+)(=~|!=|=)"([^"]*)"`)
	grouping = regexp.MustCompile(`by \(([\w, ]+)\)`)
)

// TestDocumentedSelectors: what the documentation and the alerts select, there
// is: the metrics, their labels, and the words of those labels that have fixed
// ones.
func TestDocumentedSelectors(t *testing.T) {
	labels, words := described(t), labelWords(t)
	found := 0
	for _, path := range documents(t) {
		for line := range strings.Lines(read(t, path)) {
			for _, s := range selector.FindAllStringSubmatch(line, -1) {
				found++
				if labels[s[1]] == nil {
					t.Errorf("%s: there is no %s", path, s[1])
				}
				for label, compared := range used(line, s[2]) {
					if !slices.Contains(labels[s[1]], label) {
						t.Errorf("%s: %s has no label %s", path, s[1], label)
					}
					for _, word := range compared {
						if words[label] != nil && !slices.Contains(words[label], word) {
							t.Errorf("%s: %s has no %q", path, label, word)
						}
					}
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d selectors", found)
	}
}

// documents are the README, those of the examples, and the alerts.
func documents(t *testing.T) []string {
	t.Helper()
	paths := []string{"../README.md"}
	for _, pattern := range []string{"../examples/*/README.md", "../examples/alerts/*.yml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no %s (%v)", pattern, err)
		}
		paths = append(paths, found...)
	}
	return paths
}

// used are the labels by which a line selects and groups, with the words that
// they are compared with.
func used(line, matchers string) map[string][]string {
	labels := map[string][]string{}
	for _, m := range grouping.FindAllStringSubmatch(line, -1) {
		for label := range strings.SplitSeq(m[1], ", ") {
			labels[label] = nil
		}
	}
	for _, m := range matcher.FindAllStringSubmatch(matchers, -1) {
		labels[m[1]] = strings.Split(m[3], "|")
	}
	return labels
}

// labelWords are the words of the labels that have fixed ones.
func labelWords(t *testing.T) map[string][]string {
	t.Helper()
	words := map[string][]string{"class": statusClasses[:]}
	for label, c := range map[string]struct{ file, constant string }{
		"verdict": {"../core/verdict.go", `Outcome = "(\w+)"`},
		"code":    {"../core/code.go", `Code = "(\w+)"`},
	} {
		for _, m := range regexp.MustCompile(c.constant).FindAllStringSubmatch(read(t, c.file), -1) {
			words[label] = append(words[label], m[1])
		}
		if len(words[label]) < 7 {
			t.Fatalf("only %q for %s", words[label], label)
		}
	}
	return words
}
