package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var programs = flag.Uint64("programs", 1, "how many random programs to try")

// TestRandomPrograms has Go build programs of random functions, and holds what
// they do with and without postlink against each other. The functions loop, jump,
// panic and recover, and are left in their middle, because goroutines switch and
// stacks grow.
func TestRandomPrograms(t *testing.T) {
	for seed := range *programs {
		source := randomProgram(seed)
		linked := build(t, "go", "build", "-C", writeProgram(t, source), ".")
		want := run(t, linked)
		if !strings.HasSuffix(want, "end\n") {
			t.Fatalf("program %d did not come to its end:\n%s\n%s", seed, want, source)
		}
		module, err := postlink(linked, func(name string) bool { return seed%2 == 0 || len(name)%2 == 0 })
		if err != nil {
			t.Fatal(err)
		}
		if got := run(t, module); got != want {
			t.Errorf("after postlink program %d says\n%s\nand must say\n%s\n%s", seed, got, want, source)
		}
	}
}

func writeProgram(t *testing.T, source string) (dir string) {
	dir = t.TempDir()
	for name, text := range map[string]string{"main.go": source, "go.mod": "module random\n\ngo 1.26\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const randomFunctions = 40

// randomProgram is the source of a program that calls every function on several
// goroutines, which have nothing in common: what each finds does not depend on
// when they are switched.
func randomProgram(seed uint64) string {
	var b strings.Builder
	b.WriteString(`package main

import "runtime"

// thread is a goroutine's, with what it may still do.
type thread struct {
	fuel  int
	cells []int
	some  map[int]int
	box   chan int
}

func (t *thread) tired() bool { t.fuel--; return t.fuel < 0 }

//go:noinline
func deep(n int) int {
	var room [64]int
	if n <= 0 {
		return 1
	}
	room[n&63] = n
	return deep(n-1) + room[n&63]
}

func call(f func(*thread, int, int) int, t *thread, a, b int) (r int) {
	defer func() {
		switch e := recover().(type) {
		case error:
			r = -len(e.Error())
		case int:
			r = -e
		}
	}()
	return f(t, a, b)
}

func main() {
	results := make([][]int, 4)
	done := make(chan bool)
	for n := range results {
		go func() {
			for i, f := range functions {
				t := &thread{400, make([]int, 8), map[int]int{}, make(chan int, 1)}
				results[n] = append(results[n], call(f, t, n*3+i, i-n*5), t.fuel, t.cells[i&7])
			}
			done <- true
		}()
	}
	for range results {
		<-done
	}
	for _, all := range results {
		for _, r := range all {
			print(r, " ")
		}
		println()
	}
	println("end")
}

var functions []func(*thread, int, int) int

func init() {
	functions = []func(*thread, int, int) int{`)
	for i := range randomFunctions {
		fmt.Fprintf(&b, "f%d, ", i)
	}
	b.WriteString("}\n}\n")
	for i := range randomFunctions {
		w := author{r: rand.New(rand.NewPCG(seed, uint64(i))), used: map[string]bool{}}
		b.WriteString(w.function(i))
	}
	return b.String()
}

// author writes one function.
type author struct {
	r      *rand.Rand
	depth  int
	loops  []string // the labels of those around
	labels int
	places int // to go to, at the outermost level
	used   map[string]bool
}

func (w *author) function(i int) string {
	w.places = w.r.IntN(4)
	parts := make([]string, w.places+1)
	for i := range parts {
		parts[i] = w.block(2 + w.r.IntN(5))
	}
	var b strings.Builder
	if w.r.IntN(2) == 0 {
		b.WriteString("\n//go:noinline")
	}
	fmt.Fprintf(&b, "\nfunc f%d(t *thread, x, y int) (z int) {\n", i)
	if w.r.IntN(4) == 0 {
		fmt.Fprintf(&b, "defer func() { z ^= %d; if e := recover(); e != nil { z += 1000 } }()\n", w.r.IntN(100))
	}
	for i, part := range parts {
		if place := fmt.Sprintf("place%d", i); w.used[place] {
			b.WriteString(place + ":\n")
		}
		b.WriteString(part)
	}
	b.WriteString("return z + x ^ y\n}\n")
	return b.String()
}

func (w *author) block(statements int) string {
	var b strings.Builder
	for range statements {
		b.WriteString(w.statement() + "\n")
	}
	return b.String()
}

func (w *author) inner() string {
	w.depth++
	defer func() { w.depth-- }()
	return w.block(1 + w.r.IntN(3))
}

const tired = "if t.tired() { return x }\n"

func (w *author) statement() string {
	kinds := 17
	if w.depth >= 4 {
		kinds = 11 // those without an inner block
	}
	switch v := w.variable(); w.r.IntN(kinds) {
	default:
		return v + " = " + w.value()
	case 0:
		return fmt.Sprintf("t.cells[uint(%s)%%uint(len(t.cells))] ^= %s", w.variable(), w.value())
	case 1:
		return fmt.Sprintf("%s = t.cells[%s&%d]", v, w.variable(), 7|8*(w.r.IntN(8)/7))
	case 2:
		return tired + fmt.Sprintf("%s = f%d(t, %s, %s)", v, w.r.IntN(randomFunctions), w.value(), w.variable())
	case 3:
		return "runtime.Gosched()"
	case 4:
		if len(w.loops) == 0 {
			return v + "++"
		}
		label := w.loops[w.r.IntN(len(w.loops))]
		w.used[label] = true
		return fmt.Sprintf("if %s { %s %s }", w.condition(), []string{"break", "continue"}[w.r.IntN(2)], label)
	case 5:
		if w.places == 0 {
			return v + "--"
		}
		place := fmt.Sprintf("place%d", w.r.IntN(w.places+1))
		w.used[place] = true
		return tired + fmt.Sprintf("if %s { goto %s }", w.condition(), place)
	case 6:
		return fmt.Sprintf("t.some[%s&7] += %s", w.variable(), w.value())
	case 7:
		return fmt.Sprintf("%s += deep(%s & %d)", v, w.variable(), 1<<w.r.IntN(10))
	case 8:
		return fmt.Sprintf("if %s && %s { panic(%s) }", w.condition(), w.condition(), w.variable())
	case 9:
		return fmt.Sprintf("select { case t.box <- %s: %s++; case %s = <-t.box: }", w.variable(), v, v)
	case 10:
		return fmt.Sprintf("%s = int(float64(%s&0xffff) * 1.5)", v, w.variable())
	case 11:
		return fmt.Sprintf("if %s {\n%s}", w.condition(), w.inner())
	case 12:
		return fmt.Sprintf("if %s {\n%s} else {\n%s}", w.condition(), w.inner(), w.inner())
	case 13:
		return w.loop(fmt.Sprintf("for i := range %s & 15 {\n%s += i\n", w.variable(), v))
	case 14:
		return w.loop(fmt.Sprintf("for %s {\n", w.condition()))
	case 15:
		return fmt.Sprintf("switch %s & 3 {\ncase 0:\n%scase 1:\n%sfallthrough\ncase 2:\n%s}", w.variable(), w.inner(), w.inner(), w.inner())
	case 16:
		loops, places := w.loops, w.places
		w.loops, w.places = nil, 0 // nobody jumps out of a function
		text := fmt.Sprintf("func() {\n%s}()", strings.ReplaceAll(w.inner(), "return x", "return"))
		w.loops, w.places = loops, places
		return text
	}
}

func (w *author) loop(head string) string {
	label := fmt.Sprintf("loop%d", w.labels)
	w.labels++
	w.loops = append(w.loops, label)
	text := head + tired + w.inner() + "}"
	w.loops = w.loops[:len(w.loops)-1]
	if w.used[label] {
		text = label + ":\n" + text
	}
	return text
}

func (w *author) variable() string { return []string{"x", "y", "z"}[w.r.IntN(3)] }

func (w *author) value() string {
	a, b := w.variable(), w.variable()
	switch w.r.IntN(4) {
	case 0:
		return fmt.Sprintf("%s %s %s", a, []string{"+", "-", "*", "^", "&", "|"}[w.r.IntN(6)], b)
	case 1:
		return fmt.Sprintf("%s %s %d", a, []string{"+", "-", "*", ">>", "/"}[w.r.IntN(5)], 1+w.r.IntN(9))
	case 2:
		return fmt.Sprintf("%s / (%s & %d + %d)", a, b, 1+w.r.IntN(63), min(1, w.r.IntN(8))) // which panics at times
	default:
		return fmt.Sprint(w.r.IntN(1000) - 500)
	}
}

func (w *author) condition() string {
	return fmt.Sprintf("%s %s %s", w.variable(), []string{"<", ">", "==", "!=", "<="}[w.r.IntN(5)], []string{w.variable(), fmt.Sprint(w.r.IntN(64) - 32)}[w.r.IntN(2)])
}
