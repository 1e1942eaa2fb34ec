package metering

import (
	"cmp"
	"fmt"

	"sokuji/internal/pricing"
)

// notes collects what was odd about a usage, by the names of the counts.
type notes []string

func (n *notes) add(format string, parts ...any) { *n = append(*n, fmt.Sprintf(format, parts...)) }

// take reads a count and notes when it is none.
func (n *notes) take(name string, c count) int64 {
	if c.isOdd {
		n.add("%s is no plausible count", name)
	}
	return c.value
}

// part reads a count that is a part of another, and never lets it be more.
func (n *notes) part(name string, c count, whole int64) int64 {
	value := n.take(name, c)
	if value > whole {
		n.add("%s above what it is a part of", name)
		return whole
	}
	return value
}

// isSeen tells whether the usage says anything. An empty object does not.
func (u *rawUsage) isSeen() bool {
	return u.Prompt.isSeen || u.Completion.isSeen || u.Input.isSeen || u.Output.isSeen || u.Total.isSeen || u.Seconds.isSeen
}

// report brings a usage to the normal form.
func (u *rawUsage) report(endpoint Endpoint) Report {
	if !u.isSeen() {
		return Report{}
	}
	var odd notes
	report := Report{Found: true}
	switch {
	case endpoint == Messages:
		report.Usage = u.anthropic(&odd)
	case u.Seconds.isSeen && u.Type != "tokens":
		if u.Seconds.isOdd {
			odd.add("seconds is no plausible duration")
		}
		report.Usage = pricing.Usage{Milliseconds: u.Seconds.milliseconds}
	default:
		report.Usage = u.openAI(endpoint, &odd)
	}
	report.Anomalies = odd
	return report
}

// anthropic reads the counts of an answer, and those of its iterations where they
// are more.
func (u *rawUsage) anthropic(odd *notes) pricing.Usage {
	usage := u.anthropicCounts(odd)
	if len(u.Iterations) == 0 {
		return usage
	}
	var all pricing.Usage
	var oddParts notes
	for i := range u.Iterations {
		addCounts(&all, u.Iterations[i].anthropicCounts(&oddParts))
	}
	if len(oddParts) > 0 {
		odd.add("iterations have odd counts")
	}
	return largerCounts(usage, all)
}

// anthropicClasses are all that Anthropic counts.
func anthropicClasses(u *pricing.Usage) [5]*int64 {
	return [...]*int64{&u.InText, &u.InCachedText, &u.InCacheWrite5m, &u.InCacheWrite1h, &u.OutText}
}

func addCounts(to *pricing.Usage, more pricing.Usage) {
	sums, counts := anthropicClasses(to), anthropicClasses(&more)
	for i := range sums {
		*sums[i] = min(*sums[i]+*counts[i], pricing.MaxCount)
	}
}

func largerCounts(a, b pricing.Usage) pricing.Usage {
	counts, others := anthropicClasses(&a), anthropicClasses(&b)
	for i := range counts {
		*counts[i] = max(*counts[i], *others[i])
	}
	return a
}

// anthropicCounts reads counts that exclude each other: input_tokens is what neither
// came from a cache nor went into one.
func (u *rawUsage) anthropicCounts(odd *notes) pricing.Usage {
	usage := pricing.Usage{
		InText:         odd.take("input_tokens", u.Input),
		InCachedText:   odd.take("cache_read_input_tokens", u.CacheRead),
		InCacheWrite5m: odd.take("ephemeral_5m_input_tokens", u.CacheWrites.FiveMinutes),
		InCacheWrite1h: odd.take("ephemeral_1h_input_tokens", u.CacheWrites.OneHour),
		OutText:        odd.take("output_tokens", u.Output),
	}
	if u.CacheCreation.isSeen {
		// The sum is what was written; what the details do not explain lives as long as
		// the default, 5 minutes.
		created := odd.take("cache_creation_input_tokens", u.CacheCreation)
		if usage.InCacheWrite5m+usage.InCacheWrite1h > created {
			odd.add("cache_creation above cache_creation_input_tokens")
		}
		usage.InCacheWrite1h = min(usage.InCacheWrite1h, created)
		usage.InCacheWrite5m = created - usage.InCacheWrite1h
	}
	if u.ServerTools.WebSearches.value > 0 || u.ServerTools.WebFetches.value > 0 {
		odd.add("server_tool_use has no price")
	}
	return usage
}

