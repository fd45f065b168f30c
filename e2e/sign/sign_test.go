package sign

import "testing"

// TestTwilio holds the signer against the example in Twilio's documentation.
// https://www.twilio.com/docs/usage/security#test-the-validity-of-your-webhook-signature
func TestTwilio(t *testing.T) {
	const form = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
	got := Twilio("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form)
	if want := "RSOYDt4T1cUTdK1PDd93/VVr8B8="; got != want {
		t.Errorf("Twilio() = %q, want %q", got, want)
	}
}
