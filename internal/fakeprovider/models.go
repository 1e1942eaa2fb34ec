package fakeprovider

import "net/http"

// Models are those that the provider says it has. It answers for any other, too.
var Models = []string{
	"gpt-4o", "gpt-4o-mini", "gpt-4o-audio-preview", "gpt-4o-transcribe", "whisper-1", "gpt-4o-mini-tts",
	"gpt-image-1", "text-embedding-3-small", "claude-sonnet-5",
}

func (p *provider) models(w http.ResponseWriter, _ *http.Request) {
	rows := make([]object, len(Models))
	for i, name := range Models {
		rows[i] = object{"id": name, "object": "model", "created": created, "owned_by": "fake"}
	}
	writeJSON(w, http.StatusOK, object{"object": "list", "data": rows})
}