// openAI reads counts that contain each other: what was cached is a part of the
// input, what was reasoned a part of the output.
func (u *rawUsage) openAI(endpoint Endpoint, odd *notes) pricing.Usage {
	input, inputName := u.Input, "input_tokens"
	if !input.isSeen {
		input, inputName = u.Prompt, "prompt_tokens"
	}
	output, outputName := u.Output, "output_tokens"
	if !output.isSeen {
		output, outputName = u.Completion, "completion_tokens"
	}
	in, out, total := odd.take(inputName, input), odd.take(outputName, output), odd.take("total_tokens", u.Total)
	switch {
	case endpoint == Embeddings && !input.isSeen:
		in = total // of a server that says only this
	case endpoint == ChatCompletions && total > in+out && !u.Total.isOdd:
		// Gemini's compatible endpoint leaves what was reasoned out of the completion.
		odd.add("total_tokens above its parts")
		out = total - in
	}
	usage := u.inputClasses(endpoint, in, odd)
	usage.OutText, usage.OutAudio = u.outputClasses(endpoint, out, odd)
	return usage
}

// inputClasses divides the input. Their sum is always the input.
func (u *rawUsage) inputClasses(endpoint Endpoint, in int64, odd *notes) pricing.Usage {
	d := cmp.Or(u.PromptDetails, u.InputDetails, u.InputDetail)
	audio := odd.part("audio_tokens", d.Audio, in)
	image := odd.part("image_tokens", d.Image, in-audio)
	if endpoint == Transcriptions && !d.Audio.isSeen && !d.Text.isSeen {
		audio = in // what it heard, mostly
	}
	text := in - audio - image

	cached := d.cachedOf(u.PromptCacheHit, in, odd)
	cachedAudio := odd.part("cached audio_tokens", d.CachedDetails.Audio, min(audio, cached))
	cachedImage := odd.part("cached image_tokens", d.CachedDetails.Image, min(image, cached-cachedAudio))
	// What no detail assigns is text, as far as there was any: the cheapest class.
	cachedText := min(cached-cachedAudio-cachedImage, text)
	rest := cached - cachedAudio - cachedImage - cachedText
	moreAudio := min(rest, audio-cachedAudio)
	cachedAudio += moreAudio
	cachedImage += min(rest-moreAudio, image-cachedImage)

	written := odd.part("cache_write_tokens", d.CacheWrite, text-cachedText)
	return pricing.Usage{
		InText: text - cachedText - written, InAudio: audio - cachedAudio, InImage: image - cachedImage,
		InCachedText: cachedText, InCachedAudio: cachedAudio, InCachedImage: cachedImage,
		InCacheWrite5m: written,
	}
}

// cachedOf is how much of the input came from a cache.
func (d details) cachedOf(elsewhere count, in int64, odd *notes) int64 {
	switch {
	case d.Cached.isSeen:
		return odd.part("cached_tokens", d.Cached, in)
	case elsewhere.isSeen:
		return odd.part("prompt_cache_hit_tokens", elsewhere, in)
	}
	parts := d.CachedDetails
	return min(parts.Text.value+parts.Audio.value+parts.Image.value, in)
}

// outputClasses divides the output. What was reasoned, and the pictures of an image
// model, are priced as its text.
func (u *rawUsage) outputClasses(endpoint Endpoint, out int64, odd *notes) (text, audio int64) {
	d := cmp.Or(u.CompletionDetails, u.OutputDetails, u.OutputDetail)
	odd.part("reasoning_tokens", d.Reasoning, out)
	audio = odd.part("output audio_tokens", d.Audio, out)
	if endpoint == Speech {
		audio = out
	}
	return out - audio, audio
}
