package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"sokuji/internal/fakeprovider"
)

// demoAddress is where the demo serves unless told otherwise: PocketBase's own.
const demoAddress = "127.0.0.1:8090"

// demoCommand is what the command line says of a demo.
type demoCommand struct{ address string }

// newDemoCommand makes the command that starts everything for somebody who has no
// key of a provider yet.
func newDemoCommand() *cobra.Command {
	var d demoCommand
	command := &cobra.Command{
		Use:   "demo",
		Short: "Starts a server to try, with a user, tokens, a key and a fake provider",
		Long: `Starts the server with a user, a funded wallet and an API key, and prints what to
type to call a model with it. The models are fake: a provider inside this process
answers in OpenAI's and Anthropic's formats, and no call leaves the machine.

Nothing of a demo is for real use. Its data is in a temporary folder that is
deleted at the end; --dir keeps it in a folder of its own, and refuses one that
holds anything else. SUPERUSER_EMAIL and SUPERUSER_PASSWORD name the superuser;
without them a password is made up and printed. Ctrl-C ends it.`,
		Example:      "  sokuji demo\n  sokuji demo --http 127.0.0.1:9000 --dir demo_data",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(command *cobra.Command, _ []string) error { return d.run(command) },
	}
	command.Flags().StringVar(&d.address, "http", demoAddress, "the address to serve on")
	return command
}

func (d *demoCommand) run(command *cobra.Command) (err error) {
	folder, err := openDemoFolder(chosenDir(command))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.close()) }()
	provider, stop, err := serveFakeProvider()
	if err != nil {
		return err
	}
	defer stop()

	asked, stopAsking := signal.NotifyContext(command.Context(), syscall.SIGHUP) // a terminal that is closed
	defer stopAsking()
	ctx, cancel := context.WithCancel(asked)
	defer cancel()
	server, err := startDemoServer(d.address, folder, provider, command.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	go func() {
		<-server.ended // by itself, so that nobody waits for it any longer
		cancel()
	}()
	if err := d.furnish(ctx, server, folder, command.OutOrStdout()); err != nil {
		return server.blame(asked, err)
	}
	<-ctx.Done()
	return server.blame(asked, nil)
}

// furnish makes what there is to see, and says how to see it.
func (d *demoCommand) furnish(ctx context.Context, server *demoServer, folder *demoFolder, out io.Writer) error {
	if err := server.waitUntilReady(ctx); err != nil {
		return err
	}
	key, err := (&demoClient{base: server.url}).furnish(ctx, folder.people)
	if err != nil {
		return fmt.Errorf("prepare the demo: %w", err)
	}
	return printDemo(out, demoText{URL: server.url, Key: key, People: folder.people, Kept: folder.kept()})
}

// chosenDir is the folder that --dir names, empty when it is not given.
func chosenDir(command *cobra.Command) string {
	if flag := command.Flag("dir"); flag != nil && flag.Changed {
		return flag.Value.String()
	}
	return ""
}

// serveFakeProvider listens on loopback, where only this machine reaches it.
func serveFakeProvider() (address string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("start the fake provider: %w", err)
	}
	server := &http.Server{Handler: fakeprovider.Handler(), ReadHeaderTimeout: demoHTTPTimeout}
	go func() { _ = server.Serve(listener) }() // ends with stop
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}
