package hosts

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// StartUpstash starts what looks like Upstash's REST API in front of a Redis:
// POST / with a command as a JSON array, a bearer token, {"result": …} or
// {"error": …}. The service itself can't be run here; this keeps to
// https://upstash.com/docs/redis/features/restapi. It returns its address.
func StartUpstash(t testing.TB, redis *Redis, token string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, answer := upstash(redis, token, r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func upstash(redis *Redis, token string, r *http.Request) (int, map[string]any) {
	var words []string
	text, _ := io.ReadAll(r.Body)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token:
		return 401, map[string]any{"error": "Unauthorized"}
	case r.Method != "POST" || r.URL.Path != "/" || json.Unmarshal(text, &words) != nil:
		return 400, map[string]any{"error": "ERR failed to parse command"}
	}
	answer, err := redis.ask(words...)
	if err != nil {
		return 503, map[string]any{"error": "ERR upstream connect error"}
	}
	if problem, ok := strings.CutPrefix(answer, "-"); ok {
		return 400, map[string]any{"error": problem + ", command was: " + string(text)}
	}
	if number, ok := strings.CutPrefix(answer, ":"); ok {
		n, _ := strconv.Atoi(number)
		return 200, map[string]any{"result": n}
	}
	if answer == "$-1" {
		return 200, map[string]any{"result": nil}
	}
	return 200, map[string]any{"result": strings.TrimPrefix(answer, "+")}
}
