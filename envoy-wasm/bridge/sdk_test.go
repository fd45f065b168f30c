package bridge

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The compiler cannot hold the bridge against the SDK's internals: neither the names behind go:linkname nor the
// order of a method table. These tests read both sources instead, so that a new version of the SDK cannot
// slip in with a changed one.

func parseAll(t *testing.T, pattern string) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no source in %s (%v)", pattern, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// sdk gives the sources of the SDK's internals, and the types that it names an integer or a bool.
func sdk(t *testing.T) (files []*ast.File, names map[string]string) {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/proxy-wasm-go-sdk").Output()
	if err != nil {
		t.Fatalf("looking for the SDK: %v", err)
	}
	root := filepath.Join(strings.TrimSpace(string(dir)), "proxywasm")
	files = parseAll(t, filepath.Join(root, "internal", "*.go"))
	names = map[string]string{}
	for _, f := range slices.Concat(files, parseAll(t, filepath.Join(root, "types", "*.go"))) {
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if underlying, ok := spec.Type.(*ast.Ident); ok {
					names[spec.Name.Name] = underlying.Name
				}
			}
			return true
		})
	}
	return files, names
}

// signature writes a function's parameters and results, one type each, with the types behind the names.
func signature(f *ast.FuncType, names map[string]string) string {
	var write func(e ast.Expr) string
	write = func(e ast.Expr) string {
		switch e := e.(type) {
		case *ast.StarExpr:
			return "*" + write(e.X)
		case *ast.SelectorExpr:
			return write(e.Sel)
		case *ast.Ident:
			if underlying, ok := names[e.Name]; ok {
				return underlying
			}
			return e.Name
		}
		return "?"
	}
	list := func(fields *ast.FieldList) (types []string) {
		if fields == nil {
			return nil
		}
		for _, field := range fields.List {
			for range max(1, len(field.Names)) {
				types = append(types, write(field.Type))
			}
		}
		return types
	}
	return strings.Join(list(f.Params), " ") + " -> " + strings.Join(list(f.Results), " ")
}

// methods gives the signature of each method of the interface called name.
func methods(files []*ast.File, name string, names map[string]string) map[string]string {
	found := map[string]string{}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.Name == name {
				for _, method := range spec.Type.(*ast.InterfaceType).Methods.List {
					found[method.Names[0].Name] = signature(method.Type.(*ast.FuncType), names)
				}
			}
			return true
		})
	}
	return found
}

func TestHostIsTheSDKs(t *testing.T) {
	files, names := sdk(t)
	got := methods(parseAll(t, "host_wasip1.go"), "host", nil)
	want := methods(files, "ProxyWasmHost", names)
	if len(want) != len(hostCalls) || !maps.Equal(got, want) {
		t.Errorf("host's methods = %q, want the SDK's, %q", got, want)
	}
}

func TestCallbacksAreTheSDKs(t *testing.T) {
	files, names := sdk(t)
	const prefix = "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal."
	want := map[string]string{}
	for _, f := range files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "ProxyOn") {
				want[fn.Name.Name] = signature(fn.Type, names)
			}
		}
	}
	got := map[string]string{}
	for _, f := range slices.Concat(parseAll(t, "callbacks_wasip1.go"), parseAll(t, "*/callbacks_wasip1.go")) {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body == nil {
				words := strings.Fields(fn.Doc.List[len(fn.Doc.List)-1].Text)
				got[strings.TrimPrefix(words[len(words)-1], prefix)] = signature(fn.Type, nil)
			}
		}
	}
	if len(want) < 20 || !maps.Equal(got, want) {
		t.Errorf("functions entered = %q, want all of the SDK's, %q", got, want)
	}
}

// The names that the SDK has for TinyGo, on both sides of the border, are those that the module is held against.
func TestNamesAreTheSDKs(t *testing.T) {
	files, _ := sdk(t)
	want := map[string]bool{"_initialize": true}
	export := regexp.MustCompile(`^//export (\w+)$`)
	for _, f := range files {
		for _, group := range f.Comments {
			for _, comment := range group.List {
				if m := export.FindStringSubmatch(comment.Text); m != nil {
					want[m[1]] = true
				}
			}
		}
	}
	got := map[string]bool{}
	for _, name := range slices.Concat(exports, slices.Collect(maps.Keys(hostCalls))) {
		got[name] = true
	}
	delete(got, "proxy_abi_version_0_2_1") // ours has one call more
	delete(want, "proxy_abi_version_0_2_0")
	if !maps.Equal(got, want) {
		t.Errorf("names = %q, want the SDK's, %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}
