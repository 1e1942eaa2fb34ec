// Sokuji Backend: accounts, prepaid token wallets and an honest meter in one
// binary on PocketBase.
package main

import (
	"embed"
	"fmt"
	"os"
	_ "time/tzdata" // charts know every time zone, also in a container without zone files

	"github.com/pocketbase/pocketbase"

	"sokuji/hooks"
	"sokuji/internal/config"
	_ "sokuji/migrations"
)

//go:embed all:pb_public
var public embed.FS

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	settings, err := config.Load(os.Getenv)
	if err != nil {
		return err
	}
	app := pocketbase.NewWithConfig(pocketbase.Config{DBConnect: hooks.ConnectDatabase})
	if err := hooks.Register(app, settings, public); err != nil {
		return err
	}
	return hooks.Execute(app)
}
