package redis

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/zap"
)

// connect makes the client: in the background, but it waits for as long as
// connecting takes where all is well, so that the first request finds it.
func (s *Store) connect() {
	first := make(chan struct{})
	s.work.Go(func() {
		err := s.tryConnect()
		close(first)
		for pause := 10 * firstPause; err != nil; pause = min(2*pause, lastPause) {
			s.log.Warn("replay store can't be reached: claims are refused until it can", zap.Error(err))
			select {
			case <-s.closing:
				return
			case <-time.After(pause):
			}
			err = s.tryConnect()
		}
	})
	select {
	case <-first:
	case <-time.After(patience):
	}
}

func (s *Store) tryConnect() error {
	client, err := rueidis.NewClient(s.clientOption())
	if err != nil {
		return s.hint(err)
	}
	s.client.Store(&connected{client, client.Mode() == rueidis.ClientModeCluster})
	s.warn(client)
	return nil
}

func (s *Store) clientOption() rueidis.ClientOption {
	o := rueidis.ClientOption{
		InitAddress: s.options.Addresses,
		TLSConfig:   s.options.TLS,
		ClientName:  "hookward",

		AlwaysPipelining:  true, // a call given up leaves its connection as it is
		DisableCache:      true,
		DisableRetry:      true, // we repeat what is safe to repeat
		PipelineMultiplex: -1,   // one connection to a server, so that what is sent later comes later
		RingScaleEachConn: 12,   // how many calls may be on their way: 4096
		ConnWriteTimeout:  patience,
		MaxFlushDelay:     20 * time.Microsecond, // lets calls share a packet: a third less CPU time each
	}
	o.Dialer.Timeout = patience
	o.Dialer.KeepAlive = patience // an idle connection is tried this often
	if s.options.Sentinel != "" {
		o.Sentinel = rueidis.SentinelOption{MasterSet: s.options.Sentinel, TLSConfig: s.options.TLS, Dialer: o.Dialer}
		login := s.login.Load()
		o.Username, o.Password = login.Username, login.Password
		return o
	}
	// Not with Sentinels, which would be logged in to as well.
	o.AuthCredentialsFn = func(rueidis.AuthCredentialsContext) (rueidis.AuthCredentials, error) {
		return *s.login.Load(), nil
	}
	return o
}

// hint adds what to do about an error whose text doesn't say.
func (s *Store) hint(err error) error {
	if len(s.options.Addresses) > 1 && s.options.Sentinel == "" && strings.Contains(strings.ToLower(err.Error()), "cluster") {
		return fmt.Errorf("redis: several addresses are those of a Cluster, or of Sentinels with \"sentinel <master>\": %w", err)
	}
	return fmt.Errorf("redis: %w", err)
}

const oldestVersion = 7

// warn says at start what would break a promise later.
func (s *Store) warn(client rueidis.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for address, node := range client.Nodes() {
		text, err := node.Do(ctx, node.B().Info().Build()).ToString()
		if err != nil {
			s.log.Warn("replay store: can't read INFO, so its version and maxmemory-policy are unknown",
				zap.String("address", address), zap.Error(err))
			continue
		}
		for _, problem := range problems(text) {
			s.log.Warn("replay store: "+problem, zap.String("address", address))
		}
	}
}

// problems reads the answer to INFO.
func problems(info string) (found []string) {
	for lines := bufio.NewScanner(strings.NewReader(info)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch name {
		case "redis_version":
			major, _, _ := strings.Cut(value, ".")
			if n, err := strconv.Atoi(major); err == nil && n < oldestVersion {
				found = append(found, "version "+value+" is too old: it needs Redis 7 or Valkey")
			}
		case "maxmemory_policy":
			if value != "noeviction" {
				found = append(found, "maxmemory-policy is "+value+": a server short of memory would forget claims and let duplicates pass; set it to noeviction")
			}
		}
	}
	return found
}
