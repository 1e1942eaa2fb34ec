package hooks

import (
	"fmt"
	"math"
	"runtime"

	"github.com/spf13/cobra"

	"sokuji/internal/ledger/simulate"
)

// maxSimulatedSteps bounds one run, whose memory grows with it (about a kilobyte a
// step).
const maxSimulatedSteps = 100_000

// newSimulateCommand makes the command that tries the ledger out on a disk that
// fails. It touches no data folder.
func newSimulateCommand() *cobra.Command {
	var s simulation
	command := &cobra.Command{
		Use:   "simulate",
		Short: "Runs the ledger over a disk that fails on purpose, and checks its books",
		Long: `Runs the ledger in memory, over a disk that crashes, fills up and slows down on
purpose, with clients that repeat what was not answered and a clock that jumps.
After each step the books must balance, every answer must be in them, and nothing
may have happened twice. The same seed is the same run. Nothing is read from or
written to the data directory, and a running server is not touched.`,
		Example:      "  sokuji simulate --seed 1 --seeds 1000\n  sokuji simulate --seed 42 --steps 150 --trace",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         s.run,
	}
	flags := command.Flags()
	flags.Uint64Var(&s.seed, "seed", 1, "the first seed")
	flags.Int64Var(&s.seeds, "seeds", 1, "how many seeds to run, from the first on")
	flags.IntVar(&s.steps, "steps", simulate.DefaultSteps, "the length of a run, in steps")
	flags.BoolVar(&s.trace, "trace", false, "print every step of the one seed")
	return command
}

type simulation struct {
	seed  uint64
	seeds int64
	steps int
	trace bool
}

func (s *simulation) validate() error {
	if s.steps < 1 || s.steps > maxSimulatedSteps {
		return fmt.Errorf("--steps is %d: give a number from 1 to %d", s.steps, maxSimulatedSteps)
	}
	if s.seeds < 1 || uint64(s.seeds-1) > math.MaxUint64-s.seed {
		return fmt.Errorf("--seeds is %d: give 1 or more, and no seed past %d", s.seeds, uint64(math.MaxUint64))
	}
	if s.trace && s.seeds > 1 {
		return fmt.Errorf("--trace prints one run and --seeds asks for %d: leave one of them out", s.seeds)
	}
	return nil
}

func (s *simulation) run(command *cobra.Command, _ []string) error {
	if err := s.validate(); err != nil {
		return err
	}
	if s.seeds == 1 {
		return s.one(command)
	}
	totals, err := simulate.Many(command.Context(), s.seed, s.seeds, s.steps, runtime.GOMAXPROCS(0))
	fmt.Fprintf(command.OutOrStdout(), "%d seeds from %d: %s\n", totals.Seeds, s.seed, totals.Result)
	if err != nil {
		return err
	}
	return command.Context().Err()
}

func (s *simulation) one(command *cobra.Command) error {
	options := simulate.Options{Seed: s.seed, Steps: s.steps}
	if s.trace {
		options.Trace = command.OutOrStdout()
	}
	result, err := simulate.Run(options)
	if err != nil {
		return &simulate.Failure{Seed: s.seed, Steps: s.steps, Cause: err}
	}
	fmt.Fprintf(command.OutOrStdout(), "seed %d: %s\ntrace %s\n", s.seed, result, result.Hash)
	return nil
}
