package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/rueidis"

	"github.com/hookward/hookward/core"
)

var (
	errNotConnected = errors.New("not connected yet")
	errDown         = errors.New("gave no answer lately, so it is not asked until it does again")
)

// call sends one command for each key and waits for the answers, as long as ctx
// lets it. Without answers nothing has been sent.
func (s *Store) call(ctx context.Context, keys []core.Key, build func(i int, c *connected, name string) rueidis.Completed) ([]rueidis.RedisResult, error) {
	c := s.client.Load()
	if c == nil {
		return nil, errNotConnected
	}
	answers := s.send(ctx, c, keys, build)
	if ctx.Err() == nil && anyBroken(answers) {
		// The connection was lost, and perhaps only the answer with it: every
		// command may be repeated, since a claim knows its own token.
		answers = s.send(ctx, c, keys, build)
	}
	return answers, nil
}

// deadline ends ctx when the time-out has passed.
func (s *Store) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Duration(s.timeout.Load()))
}

func (s *Store) send(ctx context.Context, c *connected, keys []core.Key, build func(i int, c *connected, name string) rueidis.Completed) []rueidis.RedisResult {
	if len(keys) == 1 {
		return []rueidis.RedisResult{c.Do(ctx, build(0, c, s.keyName(keys[0])))}
	}
	commands := make([]rueidis.Completed, len(keys))
	for i, key := range keys {
		commands[i] = build(i, c, s.keyName(key))
	}
	return c.DoMulti(ctx, commands...)
}

func anyBroken(answers []rueidis.RedisResult) bool {
	for _, a := range answers {
		if a.NonRedisError() != nil {
			return true
		}
	}
	return false
}

// settle carries out one operation on every key, now or, where the server gives
// no answer, later.
func (s *Store) settle(ctx context.Context, x settlement, keys []core.Key) error {
	if len(keys) == 0 {
		return nil
	}
	if s.anyOpen(keys) {
		return s.oweAll(x, keys, s.explain(errDown))
	}
	within, cancel := s.deadline(ctx)
	defer cancel()
	answers, err := s.call(within, keys, func(_ int, c *connected, name string) rueidis.Completed { return x.command(c, name) })
	if err != nil {
		return s.oweAll(x, keys, s.explain(err))
	}
	for i, a := range answers {
		if failed := a.Error(); failed != nil {
			err = errors.Join(err, s.tried(ctx, x.on(keys[i]), a, failed))
		}
	}
	return err
}

func (x settlement) on(key core.Key) settlement {
	x.key = key
	return x
}

// tried decides what becomes of a settlement that failed: it is owed, unless
// the server said what it will say again.
func (s *Store) tried(ctx context.Context, x settlement, a rueidis.RedisResult, failed error) error {
	if a.NonRedisError() == nil && !passes(failed) {
		return s.explain(failed)
	}
	if ctx.Err() == nil {
		s.circuit(x.key).trip(s, failed)
	}
	return s.owe(x, s.explain(failed))
}

func (s *Store) oweAll(x settlement, keys []core.Key, cause error) (err error) {
	for _, key := range keys {
		err = errors.Join(err, s.owe(x.on(key), cause))
	}
	return err
}

// undo sees to it that nothing stays of a claim that failed: what was claimed,
// or may have been, is released later.
func (s *Store) undo(ctx context.Context, token core.Token, keys []core.Key, answers []rueidis.RedisResult) {
	for i, a := range answers {
		broken := a.NonRedisError()
		if a.Error() != nil && broken == nil && !rueidis.IsRedisNil(a.Error()) {
			continue // refused: it has claimed nothing
		}
		if broken != nil && ctx.Err() == nil {
			s.circuit(keys[i]).trip(s, broken)
		}
		// A paused server may read the claim, on a connection given up, only
		// after the release on a new one.
		_ = s.owe(settlement{op: release, token: token, key: keys[i], again: broken != nil}, nil)
	}
}

// passes says whether an error that the server answered is of the moment: it
// loads, is being replaced, or is full. Others are answered again and again.
func passes(err error) bool {
	answer, ok := rueidis.IsRedisErr(err)
	if !ok {
		return false
	}
	for _, prefix := range [...]string{
		"LOADING ", "READONLY ", "MASTERDOWN ", "CLUSTERDOWN ", "TRYAGAIN ", "NOREPLICAS ", "OOM ", "BUSY ", "MISCONF ", "UNBLOCKED ",
	} {
		if text := answer.Error(); len(text) >= len(prefix) && text[:len(prefix)] == prefix {
			return true
		}
	}
	return false
}

func (s *Store) explain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("redis: no answer within %s", time.Duration(s.timeout.Load()))
	}
	return fmt.Errorf("redis: %w", err)
}
