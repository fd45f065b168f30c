// Package load sends prepared requests as fast as a server answers them, with
// as little work of its own as it can: it shares the machine with what it
// measures.
package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// Result is what came of a run.
type Result struct {
	Requests int
	// Failed counts the answers that were not 2xx.
	Failed  int
	Elapsed time.Duration
}

// PerSecond is the rate of answers.
func (r Result) PerSecond() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// Run sends every request once, over so many connections at once. The requests
// are raw HTTP/1.1.
func Run(address string, connections int, requests [][]byte) (Result, error) {
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed int
		errs   []error
	)
	start := time.Now()
	for i := range connections {
		share := requests[len(requests)*i/connections : len(requests)*(i+1)/connections]
		wg.Go(func() {
			n, err := sendAll(address, share)
			mu.Lock()
			defer mu.Unlock()
			failed += n
			errs = append(errs, err)
		})
	}
	wg.Wait()
	return Result{len(requests), failed, time.Since(start)}, errors.Join(errs...)
}

func sendAll(address string, requests [][]byte) (failed int, err error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Minute))
	r := bufio.NewReaderSize(conn, 16<<10)
	for _, request := range requests {
		if _, err := conn.Write(request); err != nil {
			return failed, err
		}
		status, err := readAnswer(r)
		if err != nil {
			return failed, err
		}
		if status < 200 || status > 299 {
			failed++
		}
	}
	return failed, nil
}

var contentLength = []byte("content-length:")

// readAnswer reads one answer with a Content-Length.
func readAnswer(r *bufio.Reader) (status int, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, fmt.Errorf("no status line: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length := -1
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if len(line) > len(contentLength) && bytes.EqualFold(line[:len(contentLength)], contentLength) {
			length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):])))
			if err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errors.New("an answer without Content-Length")
	}
	_, err = io.CopyN(io.Discard, r, int64(length))
	return status, err
}
