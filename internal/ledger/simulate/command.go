package simulate

import "fmt"

// Command is what replays a run.
func Command(options Options) string {
	return fmt.Sprintf("sokuji simulate --seed %d --steps %d --trace", options.Seed, options.Steps)
}
