package core_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/hookward/hookward/core"
)

// A voice instruction is passed on whatever the store can't say, and held by
// none; only what the same signature has opened before stands in its way.
func TestVoiceInstructionIsNotHeld(t *testing.T) {
	gate := mustLoad(t, `{"provider":"twilio","secrets":["`+benchSecret+`"],"public_url":"https://example.com","replay":{"on_error":"reject"}}`)
	m := hmac.New(sha1.New, []byte(benchSecret))
	m.Write([]byte("https://example.com/hookCallSidCA1CallStatusringing"))
	header := http.Header{
		"Content-Type":       {"application/x-www-form-urlencoded"},
		"X-Twilio-Signature": {base64.StdEncoding.EncodeToString(m.Sum(nil))},
	}
	for _, c := range []struct {
		state   core.State
		forward bool
		code    core.Code
		free    int
	}{
		{core.Claimed, true, "", 1},
		{core.Unknown, true, "", 0},
		{core.Pending, true, "", 0},
		{core.Done, false, "", 0},
	} {
		check, v := gate.Begin(noon, core.Head{Method: "POST", Target: "/hook", Header: header})
		if v == nil {
			v = check.Body([]byte("CallSid=CA1&CallStatus=ringing"), core.BodyComplete)
		}
		if v != nil || len(check.Keys()) != 1 {
			t.Fatalf("verdict %+v, %d keys", v, len(check.Keys()))
		}
		v = check.Claimed([]core.State{c.state})
		if (v.Kind == core.Forward) != c.forward || v.Code != c.code || len(v.Free) != c.free || len(v.Hold) != 0 || v.Unchecked {
			t.Errorf("state %d: %+v", c.state, v)
		}
	}
}
