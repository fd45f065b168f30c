// Command go is a backend behind Hookward: it prints the messages that it gets.
package main

import (
	"cmp"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"sync"
)

// Seen remembers events by endpoint and id. A real backend asks its database.
type Seen struct{ keys sync.Map }

// First says that the event has not come before.
func (s *Seen) First(e Event) bool {
	_, loaded := s.keys.LoadOrStore([2]string{e.Endpoint, e.ID}, true)
	return !loaded
}

func main() {
	var seen Seen
	http.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		if a := r.Header.Get("X-Hookward-Assurance"); a != "signature" && a != "token" {
			http.Error(w, "not through the gate", http.StatusForbidden)
			return
		}
		var d Delivery
		if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, e := range d.Events {
			if seen.First(e) {
				handle(e)
			}
		}
	})
	address := "127.0.0.1:" + cmp.Or(os.Getenv("PORT"), "9000")
	log.Println("listening on", address)
	log.Fatal(http.ListenAndServe(address, nil))
}

func handle(e Event) {
	switch e.Type {
	case "message.received":
		log.Printf("%s: %s wrote %q", e.Channel, e.SenderID, e.Message)
	default:
		log.Printf("%s: ignored %s", e.Channel, e.Type)
	}
}
