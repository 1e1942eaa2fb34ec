package realtime

import "time"

// Bounds of a session.
const (
	// MaxSessionTime is the longest session; the providers' own are as long.
	MaxSessionTime = time.Hour
	// maxIdleTime is how long neither side may say anything.
	maxIdleTime = 15 * time.Minute
	// pingInterval is how often both sides are pinged, and whoever pays is asked
	// again whether they still may.
	pingInterval = 30 * time.Second
	// writeTimeout is how long one side may take to accept a message. Meanwhile
	// nothing more is read from the other.
	writeTimeout = 30 * time.Second
	// pongTimeout is longer than writeTimeout: while we wait for one side to accept
	// a message we do not read the pong of the other.
	pongTimeout = writeTimeout + 15*time.Second
	// dialTimeout bounds the provider's handshake.
	dialTimeout = 20 * time.Second
	// closingTime is how long a provider may take to say what the responses cost
	// that were cancelled because the session ended.
	closingTime = 3 * time.Second
	// lastMessageTime is how long the client may still take to accept the message that
	// is on its way when the session ends: a part of closingTime, so that the provider
	// is heard in the rest.
	lastMessageTime = 500 * time.Millisecond
	// closeTimeout is how long a side may take to answer that the socket closes.
	closeTimeout = time.Second
	// reportInterval is how often that is looked for.
	reportInterval = 20 * time.Millisecond

	// MaxMessageBytes bounds one message, either way: OpenAI allows 15 MiB of audio
	// in one.
	MaxMessageBytes = 16 << 20
	// maxResponses bounds how many responses of one session run at a time.
	maxResponses = 16
	// maxBilledKeys bounds how many billed events a session remembers. The ledger
	// remembers them all.
	maxBilledKeys = 4_096
)

// What a turn is taken for before anything is known about it: about a minute and a
// half heard and a minute spoken, in tokens.
const (
	turnInText   = 2_000
	turnInAudio  = 1_000
	turnOutText  = 1_000
	turnOutAudio = 1_200
)

// What the client adds before a turn is reserved before it is passed on, up to these
// bounds: no realtime model hears more, and of a microphone that is left open most is
// silence, which nobody is charged for.
const (
	maxAdded     = 32_000 // tokens of a class
	maxOpenAudio = 3_000  // tokens that are in the buffer, five minutes
	maxOpenPCM   = maxOpenAudio * pcmBytesHeard
	imageTokens  = 1_445 // what a picture costs at most: 8 tiles of 170, and 85
	maxApartAsks = maxResponses
)

// maxHeardItems bounds how many pieces of the client's audio a session follows until
// they are written down. Of more the oldest is charged by our count.
const maxHeardItems = 64

// What is reserved for costs beside the turns, such as a transcription: a minute.
const (
	transcriptionMilliseconds = 60_000
	transcriptionInAudio      = 600
	transcriptionOutText      = 300
	transcriptionPCM          = transcriptionMilliseconds * audioBytesPerMillisecond
)

// Audio of translations is PCM of 16 bits, one channel, 24,000 samples a second.
const (
	audioBytesPerMillisecond = 48
	// stretchMilliseconds of a translation are reserved, and charged, at a time.
	stretchMilliseconds = 30_000
)
