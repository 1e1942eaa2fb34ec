package main

// sizes are how large the files of the experiments are.
type sizes struct {
	rounds        int // of a contest, of which the middle one counts
	pageEntries   int // of the wallet whose pages are read
	fewRows       int // ledger rows of the smaller file
	manyRows      int // ledger rows of the larger file
	memoryWallets int
	startWallets  int
	leadRows      int // ledger rows of the files without some indexes
	leadWallets   []int
	readRows      int  // usage rows of the file that is searched
	openStreams   int  // at a time, of which memory is measured
	peers         bool // gateways of others are installed and measured too
}

// usualSizes keep a run to a few minutes on a machine that has nothing else to do.
var usualSizes = sizes{
	rounds: 3, pageEntries: 200_000, fewRows: 10_000, manyRows: 200_000, memoryWallets: 100_000, startWallets: 100_000,
	leadRows: 100_000, leadWallets: []int{1_000, 20_000}, readRows: 200_000, openStreams: 1_000, peers: true,
}

// fullSizes are those of the targets. They take about 4 GB of disk, and half an
// hour on two cores.
var fullSizes = sizes{
	rounds: 5, pageEntries: 1_000_000, fewRows: 10_000, manyRows: 5_000_000, memoryWallets: 100_000, startWallets: 1_000_000,
	leadRows: 100_000, leadWallets: []int{1_000, 20_000}, readRows: 1_000_000, openStreams: 1_000, peers: true,
}

// smokeSizes prove that everything works.
var smokeSizes = sizes{
	rounds: 1, pageEntries: 2_000, fewRows: 400, manyRows: 1_000, memoryWallets: 500, startWallets: 500,
	leadRows: 500, leadWallets: []int{50}, readRows: 1_000, openStreams: 20,
}
