package hosts

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Redis is a running redis-server, or a Sentinel, with its configuration in a
// file that survives a restart.
type Redis struct {
	*Process
	// Address is host and port.
	Address string
	// Dir is where it keeps its data.
	Dir string

	args []string
}

// StartRedis starts a server that keeps nothing on disk, unless the settings
// ("--appendonly", "yes") say otherwise.
func StartRedis(t testing.TB, settings ...string) *Redis {
	t.Helper()
	port, dir := FreePort(t), t.TempDir()
	r := &Redis{Address: fmt.Sprintf("127.0.0.1:%d", port), Dir: dir}
	r.args = append([]string{
		"--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no",
	}, settings...)
	r.Start(t)
	return r
}

// Start starts the server again after Stop or Kill.
func (r *Redis) Start(t testing.TB) {
	t.Helper()
	r.Process = start(t, nil, r.Dir, Program(t, cmp.Or(os.Getenv(RedisServer), "redis-server"), "redis-server"), r.args...)
	r.waitFor(t, "an answer", r.answers)
}

// RedisServer is the variable that names another program to run as Redis.
const RedisServer = "HOOKWARD_REDIS_SERVER"

// Valkey is the path of valkey-server.
func Valkey(t testing.TB) string {
	t.Helper()
	unpacked := filepath.Join(Root(t), "e2e", ".venv", "valkey", "usr", "bin", "valkey-server")
	if _, err := os.Stat(unpacked); err == nil {
		return unpacked
	}
	path, err := exec.LookPath("valkey-server")
	if err != nil {
		t.Fatal("no Valkey: run make tools")
	}
	return path
}

// Restart ends the server and starts it again, with what it has on disk.
func (r *Redis) Restart(t testing.TB) {
	t.Helper()
	r.Stop()
	r.Start(t)
}

// Pause stops the server's process until Resume; its connections stay.
func (r *Redis) Pause() { r.Signal(syscall.SIGSTOP) }

// Resume lets the server go on.
func (r *Redis) Resume() { r.Signal(syscall.SIGCONT) }

// answers says whether the server speaks, even if only of missing credentials,
// and has loaded its data.
func (r *Redis) answers() bool {
	if strings.Contains(strings.Join(r.args, " "), "--tls-port") {
		return listens(r.Address)
	}
	text, err := r.ask("PING")
	return err == nil && !strings.HasPrefix(text, "-LOADING")
}

// Ask sends one command and returns the answer: the text of a bulk string, else
// its first line as the protocol has it.
func (r *Redis) Ask(t testing.TB, words ...string) string {
	t.Helper()
	text, err := r.ask(words...)
	if err != nil {
		t.Fatalf("%s: %v: %v", r.Address, words, err)
	}
	return text
}

func (r *Redis) ask(words ...string) (string, error) {
	conn, err := net.DialTimeout("tcp", r.Address, deadline)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(deadline))
	request := fmt.Appendf(nil, "*%d\r\n", len(words))
	for _, w := range words {
		request = fmt.Appendf(request, "$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := conn.Write(request); err != nil {
		return "", err
	}
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if length, ok := strings.CutPrefix(line, "$"); ok && length != "-1" {
		n, _ := strconv.Atoi(length)
		bulk := make([]byte, n)
		_, err = io.ReadFull(in, bulk)
		line = string(bulk)
	}
	return line, err
}

// says tells whether the answer to a command has a part.
func (r *Redis) says(part string, words ...string) bool {
	text, err := r.ask(words...)
	return err == nil && strings.Contains(text, part)
}

// StartReplica starts a server that follows another.
func StartReplica(t testing.TB, of *Redis, settings ...string) *Redis {
	t.Helper()
	host, port, _ := net.SplitHostPort(of.Address)
	r := StartRedis(t, append([]string{"--replicaof", host + " " + port}, settings...)...)
	r.waitFor(t, "link to its master", func() bool { return r.says("master_link_status:up", "INFO", "replication") })
	return r
}

// StartSentinels starts n Sentinels that watch a master under the name
// "claims", and give it up after two seconds without an answer.
func StartSentinels(t testing.TB, n int, master *Redis) []*Redis {
	t.Helper()
	host, port, _ := net.SplitHostPort(master.Address)
	sentinels := make([]*Redis, n)
	for i := range sentinels {
		p, dir := FreePort(t), t.TempDir()
		s := &Redis{Address: fmt.Sprintf("127.0.0.1:%d", p), Dir: dir}
		config := filepath.Join(dir, "sentinel.conf")
		text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor claims %s %s %d\n"+
			"sentinel down-after-milliseconds claims 2000\nsentinel failover-timeout claims 5000\n", p, dir, host, port, n/2+1)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.args = []string{config, "--sentinel"}
		s.Start(t)
		sentinels[i] = s
	}
	for _, s := range sentinels {
		s.waitFor(t, "knowledge of the others", func() bool {
			return s.says(fmt.Sprintf("slaves=1,sentinels=%d", n), "INFO", "sentinel")
		})
	}
	return sentinels
}

// StartCluster starts a Cluster of n masters, each with some of the slots.
func StartCluster(t testing.TB, n int, settings ...string) []*Redis {
	t.Helper()
	nodes := make([]*Redis, n)
	for i := range nodes {
		nodes[i] = StartRedis(t, append([]string{"--cluster-enabled", "yes", "--cluster-node-timeout", "10000",
			"--cluster-port", fmt.Sprint(FreePort(t))}, settings...)...)
	}
	args := []string{"--cluster", "create"}
	for _, node := range nodes {
		args = append(args, node.Address)
	}
	if out, err := exec.Command(Program(t, "redis-cli", "redis-tools"), append(args, "--cluster-yes")...).CombinedOutput(); err != nil {
		t.Fatalf("making a cluster: %v\n%s", err, out)
	}
	WaitForCluster(t, nodes)
	return nodes
}

// WaitForCluster waits until every node says that the Cluster is whole.
func WaitForCluster(t testing.TB, nodes []*Redis) {
	t.Helper()
	for _, node := range nodes {
		node.waitFor(t, "whole cluster", func() bool { return node.says("cluster_state:ok", "CLUSTER", "INFO") })
	}
}

// Program is the path of a program that a Debian package installs. Where it is
// missing the test fails: a test that is skipped proves nothing.
func Program(t testing.TB, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed: apt-get install %s", name, debian)
	}
	return path
}
