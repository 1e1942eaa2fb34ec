package fakeprovider

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
)

// defaultDimensions is the length of an embedding. Real ones are longer.
const defaultDimensions = 8

// maxDimensions bounds it.
const maxDimensions = 4_096

// embeddings answers embeddings.
func (p *provider) embeddings(c *call) {
	dimensions := defaultDimensions
	if c.ask.Dimensions > 0 {
		dimensions = min(c.ask.Dimensions, maxDimensions)
	}
	rows := make([]object, c.ask.inputs())
	for i := range rows {
		rows[i] = object{"object": "embedding", "index": i, "embedding": c.ask.embedding(dimensions, i)}
	}
	body := object{"object": "list", "model": c.ask.Model, "data": rows}
	if usage := c.counts(); !c.usageMissing() {
		body["usage"] = object{"prompt_tokens": usage.in, "total_tokens": usage.in}
	}
	c.json(body)
}

// inputs counts the texts: one, a list of them, one as tokens, or a list of such.
func (a *ask) inputs() int {
	var parts []json.RawMessage
	if json.Unmarshal(a.Input, &parts) != nil || len(parts) == 0 {
		return 1
	}
	var token float64
	if json.Unmarshal(parts[0], &token) == nil {
		return 1
	}
	return len(parts)
}

// embedding is a vector of length 1, as numbers or, as the SDKs ask for it, as the
// text of its bytes.
func (a *ask) embedding(dimensions, index int) any {
	vector := make([]float32, dimensions)
	vector[index%dimensions] = 1
	if a.EncodingFormat != "base64" {
		return vector
	}
	var packed []byte
	for _, value := range vector {
		packed = binary.LittleEndian.AppendUint32(packed, math.Float32bits(value))
	}
	return base64.StdEncoding.EncodeToString(packed)
}
