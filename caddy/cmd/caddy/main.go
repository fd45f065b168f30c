// Command caddy is Caddy with its standard modules and Hookward's.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/modules/standard"
	_ "github.com/hookward/hookward/caddy"
)

func main() { caddycmd.Main() }
