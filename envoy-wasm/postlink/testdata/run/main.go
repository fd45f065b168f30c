// Run runs a WASI module with its arguments, and prints what it prints.
//
// It interprets the module: wazero's compiler (1.12.0 on amd64) gets some
// functions wrong that have loops within loops, which its interpreter and V8
// agree on. And it is a program because a test under the race detector would
// need a minute for what takes a second here.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(args []string) error {
	module, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer r.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	config := wazero.NewModuleConfig().WithArgs(args...).WithStdout(os.Stdout).WithStderr(os.Stdout).WithFSConfig(wazero.NewFSConfig())
	_, err = r.InstantiateWithConfig(ctx, module, config)
	if exit := new(sys.ExitError); errors.As(err, &exit) && exit.ExitCode() == 0 {
		return nil
	}
	return err
}
