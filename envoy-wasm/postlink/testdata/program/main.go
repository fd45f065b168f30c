// Program runs what Go's compiler has to translate for wasm, and prints what
// comes of it: loops with ways in and out of their middle, switches, panics and
// recoveries, goroutines that are switched in the middle of functions, stacks
// that grow, and the garbage collector.
package main

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
)

func main() {
	fmt.Println("collatz", collatz(27), collatz(97))
	fmt.Println("primes", primes(60))
	fmt.Println("find", find([][]int{{1, 2}, {3, 4}, {5, 6}}, 4), find(nil, 4))
	fmt.Println("machine", machine("aab-bba*", 0), machine("", 0), machine("---", 3))
	fmt.Println("kinds", kind(nil), kind(7), kind("x"), kind(errors.New("e")), kind([]int{}))
	fmt.Println("panics", caught(0), caught(1), caught(2), caught(3), caught(4), caught(5))
	fmt.Println("recovered", recovered(-4), recovered(5), recoveredNil(&node{value: 3}), recoveredNil(nil))
	fmt.Println("deep", deep(1500))
	fmt.Println("goroutines", ping(1000), fanIn(8, 500))
	fmt.Println("mutex", locked(16))
	fmt.Println("select", selected())
	fmt.Println("garbage", garbage(20_000))
	fmt.Println("floats", floats(1.5), int64(floats(-3)*1e6))
	fmt.Println("sorted", slices.Sorted(maps.Keys(words("the gate that every webhook passes before it reaches the backend"))))
}

//go:noinline
func collatz(n int) (steps int) {
	for n != 1 {
		if n%2 == 0 {
			n /= 2
		} else {
			n = 3*n + 1
		}
		steps++
	}
	return steps
}

//go:noinline
func primes(n int) (found []int) {
next:
	for i := 2; i < n; i++ {
		for _, p := range found {
			if i%p == 0 {
				continue next
			}
			if p*p > i {
				break
			}
		}
		found = append(found, i)
	}
	return found
}

//go:noinline
func find(rows [][]int, want int) (at [2]int) {
outer:
	for i, row := range rows {
		for k, v := range row {
			if v == want {
				at = [2]int{i + 1, k + 1}
				break outer
			}
		}
	}
	return at
}

// machine jumps into the middle of its own loop.
func machine(text string, i int) (n int) {
	if i > 0 {
		goto middle
	}
start:
	if i >= len(text) {
		return n
	}
	switch text[i] {
	case 'a':
		n++
		i++
		goto start
	case 'b':
		n *= 2
		i++
		goto middle
	case '*':
		return -n
	}
	i++
middle:
	n += 10
	if i < len(text) {
		goto start
	}
	return n
}

func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case int:
		return fmt.Sprint("int ", v+1)
	case string:
		return "string " + v
	case error:
		return "error " + v.Error()
	}
	return "other"
}

type node struct {
	next  *node
	value int
}

func caught(how int) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r, " ", len(text))
		}
	}()
	defer func() { text += "deferred" }()
	list, none := []int{1, 2, 3}, (*node)(nil)
	switch how {
	case 0:
		return fmt.Sprint(list[how+3])
	case 1:
		return fmt.Sprint(none.next.value)
	case 2:
		return fmt.Sprint(7 / (how - 2))
	case 3:
		return fmt.Sprint(list[how : how-1])
	case 4:
		panic(errors.New("own"))
	}
	return "none "
}

// recovered and recoveredNil are entered where they run what they have deferred,
// and no way from their beginnings leads there.
//
//go:noinline
func recovered(x int) (n int) {
	if x > 0 {
		defer recoverTo(&n)
		panic(ownError)
	}
	return x * 2
}

func recoverTo(n *int) {
	if r := recover(); r != nil {
		*n = 77
	}
}

//go:noinline
func recoveredNil(p *node) (n int) {
	if p == nil {
		defer func() { _ = recover() }()
		panic(ownError)
	}
	return p.value
}

var ownError any = &node{value: 5}

func deep(n int) int {
	var room [16]int
	if n == 0 {
		runtime.Gosched()
		return len(room)
	}
	room[n%16] = n
	return deep(n-1) + room[n%16] - n
}

func ping(n int) (sum int) {
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v * 2
		}
		close(back)
	}()
	for i := range n {
		there <- i
		sum += <-back
	}
	close(there)
	_, open := <-back
	if open {
		return -1
	}
	return sum
}

//go:noinline
func fanIn(workers, each int) (sum int) {
	results := make(chan int, 3)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := range each {
				results <- w * i
				if i%7 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	go func() { all.Wait(); close(results) }()
	for v := range results {
		sum += v
	}
	return sum
}

func locked(n int) (count int) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for range 50 {
				func() {
					mu.Lock()
					defer mu.Unlock()
					before := count
					runtime.Gosched()
					count = before + 1
				}()
			}
		})
	}
	all.Wait()
	return count
}

func selected() (text string) {
	a, b, done := make(chan int), make(chan string), make(chan struct{})
	go func() { a <- 1; b <- "two"; close(done) }()
	for {
		select {
		case v := <-a:
			text += fmt.Sprint(v)
		case v := <-b:
			text += v
		case <-done:
			return text
		}
	}
}

func garbage(n int) (sum int) {
	var kept *node
	for i := range n {
		kept = &node{kept, i}
		if i%100 == 0 {
			kept = &node{nil, len(strings.Repeat("x", i%977))}
		}
		if i%5000 == 0 {
			runtime.GC()
		}
	}
	for ; kept != nil; kept = kept.next {
		sum += kept.value
	}
	return sum
}

func floats(x float64) (sum float64) {
	for i := range 10 {
		if i%3 == 0 {
			sum += x / float64(i+1)
		} else {
			sum -= float64(float32(x)) * float64(uint8(i))
		}
	}
	return sum
}

func words(text string) map[string]int {
	counts := map[string]int{}
	for word := range strings.FieldsSeq(text) {
		counts[word]++
		if counts[word] > 1 {
			delete(counts, "gate")
		}
	}
	return counts
}
