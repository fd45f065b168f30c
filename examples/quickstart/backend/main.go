// Command backend is a backend that shows what reaches it. It listens on
// BACKEND, 127.0.0.1:9000 where that is not set, and prints the body of each
// request.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	address := cmp.Or(os.Getenv("BACKEND"), "127.0.0.1:9000")
	http.HandleFunc("POST /", show)
	log.Println("backend listening on", address)
	log.Fatal(http.ListenAndServe(address, nil))
}

// show prints the body, and answers 200: the event is taken.
func show(w http.ResponseWriter, r *http.Request) {
	if a := r.Header.Get("X-Hookward-Assurance"); a != "signature" && a != "token" {
		http.Error(w, "this came around the gate", http.StatusForbidden)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the request broke off, and comes again
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "", "  ") == nil {
		body = pretty.Bytes()
	}
	fmt.Printf("%s\n", body)
}
