package redis_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
)

// onValkey are the tests that Valkey has to pass as well.
var onValkey = []string{
	"TestSingle/cases", "TestSingle/concurrent", "TestCluster/concurrent",
	"TestTLSAndPassword", "TestWarnsOfEviction", "TestUserOfItsOwn",
	"TestFull", "TestAnswerLost", "TestKilledAndRestarted", "TestFailover", "TestCrashing",
}

// TestValkey runs these tests once more with Valkey in the place of Redis.
func TestValkey(t *testing.T) {
	valkey := hosts.Valkey(t)
	version, err := exec.Command(valkey, "--version").Output()
	if err != nil || !strings.HasPrefix(string(version), "Valkey server") {
		t.Fatalf("%s --version: %v, %s", valkey, err, version)
	}
	for _, test := range onValkey {
		t.Run(test, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+strings.ReplaceAll(test, "/", "$/^")+"$")
			cmd.Env = append(os.Environ(), hosts.RedisServer+"="+valkey)
			out, err := cmd.CombinedOutput()
			if name, _, _ := strings.Cut(test, "/"); err != nil || !strings.Contains(string(out), "--- PASS: "+name+" ") {
				t.Errorf("on %s: %v\n%s", version, err, out)
			}
		})
	}
}
